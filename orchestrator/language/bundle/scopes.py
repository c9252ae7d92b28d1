"""Which names are in scope at which place of a document (section 2.1 of the language)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.cel import (
    DYN,
    STRING,
    TIMESTAMP,
    CelProblem,
    Environment,
    Type,
    compile_expression,
    nullable,
    record,
)
from orchestrator.language.spec import content, knowledge, scenario, steps, traits
from orchestrator.language.spec.conditions import Pending
from orchestrator.language.spec.scope import (
    ANY_EVENT,
    ASK,
    CONTENT_ITEM,
    META,
    OFFER,
    OFFER_ITEM,
    STEP_OUTPUTS,
)
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.bundle.typing import Typing
    from orchestrator.language.spec.fields import Element

_OPEN_ENTRY: Final = record("entry", {"meta": META}, open=True)
_OPEN_VARS: Final = record("vars", {}, open=True)
_OPEN_STEPS: Final = record("steps", {}, open=True)
_ONLY_META: Final = record("entry", {"meta": META})


@dataclass(frozen=True, slots=True)
class Scopes:
    """The names in scope at a place.

    Attributes:
        typing: Types of what is known.
        base: Roots that hold for everything here.
        on: The events that `event` may be here; None where any may have come, empty where there is none.
        added: Roots that a field may ask for by name: `item`, `key`, the `as` names.
        instance: Roots of an instance, for the parts of a scenario that run in one.
        within_steps: Further roots inside of steps.
        earlier: The `as` names known to each element of a sequence, by the element's identity.
    """

    typing: Typing
    base: dict[str, Type]
    on: tuple[str, ...] | None = None
    added: dict[str, Type] = field(default_factory=dict)
    instance: dict[str, Type] = field(default_factory=dict)
    within_steps: dict[str, Type] = field(default_factory=dict)
    earlier: dict[int, dict[str, Type]] = field(default_factory=dict)

    def roots(self, adds: tuple[str, ...]) -> dict[str, Type]:
        """All names in scope for an expression that asks for these additions."""
        found = dict(self.base)
        for name in adds:
            if name in {"event", "turn"}:
                found.update(self._event())
            elif name == "declared_event":
                found["event"] = self.added["declared_event"]
            elif name == "as":
                found.update(self.added.get("as", DYN).fields)
            elif name in self.added:
                found[name] = self.added[name]
        return found

    def _event(self) -> dict[str, Type]:
        if "event" in self.added:
            return {"event": self.added["event"]}
        if self.on is None:
            return {"event": ANY_EVENT}
        return {"event": self.typing.event(self.on)} if self.on else {}

    def inside(self, element: Element) -> Scopes:  # noqa: PLR0911 - one line a kind of part
        """The scope inside of a part of the document."""
        if isinstance(element, steps.Step):
            return replace(self, on=None, added={})
        if isinstance(element, scenario.Moment):
            known = self.earlier.get(id(element), {})
            return replace(self, on=element.on or None, base={**self.base, **known})
        if isinstance(element, scenario.Entry):
            return self._in_entry(element)
        if isinstance(element, traits.Trait):
            return self._in_trait(element)
        if isinstance(element, content.Candidate | content.Offer):
            return self._with_item(element.from_)
        if isinstance(element, knowledge.Facts):
            return self._in_facts(element)
        if isinstance(element, knowledge.Conversation):
            return replace(self, on=tuple(dict.fromkeys(name for turn in element.turns for name in turn.on)))
        return self._with_events(element)

    def _with_events(self, element: Element) -> Scopes:
        """Parts with events of their own: `on`, and for some more."""
        if isinstance(element, traits.Flag):
            return replace(self, on=(*element.on, *element.off))
        if isinstance(element, traits.Basket):
            return replace(self, on=element.add or None)  # None: what it may be could not be read
        if isinstance(element, steps.Silence):
            return replace(self, on=element.of or None)
        on = getattr(element, "on", None)
        inner = replace(self, on=on or None) if isinstance(on, tuple) and (on or "on" in element.places) else self
        each = getattr(element, "each", None)
        return inner.with_each(each) if each is not None else inner

    def named(self, name: str, element: Element) -> Scopes:
        """The scope of one field of an element."""
        if isinstance(element, scenario.Scenario) and name not in {"audience", "entry"}:
            more = self.within_steps if name == "steps" else {}
            return replace(self, base={**self.base, **self.instance, **more})
        return self

    def of_entry(self, name: str) -> Scopes:
        """The scope of one entry of a map: only event declarations care."""
        if "declared_event" not in self.added or self.on is not None:
            return self
        return replace(self, on=(name,), added={"declared_event": self.typing.declared_event(name)})

    def with_each(self, each: Any) -> Scopes:
        return replace(self, added={**self.added, "item": self._element_of(each)})

    def _element_of(self, each: Any) -> Type:
        if not isinstance(each, Pending):
            return each.type.plain.parameters[0] if each.type.plain.kind == "list" else DYN
        try:
            environment = Environment(self.roots(("event",)), self.typing.functions())
            found = compile_expression(each.source, environment).type.plain
        except CelProblem:
            return DYN
        return found.parameters[0] if found.kind == "list" else DYN

    def _in_entry(self, entry: scenario.Entry) -> Scopes:
        last = next((moment.on for moment in reversed(entry.sequence) if moment.on), ())
        names: tuple[str, ...] | None = entry.on or last
        if not names and not {"on", "sequence"}.isdisjoint(entry.places):
            names = None  # what it may be could not be read
        inner = replace(self, on=names, added={}, earlier={})
        known: dict[str, Type] = {}
        for moment in entry.sequence:
            inner.earlier[id(moment)] = dict(known)
            if moment.as_ and moment.on:
                known[moment.as_] = self.typing.event(moment.on)
        inner.added["as"] = record("as", known)
        return inner.with_each(entry.each) if entry.each is not None else inner

    def _in_trait(self, trait: traits.Trait) -> Scopes:
        added = {} if trait.per is None else {"key": STRING}
        inner = replace(self, on=trait.on or None, added=added)
        return inner.with_each(trait.each) if trait.each is not None else inner

    def _with_item(self, source: str | None) -> Scopes:
        if source is None:
            return self
        if source == "content":
            item = CONTENT_ITEM
        elif source == "offers":
            item = OFFER_ITEM
        else:
            item = self.typing.row(source) if source in self.typing.facts else DYN
        return replace(self, added={"item": item})

    def _in_facts(self, facts: knowledge.Facts) -> Scopes:
        if facts.on:
            return replace(self, on=facts.on)
        row = self.typing.row(facts.facts) if facts.facts in self.typing.facts else ANY_EVENT
        return replace(self, added={"event": row})


class Places:
    """The scope of each document."""

    def __init__(self, typing: Typing) -> None:
        self.typing = typing
        known = {"now": TIMESTAMP, "facts": typing.facts_record()}
        self.shared = known
        self.customer = {**known, "profile": typing.owner("profile")}
        self.account = typing.owner("account")

    def of(self, draft: Draft) -> Scopes:  # noqa: PLR0911 - one line a kind of document
        """The scope of a document as a whole."""
        element = draft.element
        if draft.kind == "scenario":
            return self._scenario(element)
        if draft.kind == "facts":
            return Scopes(self.typing, self.shared)
        if draft.kind == "events":
            return Scopes(self.typing, self.customer, added={"declared_event": ANY_EVENT})
        if draft.kind == "traits" and element.of == "account":
            return Scopes(self.typing, {**self.shared, "account": self.account})
        if draft.kind in {"slot", "content"}:
            return Scopes(self.typing, self._shown(draft.kind))
        if draft.kind == "offer":
            return Scopes(self.typing, {**self.customer, "offer": OFFER})
        return Scopes(self.typing, self.customer)

    def _shown(self, kind: str) -> dict[str, Type]:
        roots = {**self.customer, "account": self.account, "ask": ASK}
        if kind == "content":
            roots |= {"entry": _OPEN_ENTRY, "vars": _OPEN_VARS, "steps": _OPEN_STEPS, "offer": OFFER}
        return roots

    def _scenario(self, element: scenario.Scenario) -> Scopes:
        base = dict(self.shared) if element.for_ == "brand" else {**self.customer, "account": self.account}
        scopes = Scopes(self.typing, base)
        found = tuple(all_steps(element.steps))
        scopes.instance.update(entry=self._entry(element, scopes), vars=_vars(found))
        scopes.within_steps["steps"] = self._steps(found)
        return scopes

    def _entry(self, element: scenario.Scenario, scopes: Scopes) -> Type:
        entry = element.entry
        if entry is None or not (entry.on or entry.sequence):
            return _ONLY_META
        inner = scopes.inside(entry)
        event = self.typing.entry(inner.on or ())
        if entry.each is None and not entry.sequence:
            return event
        fields = {**event.fields, **inner.added["as"].fields}
        if entry.each is not None:
            fields["item"] = inner.added["item"]
        return record("entry", fields, open=event.open)

    def _steps(self, found: tuple[steps.Step, ...]) -> Type:
        return record("steps", {step.id: self._outputs(step) for step in found if step.id})

    def _outputs(self, step: steps.Step) -> Type:
        fields: dict[str, Type] = {"outcome": STRING, "at": TIMESTAMP, **STEP_OUTPUTS.get(step.kind, {})}
        if isinstance(step.body, steps.WaitUntil):
            names = (*step.body.on, *(name for awaited in step.body.any for name in awaited.on))
            fields["event"] = nullable(self.typing.event(names)) if names else DYN
        return record(f"steps.{step.id}", fields)


def _vars(found: tuple[steps.Step, ...]) -> Type:
    names = [name for step in found if isinstance(step.body, steps.SetValues) for name in step.body.vars]
    return record("vars", dict.fromkeys(names, DYN))
