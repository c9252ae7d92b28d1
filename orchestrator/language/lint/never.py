"""W-NEVER: a trait compared with a text that it never is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.cel import CelProblem
from orchestrator.language.cel.parser import parse
from orchestrator.language.cel.syntax import Chain, ListOf, Literal, Name, Node, Select, children
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.inside import place_inside
from orchestrator.language.source.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.lint.context import Context


def never(context: Context) -> Iterator[Diagnostic]:
    """Compare the texts beside traits that are chosen from a few with those few."""
    chosen = _chosen(context)
    for bound in context.bound:
        read = {path[1] for path in bound.expression.reads if path[0] == "profile" and len(path) > 1}
        if chosen.keys() & read:
            yield from _look(bound, chosen)


def _chosen(context: Context) -> dict[str, list[str]]:
    """Trait → the texts it may be, of each trait that chooses among texts alone."""
    found = {}
    for draft in context.sound("traits"):
        for name, trait in draft.element.define.items():
            last = trait.else_ if "else" in trait.places else trait.default
            values = [case.is_ for case in trait.choose or ()]
            values += [last if last is not None else ""]
            if trait.choose and all(isinstance(value, str) for value in values):
                found[name] = list(dict.fromkeys(values))
    return found


def _look(bound: Bound, chosen: Mapping[str, list[str]]) -> Iterator[Diagnostic]:
    try:
        tree = parse(bound.expression.source)
    except CelProblem:
        return
    for node in _walk(tree):
        if isinstance(node, Chain) and len(node.rest) == 1:
            operator, right = node.rest[0]
            for one, other in ((node.first, right), (right, node.first)):
                trait = _trait(one)
                if operator in {"==", "!=", "in"} and trait in chosen:
                    yield from (_strange(bound, trait, text, chosen[trait]) for text in _texts(other, chosen[trait]))


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _walk(child)


def _trait(node: Node) -> str:
    """The trait that is read here, "" where it is something else."""
    of_profile = isinstance(node, Select) and isinstance(node.operand, Name) and node.operand.name == "profile"
    return node.field if of_profile else ""  # type: ignore[attr-defined]  # a Select


def _texts(node: Node, known: list[str]) -> Iterator[Literal]:
    for one in node.items if isinstance(node, ListOf) else [node]:
        if isinstance(one, Literal) and isinstance(one.value, str) and one.value not in known:
            yield one


def _strange(bound: Bound, trait: str, text: Literal, known: list[str]) -> Diagnostic:
    at = place_inside(bound.pending.node, bound.draft.lines, text.offset)
    listed = "it is one of " + " ".join(f'`"{one}"`' for one in known)
    hint = did_you_mean(str(text.value), known) or listed
    message = f'`profile.{trait}` is never `"{text.value}"`'
    return diagnostic("W-NEVER", message, at, length=text.end - text.offset, hint=hint)
