"""Customers as a test begins: their records as the engine would have them, with the traits that the test gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.ask import asking
from orchestrator.engine.gates.pauses import follow_pauses
from orchestrator.engine.traits.build import kept
from orchestrator.engine.traits.plan import TraitPlan
from orchestrator.engine.traits.states import pack
from orchestrator.engine.traits.values import First
from orchestrator.language.cel import Timestamp
from orchestrator.model.customer import IN, Customer, Member, Node
from orchestrator.model.ids import person_id
from orchestrator.rehearsal.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestrator.engine.program.plan import Program
    from orchestrator.language.bundle import Bundle
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.story import StoryCustomer
    from orchestrator.language.spec.traits import Trait
    from orchestrator.rehearsal.world import World

MARK: Final = "at the start"
DECLARABLE: Final = ("name", "preferred_channel", "preferred_hours", "topics", "language", "zone")


def declare_present(program: Program) -> None:
    """Let tests say what is always present in a profile but no trait of the bundle fills: a declared channel, a zone.

    In production such a name is a trait or stays at its default, which is what a customer without the word gets.
    """
    defaults: dict[str, Any] = {"topics": [], "language": program.language, "zone": program.zone}
    for name in DECLARABLE:
        if name not in program.traits.by_name:
            program.traits.by_name[name] = TraitPlan(name, First(), (), defaults.get(name, ""))
    program.speaks = frozenset({"language", "zone"})


def nodes_of(ids: Mapping[str, Any], program: Program, at: Position) -> list[str]:
    """The nodes that a test's `ids` name, strongest first.

    Raises:
        Problem: a namespace or a value can be no identifier.
    """
    found = []
    for namespace, given in ids.items():
        for value in given if isinstance(given, list) else [given]:
            try:
                found.append(program.identity.node(namespace, value))
            except ValueError as error:
                raise Problem(at, str(error)) from error
    return sorted(found, key=program.identity.rank)


def seeded(customer: StoryCustomer, bundle: Bundle, program: Program, at: int, start: int) -> dict[str, Node]:
    """A customer's nodes: the root with the record, and a forward for every other identifier.

    Args:
        customer: as the test describes them.
        bundle: declares the traits.
        program: the release.
        at: from when on they are known, ms: before everything else in the test.
        start: what durations in the profile count from, ms.

    Raises:
        Problem: they have no identifier, or a trait cannot be set.
    """
    nodes = nodes_of(customer.ids, program, customer.place("ids"))
    if not nodes:
        raise Problem(customer.named_at or customer.at, "a customer has at least one id: `ids: {email: ...}`")
    root, *others = nodes
    body = Customer(person=person_id(program.tenant, root, 0, 0), born=at, now=at)
    body.family = {root: Member(0, IN, at), **{name: Member(1, IN, at) for name in others}}
    body.consents = {
        f"{channel}/{purpose}": (at, True, "explicit")
        for channel, purposes in customer.consent.items()
        for purpose in purposes
    }
    body.traits = _traits(customer, bundle, at, start)
    return {root: Node(body=body), **{name: Node(to=root, epoch=1) for name in others}}


def begin_pauses(world: World, nodes: Mapping[str, Node]) -> None:
    """Pauses that hold for a customer from the start have begun there."""
    for name, node in nodes.items():
        if isinstance(node.body, Customer):
            moment = asking(world.engine, node.body, name, node.body.born)
            follow_pauses(moment)


def _traits(customer: StoryCustomer, bundle: Bundle, at: int, start: int) -> dict[str, bytes]:
    spoken = {"zone": customer.zone, "language": customer.language}
    given = {**customer.profile, **{name: value for name, value in spoken.items() if value is not None}}
    where = customer.place("profile")
    return {name: pack(_state(name, value, bundle, where, at, start)) for name, value in given.items()}


def _state(name: str, value: Any, bundle: Bundle, where: Position, at: int, start: int) -> Any:
    document = bundle.traits.get(name)
    if document is None:
        if name in DECLARABLE:
            return [0, at, MARK, value]
        raise Problem(where, f"the bundle declares no trait `{name}`")
    make = _STATES.get(document.kind)
    if make is None or (document.per is not None and document.per.trait):
        raise Problem(where, f"`{name}` is computed: set what it is computed from")
    if document.per is None:
        return make(document, _typed(document, value, where, start), at)
    if not isinstance(value, dict):
        raise Problem(where, f"`{name}` is keyed: write a map, key → value")
    return {str(key): [make(document, _typed(document, one, where, start), at), at] for key, one in value.items()}


def _typed(document: Trait, value: Any, where: Position, start: int) -> Any:
    """A value of YAML as the trait keeps it: a timestamp is written as one, or as an offset to the test's start."""
    if document.kind in {"score", "sum", "ledger"} and isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and _is_timestamp(document):
        return kept(Timestamp.of_ms(moment(value, where, start)))
    return value


def _is_timestamp(document: Trait) -> bool:
    if document.kind == "stored":
        return document.stored == "timestamp"
    given = getattr(document, document.kind, None)
    expression = given[0].value if isinstance(given, tuple) and given and hasattr(given[0], "value") else given
    type_ = getattr(expression, "type", None)
    return type_ is not None and type_.plain.kind == "timestamp"


def moment(text: str, where: Position, start: int) -> int:
    """A timestamp with offset, or a duration from the test's start, in ms.

    Raises:
        Problem: it is neither.
    """
    from orchestrator.language.spec.types import milliseconds  # noqa: PLC0415 - durations as the language reads them

    offset = milliseconds(text)
    if offset is not None:
        return start + offset
    try:
        written = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"`{text}` is no timestamp; write 2026-03-02T08:15:00Z, or -3d for before the start"
        raise Problem(where, message) from error
    return round((written if written.tzinfo else written.replace(tzinfo=UTC)).timestamp() * 1000)


def _basket(_: Trait, value: Any, at: int) -> Any:
    lines = {line["sku"]: line.get("qty", 1) for line in value.get("lines", [])}
    base = [lines, str(value.get("id", "")), str(value.get("channel", "")), at, 0]
    return [base, []]


_STATES: Final[dict[str, Callable[[Trait, Any, int], Any]]] = {
    "first": lambda _, value, at: [0, at, MARK, value],
    "last": lambda _, value, at: [0, at, MARK, value],
    "stored": lambda _, value, at: [0, at, MARK, value],
    "flag": lambda _, value, at: [0 if value else 1, at, MARK, bool(value)],
    "best": lambda _, value, at: [0, at, MARK, value],
    "count": lambda document, value, at: [[at, MARK, value]] if document.window else value,
    "sum": lambda document, value, at: [[at, MARK, value]] if document.window else value,
    "most": lambda _, value, __: {value: 1},
    "set": lambda _, value, at: {one: [at, False, MARK] for one in value},
    "list": lambda _, value, at: [[at, MARK, one] for one in value],
    "score": lambda _, value, at: [[value, at, {}], []],
    "ledger": lambda _, value, __: [value, {}],
    "basket": _basket,
}
