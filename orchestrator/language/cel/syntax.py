"""The syntax tree. Every node knows where it stands; the checker writes its type into it.

Chains of one precedence level (`a + b - c`, `a && b && c`) are one flat node, so that a long chain
is not a deep tree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.language.cel.types import DYN, Type

if TYPE_CHECKING:
    from orchestrator.language.cel.environment import Function
    from orchestrator.language.cel.signatures import Signature


@dataclass(slots=True, kw_only=True)
class Node:
    """A part of an expression.

    Attributes:
        offset: Where its text begins, in code points.
        end: Where its text ends.
        depth: Height of the tree below it, leaves have 1.
        type: Filled in by the checker.
        problem: What the checker would have refused, where it only takes note: evaluating it fails.
    """

    offset: int
    end: int
    depth: int = 1
    type: Type = field(default=DYN)
    problem: str = ""


@dataclass(slots=True)
class Literal(Node):
    """A number, text, bytes, true, false or null."""

    value: Any


@dataclass(slots=True)
class Name(Node):
    """A root, a variable of a macro, or the name of a type."""

    name: str


@dataclass(slots=True)
class Select(Node):
    """`operand.field`, or `has(operand.field)` when it is a test."""

    operand: Node
    field: str
    test: bool = False
    root: str = ""  # by the checker: the whole dotted text is the name of a root


@dataclass(slots=True)
class Index(Node):
    """`operand[key]`."""

    operand: Node
    key: Node


@dataclass(slots=True)
class Call(Node):
    """`function(args)`, or `target.function(args)`."""

    function: str
    target: Node | None
    args: list[Node]
    name_offset: int
    signature: Signature | None = None  # by the checker: the standard function meant
    declared: Function | None = None  # by the checker: the function of the environment meant
    parameters: tuple[Type, ...] = ()  # by the checker: the types of the declared overload meant
    folded: Any = None  # by the checker: the value, where the arguments are literals


@dataclass(slots=True)
class Unary(Node):
    """`!operand` or `-operand`."""

    op: str
    operand: Node


@dataclass(slots=True)
class Chain(Node):
    """Operators of one level of precedence, applied from left to right."""

    first: Node
    rest: list[tuple[str, Node]]
    types: list[Type] = field(default_factory=list)  # the type after each operator, by the checker


@dataclass(slots=True)
class Logical(Node):
    """`&&` or `||` between any number of operands."""

    op: str
    operands: list[Node]


@dataclass(slots=True)
class Conditional(Node):
    """`condition ? then : otherwise`."""

    condition: Node
    then: Node
    otherwise: Node


@dataclass(slots=True)
class ListOf(Node):
    """`[items]`."""

    items: list[Node]


@dataclass(slots=True)
class MapOf(Node):
    """`{key: value}`."""

    entries: list[tuple[Node, Node]]


@dataclass(slots=True)
class Comprehension(Node):
    """A macro over the elements of a list or the keys of a map.

    Attributes:
        kind: `all exists exists_one map filter`.
        range: What is gone through.
        variable: The name of one element.
        condition: The predicate; None for a `map` without one.
        result: What a `map` gives for an element.
    """

    kind: str
    range: Node
    variable: str
    condition: Node | None
    result: Node | None


@dataclass(slots=True)
class Bind(Node):
    """`cel.bind(variable, value, body)`."""

    variable: str
    value: Node
    body: Node


def children(node: Node) -> list[Node]:  # noqa: PLR0911 - one line a kind of node
    """The nodes right below one, in the order of the source."""
    match node:
        case Select(operand=operand) | Unary(operand=operand):
            return [operand]
        case Index(operand=operand, key=key):
            return [operand, key]
        case Call(target=target, args=args):
            return [*([target] if target else []), *args]
        case Chain(first=first, rest=rest):
            return [first, *(operand for _, operand in rest)]
        case Logical(operands=operands) | ListOf(items=operands):
            return list(operands)
        case Conditional(condition=condition, then=then, otherwise=otherwise):
            return [condition, then, otherwise]
        case MapOf(entries=entries):
            return [part for entry in entries for part in entry]
        case Comprehension(range=range_, condition=condition, result=result):
            return [part for part in (range_, condition, result) if part]
        case Bind(value=value, body=body):
            return [value, body]
        case _:
            return []
