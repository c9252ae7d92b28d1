"""The types of what is known: traits, derived properties, rows of facts.

They depend on each other, so each is found when it is first asked for. What is asked for while it is being found
stands in a circle and counts as `dyn` there; circles of traits are reported by lint.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.bundle.event_types import Declared, EventTypes, union
from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelProblem,
    Environment,
    Expression,
    Type,
    compile_expression,
    list_of,
    map_of,
    nullable,
    record,
)
from orchestrator.language.spec.conditions import Pending
from orchestrator.language.spec.scope import BASKET, META, PROFILE, functions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestrator.language.bundle.rows import FactRows
    from orchestrator.language.spec.knowledge import Facts
    from orchestrator.language.spec.traits import Trait

_PROFILE_READ: Final = re.compile(r"\b(?:profile|account)\.([A-Za-z_]\w*)")
_EVENT_READ: Final = re.compile(r"\bevent\.([A-Za-z_]\w*)")
_PLAIN: Final[dict[type, Type]] = {bool: BOOL, int: INT, float: DOUBLE, str: STRING}
_STORED: Final[dict[str, Type]] = {
    "string": STRING,
    "int": INT,
    "double": DOUBLE,
    "bool": BOOL,
    "timestamp": nullable(TIMESTAMP),
    "list": list_of(DYN),
    "map": map_of(STRING, DYN),
}
_ALWAYS: Final[dict[str, Type]] = {
    "count": INT,
    "sum": DOUBLE,
    "score": DOUBLE,
    "flag": BOOL,
    "ledger": DOUBLE,
    "basket": BASKET,
}
_HAVE_EMPTY: Final = frozenset({"int", "uint", "double", "string", "bool", "list", "map", "dyn"})


class Typing:
    """Finds types on demand.

    Args:
        events: The events of the bundle.
        traits: Customer traits by name.
        account_traits: Account traits by name.
        facts: Facts by name.
        rows: Rows of facts from files.
        namespaces: Declared namespaces, for `profile.ids`.
    """

    def __init__(
        self,
        events: EventTypes,
        traits: Mapping[str, Trait],
        account_traits: Mapping[str, Trait],
        facts: Mapping[str, Facts],
        rows: FactRows,
        namespaces: Iterable[str],
    ) -> None:
        self.events = events
        self.traits = {"profile": traits, "account": account_traits}
        self.facts = facts
        self.rows = rows
        consent = record("profile.consent", dict.fromkeys(sorted(events.channels), map_of(STRING, BOOL)))
        ids = record("profile.ids", {name: nullable(STRING) for name in namespaces})
        self.always = {**PROFILE, "consent": consent, "ids": ids}
        self._found: dict[tuple[str, str, str], Type] = {}
        self._running: set[tuple[str, str, str]] = set()
        self._records: dict[tuple[str, ...], Type] = {}

    # -- what the binder asks for

    def owner(self, root: str) -> Type:
        """The type of `profile` or `account`."""
        fields = dict(self.always) if root == "profile" else {}
        for name, trait in self.traits[root].items():
            fields[name] = self._trait(root, name)
            if isinstance(trait.first or trait.last, tuple):
                fields[f"{name}_label"] = STRING if trait.per is None else map_of(STRING, STRING)
        return record(root, fields)

    def facts_record(self) -> Type:
        return record("facts", {name: map_of(STRING, self.row(name)) for name in self.facts})

    def event(self, names: tuple[str, ...]) -> Type:
        """The type of `event` where any of these may have come; the same object for the same names."""
        found = self._records.get(names)
        if found is None:
            found = self._records[names] = self.events.record_of(names, self.derived)
        return found

    def entry(self, names: tuple[str, ...]) -> Type:
        """The same as `entry`: what started an instance."""
        key = ("entry", *names)
        found = self._records.get(key)
        if found is None:
            event = self.event(names)
            found = self._records[key] = record("entry", event.fields, open=event.open)
        return found

    def declared_event(self, name: str) -> Type:
        """The type of an event before its derived properties are added."""
        named = self.events.named(name)
        properties = [self.events.properties(one, lambda *_: DYN) for one in named]
        fields = {**self.events.identifiers, **union([fields for fields, _ in properties])}
        return record("event", {**fields, "meta": META}, open=not named or any(o for _, o in properties))

    def row(self, fact: str) -> Type:
        return self._once(("fact", fact, ""), lambda: self._row(fact))

    def derived(self, event: Declared, name: str) -> Type:
        """The type of a derived property."""
        if event.declaration is None:
            return DYN
        pending = event.declaration.derive[name]
        return self._once(
            ("derive", event.name, name), lambda: self._type(pending, {"event": self.declared_event(event.name)})
        )

    def functions(self) -> tuple[Any, ...]:
        catalog = self.row("catalog") if "catalog" in self.facts else DYN
        return functions(catalog)

    # -- how it is found

    def _once(self, key: tuple[str, str, str], find: Any) -> Type:
        if key in self._found:
            return self._found[key]
        if key in self._running:
            return DYN
        self._running.add(key)
        found: Type = find()
        self._running.discard(key)
        self._found[key] = found
        return found

    def _row(self, fact: str) -> Type:
        declared = self.facts[fact]
        event = {"event": self._mentioned_event(declared.on, "")}
        fields = {name: nullable(self._type(value, event).plain) for name, value in declared.set.items()}
        fields |= dict.fromkeys(declared.latch, nullable(BOOL))
        columns = self.rows.columns(fact)
        for name, type_ in columns.items():
            fields.setdefault(name, type_)
        known = bool(columns) or (bool(fields) and declared.file is None)
        return record(f"row of {fact}", fields, open=not known)

    def _trait(self, root: str, name: str) -> Type:
        return self._once(("trait", root, name), lambda: self._trait_type(self.traits[root][name]))

    def _trait_type(self, trait: Trait) -> Type:
        kind = trait.kind
        if kind in _ALWAYS:
            value = _ALWAYS[kind]
        elif kind == "stored":
            value = _STORED[trait.stored or "string"]
        elif kind == "choose":
            value = _common([_plain_type(case.is_) for case in trait.choose or ()] + [_plain_type(trait.else_)])
        else:
            value = self._value_type(trait, kind)
        return value if trait.per is None else map_of(STRING, value)

    def _value_type(self, trait: Trait, kind: str) -> Type:
        given = getattr(trait, kind, None)
        lines = given if isinstance(given, tuple) else ()
        if lines:
            return _or_empty(_common([self._line_type(line.value, line.on, trait) for line in lines]))
        if not isinstance(given, Pending | Expression):
            return DYN
        type_ = self._line_type(given, trait.on, trait).plain
        if kind in {"set", "list"}:
            return list_of(type_)
        return _or_empty(type_) if kind != "compute" else type_

    def _line_type(self, pending: Any, on: tuple[str, ...], trait: Trait) -> Type:
        if isinstance(pending, Expression):
            return pending.type
        if not isinstance(pending, Pending):
            return DYN
        roots = {"key": STRING}
        if on:
            roots["event"] = self._mentioned_event(on, pending.source)
        each: Any = trait.each
        if isinstance(each, Pending):
            items = self._type(each, {"event": self._mentioned_event(on, each.source)})
            roots["item"] = items.plain.parameters[0] if items.plain.kind == "list" else DYN
        return self._type(pending, roots)

    def _mentioned_event(self, names: tuple[str, ...], source: str) -> Type:
        mentioned = frozenset(_EVENT_READ.findall(source))
        return self.events.record_of(names, lambda one, name: self.derived(one, name) if name in mentioned else DYN)

    def _type(self, pending: Any, roots: dict[str, Type]) -> Type:
        """The type of an expression; `dyn` where it is wrong (the binder says so later)."""
        if isinstance(pending, Expression):  # the binder was here already
            return pending.type
        if not isinstance(pending, Pending):
            return DYN
        names = frozenset(_PROFILE_READ.findall(pending.source))
        facts = {name: map_of(STRING, self.row(name) if name in pending.source else DYN) for name in self.facts}
        known = {
            **roots,
            "now": TIMESTAMP,
            "profile": self._partial("profile", names),
            "account": self._partial("account", names),
            "facts": record("facts", facts),
        }
        used = self.row("catalog") if "catalog(" in pending.source and "catalog" in self.facts else DYN
        try:
            return compile_expression(pending.source, Environment(known, functions(used))).type
        except CelProblem:
            return DYN

    def _partial(self, root: str, names: frozenset[str]) -> Type:
        fields = dict(self.always) if root == "profile" else {}
        for name, trait in self.traits[root].items():
            fields[name] = self._trait(root, name) if name in names else DYN
            fields[f"{name}_label"] = STRING if trait.per is None else map_of(STRING, STRING)
        return record(root, fields)


def _plain_type(value: Any) -> Type:
    return _PLAIN.get(type(value), DYN)


def _common(types: list[Type]) -> Type:
    plain = {type_.plain for type_ in types if type_.kind != "dyn"} or {DYN}
    if len(plain) > 1 and {type_.kind for type_ in plain} <= {"int", "double"}:
        return DOUBLE
    return plain.pop() if len(plain) == 1 and len({t.kind == "dyn" for t in types}) == 1 else DYN


def _or_empty(type_: Type) -> Type:
    """A trait without a value is 0, "", false or empty; where its type has no such value it is null."""
    return type_.plain if type_.plain.kind in _HAVE_EMPTY else nullable(type_.plain)
