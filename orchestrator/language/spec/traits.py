# ruff: noqa: RUF009 - the field specification is made of these calls
"""The document `traits`: what is known of a customer or an account, as functions of their events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.spec.conditions import Cel, KeyedByType
from orchestrator.language.spec.fields import (
    AtLeastOne,
    AtMostOne,
    Element,
    ExactlyOne,
    Needs,
    given,
    optional,
    required,
)
from orchestrator.language.spec.parts import MapOfParts, NoneOr, Part, ScalarOr
from orchestrator.language.spec.times import Duration
from orchestrator.language.spec.types import Bool, Choice, Int, ListOf, Name, Names, Percent, Plain, String, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.values import KeyedBy

STORED_TYPES: Final = ("string", "int", "double", "bool", "timestamp", "list", "map")
_EVENT: Final = ("event", "item", "key")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueLine(Element):
    """One source of a `first` or `last` trait. An earlier line outranks a later one."""

    label: str | None = optional(String("name"), "`profile.NAME_label` says which line it was; with `per`, of each key")
    on: tuple[str, ...] = required(Names("event"), "source events")
    where: Expression | None = given(Cel("bool", _EVENT), "true", "which of these events")
    value: Expression = required(Cel(None, _EVENT), "the value")


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveLine(Element):
    """What takes a value out of a `set` trait."""

    on: tuple[str, ...] = required(Names("event"), "the events")
    where: Expression | None = given(Cel("bool", _EVENT), "true", "which of these events")
    each: Expression | None = optional(Cel("list", ("event",)), "per element, as `item`")
    value: Expression = required(Cel(None, _EVENT), "the value that goes")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreLine(Element):
    """Events that add to a `score` trait."""

    on: tuple[str, ...] = required(Names("event"), "the events")
    where: Expression | None = given(Cel("bool", _EVENT), "true", "which of these events")
    add: Expression = required(Cel("double", _EVENT), "how much")
    once_per: int | None = optional(Duration(), "one per run of such events with gaps shorter than that")


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine(Element):
    """Events that enter, or take back, an amount in a `ledger` trait."""

    constraints = (ExactlyOne(("amount", "reverse")), Needs("amount", ("ref",)), Needs("share", ("reverse",)))

    on: tuple[str, ...] = required(Names("event"), "the events")
    where: Expression | None = given(Cel("bool", _EVENT), "true", "which of these events")
    amount: Expression | None = optional(Cel("double", _EVENT), "how much")
    ref: Expression | None = optional(Cel("key", _EVENT), "what for: one entry per `ref` and line")
    reverse: Expression | None = optional(Cel("key", _EVENT), "takes back the entries of that ref")
    share: Expression | None = given(Cel("double", _EVENT), "1.0", "how much of them")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Element):
    """True between two events."""

    on: tuple[str, ...] = required(Names("event"), "events that raise it")
    off: tuple[str, ...] = required(Names("event"), "events that lower it")
    where: Expression | None = given(Cel("bool", ("event", "key")), "true", "which of these events")
    longest: int | None = optional(Duration(), "lowered after so long in any case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket(Element):
    """What lies in a basket. Events that add or remove name `sku` and `qty`."""

    id: Expression = required(Cel("key", ("event",)), "the basket's id")
    add: tuple[str, ...] = required(Names("event"), "events that add")
    remove: tuple[str, ...] = optional(Names("event"), "events that remove")
    empty: tuple[str, ...] = optional(Names("event"), "events that empty it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Element):
    """One case of a `choose` trait."""

    when: Expression = required(Cel("bool", ("key",)), "the first case whose condition is true")
    is_: Any = required(Value(), "gives this value")


KINDS: Final = (
    "first", "last", "best", "count", "sum", "set", "list", "score", "most", "flag", "basket", "ledger",
    "choose", "compute", "stored",
)  # fmt: skip
COMPUTED_KINDS: Final = frozenset({"choose", "compute"})
GATHERING: Final = tuple(kind for kind in KINDS if kind not in {"choose", "compute", "stored"})
"""Kinds that events contribute to."""
FADING: Final = ("first", "last", "best", "basket", "stored")
"""Kinds with `keep_for`: of one event or touch. What adds up has `window`, `reset_after` or `longest`."""
NO_SOURCES: Final = COMPUTED_KINDS | {"stored"}
OWN_SOURCES: Final = frozenset({"score", "ledger", "flag", "basket", "choose", "compute", "stored"})
"""Kinds that need no `on`: their lines name their events, or they have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait(Element):
    """One thing known. Exactly one kind, and the common fields.

    `kind` says which; the attribute of that name holds what the kind is given. `first` and `last` hold an
    Expression, or a tuple of ValueLine.
    """

    constraints = (
        ExactlyOne(KINDS),
        Needs("by", ("best",)),
        Needs("best", ("by",)),
        Needs("window", ("count", "sum")),
        Needs("remove", ("set",)),
        Needs("keep", ("list",)),
        Needs("share", ("most",)),
        Needs("half_life", ("score",)),
        Needs("reset_after", ("score",)),
        Needs("else", ("choose",)),
        AtMostOne(("per", "stored")),
        Needs("where", GATHERING),
        Needs("each", tuple(kind for kind in GATHERING if kind not in {"flag", "basket"})),
        Needs("keep_for", FADING),
    )

    per: KeyedBy | None = optional(KeyedByType(), 'keyed: `profile.score["lumo-1"]`; inside, the key is `key`')
    first: Expression | tuple[ValueLine, ...] | None = optional(
        ScalarOr(Cel(None, _EVENT), ListOf(Part(ValueLine))),
        "value at the smallest event time; ties by event id. A value in CEL, or a list of `on where value label`, "
        "in which an earlier line outranks a later one",
    )
    last: Expression | tuple[ValueLine, ...] | None = optional(
        ScalarOr(Cel(None, _EVENT), ListOf(Part(ValueLine))), "value at the largest event time; as `first`"
    )
    best: Expression | None = optional(Cel(None, _EVENT), "value where `by` is largest; ties: the earlier event")
    by: Expression | None = optional(Cel("double", _EVENT), "with `best`")
    count: Expression | None = optional(Cel("bool", _EVENT), "events that match; with `window` rolling")
    sum: Expression | None = optional(Cel("double", _EVENT), "with `window` rolling")
    window: int | None = optional(Duration(), "with `count` and `sum`: only the last so long")
    set: Expression | None = optional(Cel(None, _EVENT), "set of values; the later of add and remove wins, per value")
    remove: tuple[RemoveLine, ...] = optional(ListOf(Part(RemoveLine)), "with `set`: list of `on where each value`")
    list: Expression | None = optional(Cel("map", _EVENT), "maps, newest first")
    keep: int = given(Int(1, 1000), "20", "with `list`: how many")
    score: tuple[ScoreLine, ...] | None = optional(
        ListOf(Part(ScoreLine)), "a sum: list of `on where add once_per`", absent=()
    )
    half_life: int | None = optional(NoneOr(Duration()), "with `score`: decays it")
    reset_after: int | None = optional(
        NoneOr(Duration()), "with `score`: back to 0 after so long without any of its events"
    )
    most: Expression | None = optional(Cel(None, _EVENT), "the commonest value if it has `share`")
    share: float = given(Percent(), "0%", "with `most`: needed for a value")
    flag: Flag | None = optional(Part(Flag), "bool between two events")
    basket: Basket | None = optional(
        Part(Basket), "`{id, lines: [{sku, qty}], total, channel, at}`; `total` by `price()`"
    )
    ledger: tuple[LedgerLine, ...] | None = optional(
        ListOf(Part(LedgerLine)),
        "balance; one entry per `ref` and line; `reverse` takes back `share` of that ref's entries",
        absent=(),
    )
    choose: tuple[Chosen, ...] | None = optional(
        ListOf(Part(Chosen)), "list of `when is`; first true, computed when read", absent=()
    )
    else_: Any = optional(Value(), "with `choose`: when no case is true")
    compute: Expression | None = optional(Cel(None, ("key",)), "computed when read")
    stored: str | None = optional(Choice(STORED_TYPES), "written by the step `set`")
    on: tuple[str, ...] = optional(
        Names("event"),
        "source events; inside the lines for `score` and `ledger`",
        shown="–",  # noqa: RUF001
    )
    where: Expression | None = given(Cel("bool", _EVENT), "true", "which of these events")
    each: Expression | None = optional(Cel("list", ("event",)), "per element, as `item`")
    default: Any = optional(Plain("value"), "value where nothing is known", shown='0, "", false, empty')
    keep_for: int | None = optional(
        Duration(), "then back to `default`: so long after the event that gave the value; a basket after the last touch"
    )
    keys_kept: int = given(Int(1, 10_000), "200", "least recently changed keys go first")
    business: bool = given(Bool(), "false", "also from account events (E-NOT-RUN)")

    @property
    def kind(self) -> str:
        """The kind given: "first", "score" ...; "" for a trait that names none."""
        return next((kind for kind in KINDS if kind in self.places), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits(Element):
    """What is known of every customer (or account): each trait is a function of the set of accepted events."""

    constraints = (AtLeastOne(("define",)),)

    traits: str = required(Name(), "the document's name")
    of: str = given(Choice(("customer", "account")), "customer", "whose traits; those of an account: E-NOT-RUN")
    define: Mapping[str, Trait] = optional(MapOfParts(Part(Trait)), "trait → exactly one kind, and the common fields")
