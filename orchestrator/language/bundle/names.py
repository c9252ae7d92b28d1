"""Every name that the documents declare, and what is declared twice."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from orchestrator.language.bundle.draft import Draft, Drafts, duplicate
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.documents import SINGLE
from orchestrator.language.spec.scope import ENGINE_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.language.source.position import Position

_DEFINE = {"events": "event", "channels": "channel", "traits": "trait", "intents": "intent"}
_DOCUMENT = {"facts": "fact"}


class Names:
    """Declared names by kind: "event", "content", "slot", "trait" ...; each with its place."""

    def __init__(self) -> None:
        self.places: defaultdict[str, dict[str, Position]] = defaultdict(dict)
        self.diagnostics: list[Diagnostic] = []

    def declare(self, kind: str, name: str, at: Position) -> None:
        """Add a name; a second one of the kind is an error that cites both places."""
        if not name:
            return
        known = self.places[kind]
        other = known.setdefault(name, at)
        if other is not at:
            self.diagnostics.append(duplicate("E-NAME", f"the {kind} `{name}`", at, len(name), other))

    def knows(self, kind: str, name: str) -> bool:
        return name in self.places[kind]

    def of(self, kind: str) -> Iterable[str]:
        return self.places[kind]


def declared_names(drafts: Drafts) -> Names:
    """Collect the names of all documents."""
    names = Names()
    for draft in drafts.documents:
        if draft.kind in SINGLE:
            _declare_single(names, draft)
        elif draft.kind in _DEFINE:
            _declare_defined(names, draft)
        elif draft.kind != "test":
            names.declare(_DOCUMENT.get(draft.kind, draft.kind), draft.name, draft.named_at)
        if draft.kind == "slot":
            for other in draft.element.also:
                names.declare("slot", other, draft.element.place("also"))
        if draft.kind == "identity":
            for namespace, declared in draft.element.namespaces.items():
                names.declare("namespace", namespace, declared.named_at or declared.at)
    return names


def _declare_single(names: Names, draft: Draft) -> None:
    known = names.places["document"]
    other = known.setdefault(draft.kind, draft.named_at)
    if other is not draft.named_at:
        message = f"a bundle has one `{draft.kind}` document"
        names.diagnostics.append(
            diagnostic("E-NAME", message, draft.named_at, length=len(draft.name), hint="make them one", other=other)
        )


def _declare_defined(names: Names, draft: Draft) -> None:
    kind = _DEFINE[draft.kind]
    if draft.kind == "traits" and draft.element.of == "account":
        kind = "account trait"
    for name, declared in draft.element.define.items():
        at = declared.named_at or declared.at
        names.declare(kind, name, at)
        if kind == "event":
            _refuse_engine_event(names, name, at)
        elif kind == "trait" and declared.kind == "ledger":
            names.places["ledger"][name] = at


def _refuse_engine_event(names: Names, name: str, at: Position) -> None:
    if name in ENGINE_EVENTS:
        message = f"the engine itself makes the event `{name}`"
        names.diagnostics.append(diagnostic("E-NAME", message, at, length=len(name), hint="choose another name"))
