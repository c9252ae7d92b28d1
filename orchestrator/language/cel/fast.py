"""A checked tree to Python source that is right whenever it gives a value, and raises when in doubt.

Where static types allow, an operator becomes Python's own. Any exception means: evaluate again with
the exact code (`generator.py`), which absorbs errors as CEL does and says what went wrong. So each
shortcut here must raise, or be right, for every value that the static types allow, null included
where the type is nullable.
"""

from __future__ import annotations

from typing import Final

from orchestrator.language.cel.generator import Generator, field_type
from orchestrator.language.cel.syntax import (
    Call,
    Comprehension,
    Index,
    ListOf,
    Literal,
    Logical,
    MapOf,
    Node,
    Select,
    Unary,
)
from orchestrator.language.cel.types import NUMERIC, Type

_SAME: Final = frozenset({"string", "bytes", "bool", "timestamp", "duration", "type"})  # Python's == is CEL's
_UNMISTAKABLE: Final = frozenset({"string", "bytes", "timestamp", "duration"})  # ... even against any other type
_TIMES: Final = frozenset({"timestamp", "duration"})
_INT_FUNCTIONS: Final = {"+": "add_int", "-": "subtract_int", "*": "multiply_int", "/": "divide_int", "%": "remainder"}
_CONCATENATED: Final = frozenset({"string", "bytes"})


class FastGenerator(Generator):
    """The same structure as the exact generator, with shortcuts."""

    def body(self, value: str) -> str:
        final = "    except FINAL:\n        raise\n" if self.metered else ""
        return f"    try:\n        return {value}\n{final}    except FAULTS:\n        return again(c)\n"

    def result(self, tree: Node, expected: Type | None) -> str:
        if expected is not None and expected.kind == "bool" and tree.type.kind == "bool":
            return self.raw(tree)
        return super().result(tree, expected)

    def select(self, node: Select) -> str:
        if node.root or node.test:
            return super().select(node)
        holder = self.emit(node.operand)
        if field_type(node.operand, node.field).nullable:
            return f"optional({holder}, {node.field!r})"
        return f"{holder}[{node.field!r}]"

    def index(self, node: Index) -> str:
        holder, key = node.operand.type.plain.kind, node.key.type.plain.kind
        if holder == "record" and node.type.nullable:
            return f"optional({self.emit(node.operand)}, {self.emit(node.key)})"
        by_name = key == "string" and not node.key.type.nullable and holder in ("map", "record", "dyn")
        by_place = holder == "list" and isinstance(node.key, Literal) and key == "int" and node.key.value >= 0
        if by_name or by_place:
            return f"{self.emit(node.operand)}[{self.emit(node.key)}]"
        return super().index(node)

    def unary(self, node: Unary) -> str:
        if node.op == "!":
            return f"(not {self.condition(node.operand)})"
        if node.operand.type.plain.kind == "double":
            return f"(-{self.emit(node.operand)})"
        return super().unary(node)

    def condition(self, node: Node) -> str:
        return self.emit(node) if node.type.kind == "bool" else super().condition(node)

    def logical(self, node: Logical) -> str:
        word = " and " if node.op == "&&" else " or "
        return f"({word.join(map(self.condition, node.operands))})"

    def entries(self, node: MapOf) -> str:
        keys = [key.value for key, _ in node.entries if isinstance(key, Literal) and type(key.value) is str]
        if len(set(keys)) < len(node.entries):
            return super().entries(node)
        return self.paid("{" + ", ".join(f"{self.emit(key)}: {self.emit(value)}" for key, value in node.entries) + "}")

    def macro(self, node: Comprehension, elements: str, variable: str) -> str:
        if node.condition is None or node.kind in ("map", "filter"):
            return super().macro(node, elements, variable)
        condition = self.condition(node.condition)
        if node.kind == "exists_one":
            return f"(sum(1 for {variable} in {elements} if {condition}) == 1)"
        return f"{'all' if node.kind == 'all' else 'any'}({condition} for {variable} in {elements})"

    def standard(self, node: Call, runtime: str) -> str:
        if node.folded is None and runtime == "matches" and isinstance(node.args[-1], Literal):
            regex = self.constant(f"pattern({node.args[-1].value!r})")
            return f"search({regex}, {self.arguments(node, free=False)[0]})"
        given = [one.type.plain.kind for one in [*([node.target] if node.target else []), *node.args]]
        signature = node.signature
        if signature is None or signature.inline is None or "dyn" in given:
            return super().standard(node, runtime)
        return signature.inline.format(*self.arguments(node, free=runtime == "size"))

    def declared(self, node: Call, method: str) -> str:
        return f"c.{method}({', '.join(self.questions(node))})"

    # -- operators

    def binary(self, operator: str, first: Node | None, value: str, left: Type, right: Node) -> str:
        kinds = (left.plain.kind, right.type.plain.kind)
        for shortcut in (_numbers, _equality, _times, _membership, _concatenation):
            code = shortcut(self, operator, kinds, first, value, right)
            if code is not None:
                return code
        return super().binary(operator, first, value, left, right)


