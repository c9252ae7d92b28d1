"""E-CIRCLE: traits and segments that read each other, slots that include each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.traits import Trait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position


def circles(context: Context) -> Iterator[Diagnostic]:
    """Every circle once, at the member that is declared first."""
    yield from _circles(*_graph(context), "read", "let one of them read events instead")
    yield from _circles(*_slots(context), "include", "let one of them stand alone")


def _circles(places: dict[str, Position], reads: dict[str, set[str]], verb: str, hint: str) -> Iterator[Diagnostic]:
    seen: set[frozenset[str]] = set()
    for start, place in places.items():
        path = _way_back(start, reads)
        if path and frozenset(path) not in seen:
            seen.add(frozenset(path))
            message = f"these {verb} each other in a circle: " + " → ".join(f"`{name}`" for name in (*path, start))
            if len(path) == 1:
                message = f"`{start}` {verb}s itself"
            name = start.rpartition(".")[2]
            yield diagnostic("E-CIRCLE", message, place, length=len(name), hint=hint)


def _slots(context: Context) -> tuple[dict[str, Position], dict[str, set[str]]]:
    drafts = context.sound("slot")
    names = {name: f"slot {draft.name}" for draft in drafts for name in (draft.name, *draft.element.also)}
    places = {f"slot {draft.name}": draft.named_at for draft in drafts}
    reads = {
        f"slot {draft.name}": {names[other] for other in draft.element.include.values() if other in names}
        for draft in drafts
    }
    return places, reads


def _graph(context: Context) -> tuple[dict[str, Position], dict[str, set[str]]]:
    places: dict[str, Position] = {}
    reads: dict[str, set[str]] = {}
    names: dict[int, str] = {}
    for root, traits in context.typing.traits.items():
        for name, trait in traits.items():
            full = f"{root}.{name}"
            names[id(trait)] = full
            places[full] = trait.named_at or trait.at
            other = trait.per.trait if trait.per is not None else None
            reads[full] = {f"{root}.{other}"} if other else set()
    for draft in context.drafts.of("segment"):
        places[f"segment {draft.name}"] = draft.named_at
        reads[f"segment {draft.name}"] = set()
    for bound in context.bound:
        owner = names.get(id(bound.part)) if isinstance(bound.part, Trait) else None
        if bound.draft.kind == "segment":
            owner = f"segment {bound.draft.name}"
        if owner is not None:
            reads[owner] |= {name for name in _read(bound) if name in places}
    return places, reads


def _read(bound: Bound) -> Iterator[str]:
    for path in bound.expression.reads:
        if path[0] in {"profile", "account"} and len(path) > 1:
            yield f"{path[0]}.{path[1]}"
    for call in bound.expression.calls:
        if call.name == "in_segment" and isinstance(call.args[0], str):
            yield f"segment {call.args[0]}"


def _way_back(start: str, reads: dict[str, set[str]]) -> list[str]:
    """The members of a circle through `start`, beginning with it; empty when there is none."""
    came_from: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop(0)
        for other in sorted(reads.get(name, ())):
            if other == start:
                path = [name]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if other not in came_from:
                came_from[other] = name
                waiting.append(other)
    return []
