"""A checked tree to Python source that follows CEL to the letter: slow, exact, with good error messages.

Every operator and function becomes a call of the runtime, which looks at the types of the values it
is given. `fast.py` derives from this what is evaluated first.
"""

from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any, Final

from orchestrator.language.cel.syntax import (
    Bind,
    Call,
    Chain,
    Comprehension,
    Conditional,
    Index,
    ListOf,
    Literal,
    Logical,
    MapOf,
    Name,
    Node,
    Select,
    Unary,
    children,
)
from orchestrator.language.cel.types import DYN, Type
from orchestrator.language.cel.values import Duration, Timestamp, UInt

LIFT: Final = 8  # levels of the tree in one Python expression; CPython refuses 200 nested parentheses
LONG_CHAIN: Final = 4  # operators of one chain in one Python expression
FUNCTIONS: Final = {
    "+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "modulo", "==": "equal", "!=": "unequal",
    "<": "less", "<=": "less_or_equal", ">": "greater", ">=": "greater_or_equal", "in": "contained",
}  # fmt: skip
_OF_LENGTH: Final = frozenset({"string", "bytes", "list", "map", "record", "dyn"})
_FREE: Final = frozenset({"size", "type_of", "to_dyn"})  # functions that do not read their argument through


class Generator:
    """Collects definitions while it turns nodes into Python expressions.

    In the generated code `c` is the context, `m` the meter, `x1 x2 ...` the variables of macros,
    `K1 ...` constants and `P1 ...` parts of the expression that have become functions.
    """

    def __init__(self, roots: Mapping[str, Type]) -> None:
        self.roots = roots
        self.definitions: list[str] = []
        self.scope: dict[str, str] = {}
        self.inside = 0  # macros and bindings around the current node: values may be read or made many times
        self.metered = False

    def program(self, tree: Node, expected: Type | None) -> str:
        """The source of a module that defines `evaluate(c)`."""
        self.metered = _is_metered(tree)
        value = self.result(tree, expected)
        head = "def evaluate(c):\n" if self.metered else "def evaluate(c, m=None):\n"
        meter = "    m = Meter()\n" if self.metered else ""
        return "\n".join([*self.definitions, f"{head}{meter}{self.body(value)}"])

    def body(self, value: str) -> str:
        return f"    return {value}\n"

    def result(self, tree: Node, expected: Type | None) -> str:
        value = self.emit(tree)
        if expected is None or expected.kind in ("dyn", "nullable") or expected == tree.type:
            return value
        return f"expected({value}, {expected.kind!r})"

    def emit(self, node: Node) -> str:
        """A Python expression with the value of the node, safe to stand as an operand or argument."""
        if node.depth % LIFT == 0:
            return self.lifted(self.value(node))
        return self.value(node)

    def value(self, node: Node) -> str:
        code = self.raw(node)
        return f"as_double({code})" if self.is_read(node, "double") else code

    def raw(self, node: Node) -> str:
        """As `value`, but a double that is read from the context may still be a Python int."""
        if node.problem:
            return f"fail({node.problem!r})"
        return _EMITTERS[type(node)](self, node)

    @staticmethod
    def is_read(node: Node, kind: str) -> bool:
        """Whether a node of this type gives what others have put into the context."""
        if node.type.plain.kind != kind:
            return False
        return isinstance(node, Name | Select | Index) or (isinstance(node, Call) and node.declared is not None)

    # -- definitions

    def constant(self, code: str) -> str:
        name = f"K{len(self.definitions)}"
        self.definitions.append(f"{name} = {code}")
        return name

    def lifted(self, value: str, statements: str = "") -> str:
        """The call of a new function that gives the value: keeps Python expressions shallow."""
        name = f"P{len(self.definitions)}"
        parameters = ", ".join(["c", "m", *self.scope.values()])
        self.definitions.append(f"def {name}({parameters}):\n{statements}    return {value}")
        return f"{name}({parameters})"

    # -- leaves and access

    def literal(self, node: Literal) -> str:
        return self.python(node.value)

    def python(self, value: Any) -> str:
        """A literal as Python: what is no Python literal becomes a constant of the module."""
        if isinstance(value, UInt):
            return self.constant(f"UInt({int(value)})")
        if isinstance(value, Duration | Timestamp):
            return self.constant(f"{type(value).__name__}({value.ns})")
        code = repr(value)
        return f"({code})" if code.startswith("-") else code

    def name(self, node: Name) -> str:
        return self.scope[node.name] if node.name in self.scope else self.root(node.name)

    def root(self, name: str) -> str:
        if name not in self.roots:
            return self.constant(f"TypeValue({name!r})")
        return f"c.{name}" if name.isidentifier() and not iskeyword(name) else f"getattr(c, {name!r})"

    def select(self, node: Select) -> str:
        if node.root:
            return self.root(node.root)
        holder = self.emit(node.operand)
        absent = field_type(node.operand, node.field).nullable
        if node.test:
            test = "has_value" if absent or node.operand.type.nullable else "has_field"
            return f"{test}({holder}, {node.field!r})"
        return f"{'select_optional' if absent else 'select'}({holder}, {node.field!r}, {_path(node)!r})"

    def index(self, node: Index) -> str:
        if node.type.nullable and isinstance(node.key, Literal) and node.operand.type.plain.kind == "record":
            return f"select_optional({self.emit(node.operand)}, {node.key.value!r}, {str(node.key.value)!r})"
        return f"index({self.emit(node.operand)}, {self.emit(node.key)})"

    # -- operators

    def unary(self, node: Unary) -> str:
        return f"{'negation' if node.op == '!' else 'negate'}({self.emit(node.operand)})"

    def chain(self, node: Chain) -> str:
        steps = [(op, left, right) for (op, right), left in zip(node.rest, chain_types(node), strict=False)]
        if len(steps) > LONG_CHAIN:
            return self._long_chain(node, steps)
        value = ""
        first: Node | None = node.first
        for operator, left, right in steps:
            value = self.binary(operator, first, value, left, right)
            first = None
        return value

    def _long_chain(self, node: Chain, steps: list[tuple[str, Type, Node]]) -> str:
        """One statement an operator: nesting them would be as deep as the chain is long."""
        lines = [f"    v = {self.emit(node.first)}\n"]
        for operator, left, right in steps:
            lines.append(f"    v = {self.binary(operator, None, 'v', left, right)}\n")
        return self.lifted("v", "".join(lines))

    def binary(self, operator: str, first: Node | None, value: str, left: Type, right: Node) -> str:
        """One operator.

        Args:
            operator: Its symbol.
            first: The node on its left; None where that is an earlier part of the chain.
            value: The code of that part. A node is turned into code once: twice at every level would
                be exponential.
            left: The type on its left.
            right: The node on its right.
        """
        one = self.emit(first) if first is not None else value
        one, other = self.weighed(operator, first, one, left, right)
        code = f"{FUNCTIONS[operator]}({one}, {other})"
        return self.paid(code) if operator == "+" else code

    def weighed(self, operator: str, first: Node | None, value: str, left: Type, right: Node) -> tuple[str, str]:
        """Both operands; inside a macro those that take time to read are paid for."""
        other = self.emit(right)
        if isinstance(right, Literal) or isinstance(first, Literal):
            return value, other
        if operator != "in" and not (first is None and operator in ("==", "!=")):
            value = self.paid_if(left, value)
        return value, self.paid_if(right.type, other)

    def paid(self, code: str) -> str:
        return f"m.paid({code})" if self.inside else code

    def paid_if(self, type_: Type, code: str) -> str:
        return self.paid(code) if type_.plain.kind in _OF_LENGTH else code

    def logical(self, node: Logical) -> str:
        operands = ", ".join(f"lambda: {self.emit(operand)}" for operand in node.operands)
        return f"{'every' if node.op == '&&' else 'some'}({operands})"

    def condition(self, node: Node) -> str:
        return f"truth({self.emit(node)})"

    def conditional(self, node: Conditional) -> str:
        return f"({self.emit(node.then)} if {self.condition(node.condition)} else {self.emit(node.otherwise)})"

    # -- lists, maps, macros

    def items(self, node: ListOf) -> str:
        return self.paid(f"[{', '.join(map(self.emit, node.items))}]")

    def entries(self, node: MapOf) -> str:
        entries = "".join(f"({self.emit(key)}, {self.emit(value)}), " for key, value in node.entries)
        return self.paid(f"make_map(({entries}))")

    def comprehension(self, node: Comprehension) -> str:
        elements = f"m.elements({self.emit(node.range)})"
        return self._scoped(node.variable, lambda variable: self.macro(node, elements, variable))

    def _scoped(self, name: str, body: Callable[[str], str]) -> str:
        outer = self.scope
        variable = f"x{len(outer) + 1}"
        while variable in outer.values():
            variable += "_"
        self.scope = {**outer, name: variable}
        self.inside += 1
        code = body(variable)
        self.inside -= 1
        self.scope = outer
        return code

    def macro(self, node: Comprehension, elements: str, variable: str) -> str:
        """A macro whose elements and variable are known; the scope is that of its body."""
        condition = self.condition(node.condition) if node.condition else ""
        if node.kind in ("all", "exists", "exists_one"):
            function = {"all": "all_of", "exists": "exists_in", "exists_one": "one_of"}[node.kind]
            return f"{function}({elements}, lambda {variable}: {condition})"
        value = self.emit(node.result) if node.result else variable
        return f"[{value} for {variable} in {elements}{f' if {condition}' if condition else ''}]"

    def bind(self, node: Bind) -> str:
        value = self.emit(node.value)
        return self._scoped(node.variable, lambda variable: f"(lambda {variable}: {self.emit(node.body)})({value})")

    # -- calls

    def call(self, node: Call) -> str:
        if node.declared is not None:
            return self.declared(node, node.declared.called)
        if node.signature is None:
            raise AssertionError(f"{node.function} was not checked")
        runtime = node.signature.runtime
        if node.folded is not None and runtime != "matches":
            return self.python(node.folded)
        return self.standard(node, runtime)

    def standard(self, node: Call, runtime: str) -> str:
        code = f"{runtime}({', '.join(self.arguments(node, free=runtime in _FREE))})"
        return self.paid_if(node.type, code)

    def arguments(self, node: Call, free: bool) -> list[str]:
        nodes = [*([node.target] if node.target else []), *node.args]
        codes = [(one, self.emit(one)) for one in nodes]
        return [code if free or isinstance(one, Literal) else self.paid_if(one.type, code) for one, code in codes]

    def declared(self, node: Call, method: str) -> str:
        """The call of a method of the context."""
        return f"ask({', '.join([repr(node.function), f'c.{method}', *self.questions(node)])})"

    def questions(self, node: Call) -> list[str]:
        """The arguments of a declared function; what the static types leave open is decided before it is called."""
        arguments = []
        for argument, wanted in zip(node.args, node.parameters, strict=True):
            code = self.emit(argument)
            given = argument.type
            if (given.kind == "dyn" or given.nullable) and wanted.kind not in ("dyn", "nullable", "var"):
                code = f"expected({code}, {wanted.kind!r})"
            arguments.append(code)
        return arguments