_Kinds = tuple[str, str]


def _raw(generator: FastGenerator, first: Node | None, value: str) -> str:
    return value if first is None else generator.raw(first) if first.depth < 10 else generator.emit(first)


def _numbers(
    generator: FastGenerator, operator: str, kinds: _Kinds, first: Node | None, value: str, right: Node,
) -> str | None:  # fmt: skip
    if kinds[0] not in NUMERIC or kinds[1] not in NUMERIC:
        return None
    if operator in ("==", "!=", "<", "<=", ">", ">="):
        return f"({_raw(generator, first, value)} {operator} {_raw(generator, right, '')})"
    if "uint" in kinds:
        return None
    one = value if first is None else generator.emit(first)
    other = generator.emit(right)
    if kinds == ("int", "int"):
        return f"{_INT_FUNCTIONS[operator]}({one}, {other})"
    return f"divide_double({one}, {other})" if operator == "/" else f"({one} {operator} {other})"


def _equality(
    generator: FastGenerator, operator: str, kinds: _Kinds, first: Node | None, value: str, right: Node,
) -> str | None:  # fmt: skip
    if operator not in ("==", "!="):
        return None
    null = isinstance(right, Literal) and right.value is None
    alike = kinds[0] == kinds[1] and kinds[0] in _SAME
    if not (null or alike or kinds[0] in _UNMISTAKABLE or kinds[1] in _UNMISTAKABLE):
        return None
    one = value if first is None else generator.emit(first)
    if null:
        return f"({one} {'is' if operator == '==' else 'is not'} None)"
    return f"({one} {operator} {generator.emit(right)})"


def _times(
    generator: FastGenerator, operator: str, kinds: _Kinds, first: Node | None, value: str, right: Node,
) -> str | None:  # fmt: skip
    if kinds[0] not in _TIMES or kinds[1] not in _TIMES:
        return None
    if operator in ("<", "<=", ">", ">="):
        return f"({_nanoseconds(generator, first, value)} {operator} {_nanoseconds(generator, right, '')})"
    if operator == "-" and kinds == ("timestamp", "timestamp"):
        one = value if first is None else generator.emit(first)
        return f"elapsed({one}, {generator.emit(right)})"
    return None


def _nanoseconds(generator: FastGenerator, node: Node | None, value: str) -> str:
    if node is None:
        return f"{value}.ns"
    if isinstance(node, Call) and node.folded is not None:
        return f"({node.folded.ns})"
    return f"{generator.emit(node)}.ns"


def _membership(
    generator: FastGenerator, operator: str, kinds: _Kinds, first: Node | None, value: str, right: Node,
) -> str | None:  # fmt: skip
    if operator != "in" or kinds[0] not in ("string", "int"):
        return None
    element = right.type.plain.parameters[0].plain.kind if right.type.plain.parameters else ""
    literals = (
        isinstance(right, ListOf) and bool(right.items) and all(_is_literal(one, kinds[0]) for one in right.items)
    )
    if not (literals or (kinds[0] == "string" and (kinds[1] == "record" or element == "string"))):
        return None
    one = value if first is None else generator.emit(first)
    if isinstance(right, ListOf) and literals:
        return f"({one} in {{{', '.join(map(generator.emit, right.items))}}})"
    return f"({one} in {generator.paid_if(right.type, generator.emit(right))})"


def _is_literal(node: Node, kind: str) -> bool:
    return isinstance(node, Literal) and node.type.kind == kind


def _concatenation(
    generator: FastGenerator, operator: str, kinds: _Kinds, first: Node | None, value: str, right: Node,
) -> str | None:  # fmt: skip
    if operator != "+" or kinds[0] != kinds[1] or kinds[0] not in _CONCATENATED:
        return None
    one = value if first is None else generator.emit(first)
    return generator.paid(f"concat({one}, {generator.emit(right)})")
