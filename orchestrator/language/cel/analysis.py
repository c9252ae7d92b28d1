"""What an expression reads, calls and demands, known without evaluating it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from orchestrator.language.cel.syntax import (
    Bind,
    Call,
    Chain,
    Comprehension,
    Index,
    ListOf,
    Literal,
    Logical,
    Name,
    Node,
    Select,
    children,
)
from orchestrator.language.cel.values import UInt

Path = tuple[str, ...]
Equality = tuple[Path, frozenset[Any]]


class Unknown:
    """The marker of an argument whose value is known only when evaluated."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class DeclaredCall:
    """A call of a function that the environment declares.

    Attributes:
        name: The function.
        args: Literal arguments as values (`duration("7d")` and lists of literals count), else UNKNOWN.
        offset: Where the name stands in the source, in code points.
        places: (offset, length) of each argument.
    """

    name: str
    args: tuple[Any, ...]
    offset: int = 0
    places: tuple[tuple[int, int], ...] = ()


def literal_of(node: Node) -> Any:
    """The value of a literal, a list of literals, or a folded call; else UNKNOWN."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Call) and node.folded is not None and node.function in ("duration", "timestamp"):
        return node.folded
    if isinstance(node, ListOf):
        items = [literal_of(item) for item in node.items]
        return UNKNOWN if UNKNOWN in items else items
    return UNKNOWN


def path_of(node: Node, local: frozenset[str] = frozenset()) -> Path | None:
    """The static path of a field: `event.price`, `profile["cart"].total`; None when it is not one."""
    parts: list[str] = []
    while True:
        if isinstance(node, Select):
            if node.root:
                return (node.root, *reversed(parts))
            parts.append(node.field)
            node = node.operand
        elif isinstance(node, Index) and isinstance(node.key, Literal) and type(node.key.value) is str:
            parts.append(node.key.value)
            node = node.operand
        elif isinstance(node, Name):
            return None if node.name in local else (node.name, *reversed(parts))
        else:
            return None


def reads_of(tree: Node, roots: frozenset[str]) -> frozenset[Path]:
    """The longest static path of every read of a root."""
    found: set[Path] = set()
    waiting: list[tuple[Node, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        node, local = waiting.pop()
        path = path_of(node, local)
        if path is not None:
            if path[0] in roots:
                found.add(path)
            continue
        waiting.extend((child, local) for child in _outer(node))
        waiting.extend((child, local | {node.variable}) for child in _inner(node))  # type: ignore[attr-defined]
    return frozenset(found)


def _inner(node: Node) -> list[Node]:
    """The children that see the variable of the node."""
    if isinstance(node, Comprehension):
        return [part for part in (node.condition, node.result) if part]
    return [node.body] if isinstance(node, Bind) else []


def _outer(node: Node) -> list[Node]:
    inner = _inner(node)
    return [child for child in children(node) if not any(child is one for one in inner)]


def calls_of(tree: Node) -> tuple[DeclaredCall, ...]:
    """Every call of a declared function, in the order of the source."""
    found: list[DeclaredCall] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call) and node.declared is not None:
            places = tuple((one.offset, one.end - one.offset) for one in node.args)
            found.append(DeclaredCall(node.function, tuple(map(literal_of, node.args)), node.name_offset, places))
        waiting.extend(children(node))
    return tuple(sorted(found, key=lambda call: call.offset))


def equalities_of(tree: Node, roots: frozenset[str]) -> tuple[Equality, ...]:
    """What must hold for the expression to be true: paths and the literals that they may be equal to.

    Where a value of the context is equal to none of the literals (as Python compares them), the
    expression is false or an error.
    """
    conjuncts = [tree]
    found: list[Equality] = []
    while conjuncts:
        node = conjuncts.pop(0)
        if isinstance(node, Logical) and node.op == "&&":
            conjuncts = [*node.operands, *conjuncts]
        elif isinstance(node, Chain) and len(node.rest) == 1:
            equality = _equality(node)
            if equality is not None and equality[0][0] in roots:
                found.append(equality)
    return tuple(found)


def _equality(node: Chain) -> Equality | None:
    operator, right = node.rest[0]
    path, literals = path_of(node.first), literal_of(right)
    if operator == "==":
        if path is None:
            path, literals = path_of(right), literal_of(node.first)
        literals = [literals]
    if path is None or operator not in ("==", "in") or not isinstance(literals, list):
        return None
    if not all(type(one) in (str, int, float, bool, UInt) for one in literals):
        return None
    return path, frozenset(literals)