def chain_types(node: Chain) -> list[Type]:
    """The type to the left of each operator of a chain."""
    return [node.first.type, *node.types]


def field_type(holder: Node, field: str) -> Type:
    """The declared type of a field, `dyn` where none is."""
    record = holder.type.plain
    return record.fields.get(field, DYN)


def _is_metered(node: Node) -> bool:
    return isinstance(node, Comprehension | Bind) or any(map(_is_metered, children(node)))


def _path(node: Node) -> str:
    """How the source names a field, as far as it is names: `event.cart.total`, `[...].total`."""
    parts: list[str] = []
    while isinstance(node, Select):
        parts.append(node.field)
        node = node.operand
    return ".".join([node.name if isinstance(node, Name) else "(...)", *reversed(parts)])


_EMITTERS: Final[dict[type[Node], Callable[[Any, Any], str]]] = {
    Literal: lambda generator, node: generator.literal(node),
    Name: lambda generator, node: generator.name(node),
    Select: lambda generator, node: generator.select(node),
    Index: lambda generator, node: generator.index(node),
    Unary: lambda generator, node: generator.unary(node),
    Chain: lambda generator, node: generator.chain(node),
    Logical: lambda generator, node: generator.logical(node),
    Conditional: lambda generator, node: generator.conditional(node),
    ListOf: lambda generator, node: generator.items(node),
    MapOf: lambda generator, node: generator.entries(node),
    Comprehension: lambda generator, node: generator.comprehension(node),
    Bind: lambda generator, node: generator.bind(node),
    Call: lambda generator, node: generator.call(node),
}
