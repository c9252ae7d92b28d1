"""The bundle's traits, ready to run: which lines an event touches, and how each trait is read."""

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.engine.maps import Keyed
from orchestrator.engine.traits.kind import Contribution, Kind, join_states
from orchestrator.language.cel import CelError, Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestrator.engine.context import Context
    from orchestrator.model.customer import Customer
    from orchestrator.model.event import Event


class Line(NamedTuple):
    """One way in which an event contributes to a trait. `value` makes the contribution's value from the context."""

    number: int
    on: tuple[str, ...]
    where: Expression | None
    each: Expression | None
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
        business: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.lines = lines
        self.default = default
        self.per = per
        self.keys_kept = keys_kept
        self.compute = compute
        self.keyed_by = keyed_by
        self.label_of = label_of
        self.finish = finish
        self.labels = labels
        self.business = business

    def contribute(self, line: Line, context: "Context", customer: "Customer", event: "Event") -> None:
        """Let an event contribute by one line.

        Raises:
            CelError: the value is unknown; the trait keeps its earlier value.
        """
        if line.where is not None and line.where.evaluate(context) is not True:
            return
        value = line.value(context)
        new = Contribution(event.time, event.id, line.number, value)
        states = customer.traits
        if self.per is None:
            states[self.name] = self.kind.add(states.get(self.name), new)  # type: ignore[union-attr]
            return
        keyed = states.get(self.name)
        if keyed is None:
            keyed = states[self.name] = {}
        key = str(self.per.evaluate(context))
        known = keyed.pop(key, None)
        keyed[key] = [self.kind.add(known and known[0], new), max(event.time, known[1] if known else 0)]  # type: ignore[union-attr]
        if len(keyed) > self.keys_kept:
            del keyed[min(keyed, key=lambda name: (keyed[name][1], name))]

    def read(self, context: "Context") -> Any:
        """The value as the profile shows it."""
        if self.label_of is not None:
            return self._label(context)
        if self.keyed_by is not None or self.per is not None:
            return Keyed(KeyedTrait(self, context))
        if self.compute is not None:
            return self.compute(context)
        return self.value(context.customer.traits.get(self.name), context)

    def value(self, state: Any, context: "Context") -> Any:
        """The value of one state."""
        value = None if state is None else self.kind.read(state, context.at)  # type: ignore[union-attr]
        if value is None:
            value = self.default
        return value if self.finish is None else self.finish(context, value)

    def _label(self, context: "Context") -> str:
        state = context.customer.traits.get(self.label_of)
        return self.labels[state[0]] if state else ""

    def join(self, one: Any, other: Any) -> Any:
        if self.kind is None:
            return other if one is None else one
        if self.per is None or one is None or other is None:
            return join_states(self.kind, one, other)
        for key, (state, changed) in other.items():
            mine = one.get(key)
            one[key] = [join_states(self.kind, mine and mine[0], state), max(changed, mine[1] if mine else 0)]
        return one


class KeyedTrait:
    """A keyed trait of one customer, read key by key."""

    def __init__(self, plan: TraitPlan, context: "Context") -> None:
        self.plan, self.context = plan, context
        self.states = context.customer.traits.get(plan.name) or {}

    def keys(self) -> list[str]:
        if self.plan.keyed_by is not None:
            return list(self.context.profile[self.plan.keyed_by])
        return list(self.states)

    def value(self, key: str) -> Any:
        context, plan = self.context, self.plan
        if plan.compute is None:
            entry = self.states.get(key)
            return plan.value(entry and entry[0], context)
        outer = context.__dict__.get("key")
        context.key = key
        try:
            return plan.compute(context)
        finally:
            if outer is None:
                del context.key
            else:
                context.key = outer


class TraitUpdate(NamedTuple):
    """One line of one trait that an event type touches."""

    trait: TraitPlan
    line: Line


class Traits:
    """All traits of a bundle, those that others read first."""

    def __init__(self, plans: "Iterable[TraitPlan]") -> None:
        self.by_name = {plan.name: plan for plan in plans}

    def read(self, name: str, context: "Context") -> Any:
        return self.by_name[name].read(context)

    def updates(self, names: tuple[str, ...]) -> tuple[TraitUpdate, ...]:
        """The lines that events of these names (type, and channel.type) touch, in dependency order."""
        return tuple(
            TraitUpdate(plan, line)
            for plan in self.by_name.values()
            for line in plan.lines
            if any(name in line.on for name in names)
        )

    def join(self, one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """The states as if all events had been one customer's. States of traits that are gone are kept as they are."""
        for name, state in other.items():
            plan = self.by_name.get(name)
            mine = one.get(name)
            one[name] = plan.join(mine, state) if plan is not None else (state if mine is None else mine)
        return one


def apply_event(
    updates: tuple[TraitUpdate, ...], context: "Context", customer: "Customer", event: "Event"
) -> list[tuple[str, CelError]]:
    """Let an event contribute to every trait it touches; gives the traits that could not be told, and why."""
    unknown: list[tuple[str, CelError]] = []
    for trait, line in updates:
        try:
            if line.each is None:
                trait.contribute(line, context, customer, event)
            else:
                for context.item in line.each.evaluate(context):
                    trait.contribute(line, context, customer, event)
        except CelError as problem:
            unknown.append((trait.name, problem))
    return unknown
