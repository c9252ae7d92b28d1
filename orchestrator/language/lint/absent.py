"""W-ABSENT: conditions in which an absent property gives an answer that nobody meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.cel import CelProblem, Environment
from orchestrator.language.cel.checker import Checker
from orchestrator.language.cel.parser import parse
from orchestrator.language.cel.syntax import Chain, Node, Select, Unary, children
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.inside import place_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.lint.context import Context

_EVENTS: Final = frozenset({"event", "entry"})
_WORTH_A_LOOK: Final = re.compile(r"==|!=|!|\bin\b")


def absent(context: Context) -> Iterator[Diagnostic]:
    """Two optional properties compared; `!` or `in` on an optional one without `has()`."""
    functions = context.typing.functions()
    for bound in context.bound:
        if _reads_optional(bound) and _WORTH_A_LOOK.search(bound.expression.source):
            yield from _look(bound, functions)


def _reads_optional(bound: Bound) -> bool:
    for path in bound.expression.reads:
        if path[0] in _EVENTS and len(path) > 1:
            type_ = bound.roots[path[0]].fields.get(path[1])
            if type_ is not None and (type_.nullable or len(path) > 2):
                return True
    return False


def _look(bound: Bound, functions: tuple[object, ...]) -> Iterator[Diagnostic]:
    source = bound.expression.source
    try:
        tree = parse(source)
        Checker(source, Environment(bound.roots, functions)).check(tree)  # type: ignore[arg-type]
    except CelProblem:
        return
    guarded = {_text(node, source) for node in _walk(tree) if isinstance(node, Select) and node.test}
    for node in _walk(tree):
        found = _doubtful(node, source, guarded)
        if found is not None:
            culprit, message, hint = found
            at = place_inside(bound.pending.node, bound.draft.lines, culprit.offset)
            yield diagnostic("W-ABSENT", message, at, length=culprit.end - culprit.offset, hint=hint)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _walk(child)


def _text(node: Node, source: str) -> str:
    return source[node.offset : node.end]


def _optional(node: Node, source: str, guarded: set[str]) -> bool:
    if not isinstance(node, Select) or node.test or not node.type.nullable:
        return False
    text = _text(node, source)
    return text.partition(".")[0] in _EVENTS and f"has({text})" not in guarded and text not in guarded


def _doubtful(node: Node, source: str, guarded: set[str]) -> tuple[Node, str, str] | None:
    if isinstance(node, Unary) and node.op == "!" and _optional(node.operand, source, guarded):
        text = _text(node.operand, source)
        message = f"`{text}` may be absent, and `!` of nothing is an error"
        return node.operand, message, f"write `has({text}) && !{text}`"
    if isinstance(node, Chain) and len(node.rest) == 1:
        operator, right = node.rest[0]
        left_optional = _optional(node.first, source, guarded)
        if operator in {"==", "!="} and left_optional and _optional(right, source, guarded):
            names = f"`{_text(node.first, source)}` and `{_text(right, source)}`"
            message = f"both {names} may be absent, and then they are equal"
            return node.first, message, f"write `has({_text(right, source)}) && ...`"
        if operator == "in":
            for side in (node.first, right):
                if _optional(side, source, guarded):
                    text = _text(side, source)
                    return side, f"`{text}` may be absent, and `in` is then an error", f"write `has({text}) && ...`"
    return None
