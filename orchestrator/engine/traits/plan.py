"""The bundle's traits, ready to run: which lines an event touches, and how each trait is read."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.engine.maps import Keyed
from orchestrator.engine.traits.kind import Kind, join_states
from orchestrator.engine.traits.states import as_entry, pack, unpack, unpack_keyed
from orchestrator.language.cel import CelError, Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestrator.engine.context import Context
    from orchestrator.model.customer import Customer
    from orchestrator.model.event import Event


_UNTOLD: Final = (CelError, TypeError, ValueError, OverflowError)
"""A contribution is unknown, or none that the trait can take: a text to be added up, a list to be counted, a sum beyond
64 bits. Producers write what they like where nothing is declared, and one trait's trouble must not cost the event. The
state is what it was: it is replaced when all is done."""


class Line(NamedTuple):
    """One way in which an event contributes to a trait. `value` makes the contribution's value from the context."""

    number: int
    on: tuple[str, ...]
    where: "Callable[[Context], Any] | None"
    each: "Callable[[Context], Any] | None"
    value: "Callable[[Context], Any]"


class TraitPlan:
    """One trait: a stored kind with its lines, or one that is computed when read."""

    def __init__(
        self,
        name: str,
        kind: Kind | None,
        lines: tuple[Line, ...],
        default: Any,
        per: Expression | None = None,
        keys_kept: int = 200,
        compute: "Callable[[Context], Any] | None" = None,
        keyed_by: str | None = None,
        label_of: str | None = None,
        finish: "Callable[[Context, Any], Any] | None" = None,
        labels: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.kind = kind
        self.lines = lines
        self.default = default
        self.per: Callable[[Context], Any] | None = per.evaluate if per is not None else None
        self.keys_kept = keys_kept
        self.compute = compute
        self.keyed_by = keyed_by
        self.label_of = label_of
        self.finish = finish
        self.labels = labels

    def contribution(self, line: Line) -> "Callable[[Context, dict[str, bytes], Event], None]":
        """What lets an event contribute by one line. It raises CelError, and changes nothing, for unknown values."""
        one = self._keyed_contribution(line) if self.per is not None else self._plain_contribution(line)
        each = line.each
        if each is None:
            return one

        def contribute(context: "Context", states: dict[str, bytes], event: "Event") -> None:
            for item in each(context):
                context.item = item
                one(context, states, event)

        return contribute

    def _plain_contribution(self, line: Line) -> "Callable[[Context, dict[str, bytes], Event], None]":
        name, add, where, number, value = self.name, self.kind.add, line.where, line.number, line.value  # type: ignore[union-attr]

        def contribute(context: "Context", states: dict[str, bytes], event: "Event") -> None:
            if where is None or where(context) is True:
                raw = states.get(name)
                state = None if raw is None else unpack(raw)
                states[name] = pack(add(state, event.time, event.id, number, value(context)))

        return contribute

    def _keyed_contribution(self, line: Line) -> "Callable[[Context, dict[str, bytes], Event], None]":
        name, add, where, number, value = self.name, self.kind.add, line.where, line.number, line.value  # type: ignore[union-attr]
        per, most = self.per, self.keys_kept
        assert per is not None  # noqa: S101 - narrows the type

        def contribute(context: "Context", states: dict[str, bytes], event: "Event") -> None:
            if where is not None and where(context) is not True:
                return
            given = per(context)
            if given is None:
                return
            key = str(given)
            raw = states.get(name)
            keyed = {} if raw is None else unpack_keyed(raw)
            known = keyed.get(key)
            state, changed = (None, 0) if known is None else unpack(known)
            time = event.time
            state = add(state, time, event.id, number, value(context))
            keyed[key] = as_entry([state, max(changed, time)])
            if len(keyed) > most:
                del keyed[min(keyed, key=lambda other: (unpack(keyed[other])[1], other))]
            states[name] = pack(keyed)

        return contribute

    def read(self, context: "Context") -> Any:
        """The value as the profile shows it."""
        if self.label_of is not None:
            labelled = context.program.traits.by_name[self.label_of]
            if labelled.per is not None:
                return Keyed(KeyedLabel(labelled, context))
            return labelled.label(labelled.state(context.customer), context)
        if self.keyed_by is not None or self.per is not None:
            return Keyed(KeyedTrait(self, context))
        if self.compute is not None:
            return self.compute(context)
        return self.value(self.state(context.customer), context)

    def state(self, customer: "Customer") -> Any:
        """The state of a trait without keys, None where no event contributed yet."""
        raw = customer.traits.get(self.name)
        return unpack(raw) if raw is not None else None

    def value(self, state: Any, context: "Context") -> Any:
        """The value of one state."""
        value = None if state is None else self.kind.read(state, context.at)  # type: ignore[union-attr]
        if value is None:
            value = self.default
        return value if self.finish is None else self.finish(context, value)

    def label(self, state: Any, context: "Context") -> str:
        """Which line the value of a state is from; "" where there is none, or it is kept no longer."""
        known = state is not None and self.kind.read(state, context.at) is not None  # type: ignore[union-attr]
        return self.labels[state[0]] if known else ""

    def join(self, one: bytes, other: bytes) -> bytes:
        """The state as if the contributions to both had been one customer's."""
        if self.kind is None:
            return one
        if self.per is None:
            return pack(join_states(self.kind, unpack(one), unpack(other)))
        keyed = unpack_keyed(one)
        for key, entry in unpack_keyed(other).items():
            state, changed = unpack(entry)
            mine, known = unpack(keyed[key]) if key in keyed else (None, 0)
            keyed[key] = as_entry([join_states(self.kind, mine, state), max(changed, known)])
        for key in sorted(keyed, key=lambda name: (unpack(keyed[name])[1], name))[: -self.keys_kept]:
            del keyed[key]
        return pack(keyed)


class KeyedTrait:
    """A keyed trait of one customer, read key by key."""

    def __init__(self, plan: TraitPlan, context: "Context") -> None:
        self.plan, self.context = plan, context
        raw = context.customer.traits.get(plan.name)
        self.states = unpack_keyed(raw) if raw is not None else {}

    def keys(self) -> list[str]:
        if self.plan.keyed_by is not None:
            return list(self.context.profile[self.plan.keyed_by])
        return list(self.states)

    def value(self, key: str) -> Any:
        context, plan = self.context, self.plan
        if plan.compute is None:
            entry = self.states.get(key)
            return plan.value(unpack(entry)[0] if entry is not None else None, context)
        outer = context.key
        context.key = key
        try:
            return plan.compute(context)
        finally:
            context.key = outer


class KeyedLabel(KeyedTrait):
    """Which line the value of each key is from."""

    def value(self, key: str) -> Any:
        entry = self.states.get(key)
        return self.plan.label(unpack(entry)[0] if entry is not None else None, self.context)


class TraitUpdate(NamedTuple):
    """One line of one trait that an event type touches; `apply` lets an event contribute by it."""

    trait: TraitPlan
    line: Line
    apply: "Callable[[Context, dict[str, bytes], Event], None]"


class Traits:
    """All traits of a bundle, those that others read first."""

    def __init__(self, plans: "Iterable[TraitPlan]") -> None:
        self.by_name = {plan.name: plan for plan in plans}

    def updates(self, names: tuple[str, ...]) -> tuple[TraitUpdate, ...]:
        """The lines that events of these names (type, and channel.type) touch, in dependency order."""
        return tuple(
            TraitUpdate(plan, line, plan.contribution(line))
            for plan in self.by_name.values()
            for line in plan.lines
            if any(name in line.on for name in names)
        )

    def join(self, one: dict[str, bytes], other: dict[str, bytes]) -> dict[str, bytes]:
        """The states as if all events had been one customer's. States of traits that are gone are kept as they are."""
        for name, state in other.items():
            plan = self.by_name.get(name)
            if name not in one:
                one[name] = state
            elif plan is not None:
                one[name] = plan.join(one[name], state)
        return one


def apply_event(
    updates: tuple[TraitUpdate, ...], context: "Context", customer: "Customer", event: "Event"
) -> list[tuple[str, Exception]]:
    """Let an event contribute to every trait it touches; gives the traits that could not be told, and why."""
    unknown: list[tuple[str, Exception]] = []
    states = customer.traits
    for update in updates:
        try:
            update[2](context, states, event)
        except _UNTOLD as problem:
            unknown.append((update[0].name, problem))
    return unknown
