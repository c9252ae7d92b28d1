"""Finds the type of every node, and every name, field and function that cannot be right."""

from collections.abc import Callable
from typing import Any, Final

from orchestrator.language.cel import overloads
from orchestrator.language.cel.environment import Environment, Function
from orchestrator.language.cel.errors import CelError, CelTypeError
from orchestrator.language.cel.nearest import did_you_mean
from orchestrator.language.cel.operators import binary
from orchestrator.language.cel.runtime import text, times
from orchestrator.language.cel.signatures import STANDARD, TYPE_IDENTIFIERS, VARIADIC
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
)
from orchestrator.language.cel.types import (
    BOOL,
    DYN,
    INT,
    NUMERIC,
    STRING,
    TYPE,
    UINT,
    Bindings,
    Type,
    accepts,
    list_of,
    map_of,
    resolve,
    same_or_dyn,
    type_of_value,
)
from orchestrator.language.cel.values import UInt
from orchestrator.language.cel.wording import article, bool_hint, text_hint, time_hint, unfit_hint


class Checker:
    """One pass over one tree; writes `type`, and what calls and dotted names mean, into the nodes."""

    def __init__(self, source: str, environment: Environment) -> None:
        self.source = source
        self.environment = environment
        self.scope: dict[str, Type] = {}

    def check(self, node: Node) -> Type:
        """The type of a node.

        Raises:
            CelTypeError: At the first thing in it that cannot be right; never where the environment is not strict.
        """
        try:
            node.type = _RULES[type(node)](self, node)
        except CelTypeError as problem:
            if self.environment.strict:
                raise
            node.problem = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
            node.type = DYN
        return node.type

    def result(self, tree: Node, expected: Type | None) -> None:
        """The type of the whole, which must fit where the expression stands.

        Raises:
            CelTypeError: Something in it cannot be right, or the whole is of another type.
        """
        given = self.check(tree)
        if expected is not None and self.environment.strict and not accepts(expected, given, {}):
            hint = bool_hint(tree) if expected.kind == "bool" else None
            if expected.kind == "timestamp":
                hint = time_hint(tree, "timestamp")
            raise self.problem(tree, f"{article(expected)} is needed here, this is {article(given)}", hint)

    def problem(self, node: Node, message: str, hint: str | None = None) -> CelTypeError:
        return CelTypeError(message, self.source, node.offset, node.end - node.offset, hint)

    # -- names

    def literal(self, node: Literal) -> Type:
        return _LITERALS.get(type(node.value)) or type_of_value(node.value)

    def name(self, node: Name) -> Type:
        if node.name in self.scope:
            return self.scope[node.name]
        node.name = node.name.removeprefix(".")
        found = self._root(node.name)
        if found is not None:
            return found
        dotted = [root for root in self.environment.roots if root.startswith(node.name + ".")]
        if dotted:
            raise self.problem(node, f"`{node.name}` is not complete", f"write `{dotted[0]}`")
        known = [*self.scope, *self.environment.roots]
        message = f"unknown name `{node.name}`"
        if node.name in self.environment.functions or node.name in STANDARD:
            raise self.problem(node, message, f"`{node.name}` is a function: {node.name}(...)")
        raise self.problem(node, message, did_you_mean(node.name, known) or text_hint(node.name, known))

    def _root(self, name: str) -> Type | None:
        if name in self.environment.roots:
            return self.environment.roots[name]
        return TYPE if name in TYPE_IDENTIFIERS else None

    def select(self, node: Select) -> Type:
        if not node.test:
            dotted = self._dotted(node)
            found = self._root(dotted) if dotted else None
            if found is not None:
                node.root = dotted
                return found
        holder = self.check(node.operand)
        found = self._field(node, holder.plain)
        if node.test:
            return BOOL
        return found

    def _dotted(self, node: Node) -> str:
        """`a.b.c` as one text when it is nothing but names, and `a` is no local name."""
        parts: list[str] = []
        while isinstance(node, Select) and not node.test:
            parts.append(node.field)
            node = node.operand
        if not isinstance(node, Name) or node.name in self.scope:
            return ""
        return ".".join([node.name.removeprefix("."), *reversed(parts)])

    def _field(self, node: Select, holder: Type) -> Type:
        if holder.kind == "dyn":
            return DYN
        if holder.kind == "map" and accepts(holder.parameters[0], STRING, {}):
            return holder.parameters[1]
        if holder.kind != "record":
            raise self.problem(node, f"`.{node.field}` asks for a map, this is {article(holder)}")
        found = holder.fields.get(node.field)
        if found is not None or holder.open:
            return found or DYN
        message = f"`{holder.name}` has no field `{node.field}`"
        hint = did_you_mean(node.field, holder.fields)
        problem = CelTypeError(message, self.source, node.end - len(node.field), len(node.field), hint)
        if node.test:
            problem = CelTypeError(message, self.source, node.offset, node.end - node.offset, hint)
        raise problem

    def index(self, node: Index) -> Type:
        holder, key = self.check(node.operand).plain, self.check(node.key).plain
        if holder.kind == "record":
            return self._record_index(node, holder, key)
        if holder.kind == "list":
            if key.kind in NUMERIC or key.kind == "dyn":
                return holder.parameters[0]
            raise self.problem(node.key, f"a list is read by number, this is {article(key)}")
        if holder.kind == "map":
            if accepts(holder.parameters[0], key, {}) or key.kind in NUMERIC:
                return holder.parameters[1]
            raise self.problem(node.key, f"the keys of this map are {holder.parameters[0]}, this is {article(key)}")
        if holder.kind == "dyn":
            return DYN
        raise self.problem(node, f"`[ ]` reads a list or a map, this is {article(holder)}")

    def _record_index(self, node: Index, holder: Type, key: Type) -> Type:
        if key.kind not in ("string", "dyn"):
            raise self.problem(node.key, f"the keys of `{holder.name}` are strings, this is {article(key)}")
        if not isinstance(node.key, Literal):
            return DYN
        found = holder.fields.get(node.key.value)
        if found is not None or holder.open:
            return found or DYN
        message = f"`{holder.name}` has no field `{node.key.value}`"
        raise self.problem(node.key, message, did_you_mean(node.key.value, holder.fields))

    # -- operators

    def unary(self, node: Unary) -> Type:
        given = self.check(node.operand).plain
        if node.op == "!":
            self._bool(node.operand, "`!`")
            return BOOL
        if given.kind in ("int", "double", "dyn"):
            return given
        raise self.problem(node, f"`-` needs a number with a sign, this is {article(given)}")

    def _bool(self, node: Node, asker: str) -> None:
        if self.environment.strict and node.type.plain.kind not in ("bool", "dyn"):
            raise self.problem(node, f"{asker} needs a bool, this is {article(node.type)}", bool_hint(node))

    def chain(self, node: Chain) -> Type:
        left = self.check(node.first)
        node.types = []
        for operator, operand in node.rest:
            right = self.check(operand)
            found = binary(operator, left, right)
            if found is None and not self.environment.strict and operator in ("==", "!=", "in"):
                found = BOOL  # equality of any two values is defined, and what is no container fails when looked into
            if found is None:
                raise self._unfit(node, operator, left, operand)
            node.types.append(found)
            left = found
        return left

    def _unfit(self, node: Chain, operator: str, left: Type, operand: Node) -> CelTypeError:
        right = operand.type
        hint = unfit_hint(operator, left, node.first, operand)
        if operator in ("==", "!="):
            message = f"{article(left)} and {article(right)} are never equal"
        elif operator == "in":
            message = f"`in` cannot find {article(left)} in {article(right)}"
        else:
            message = f"`{operator}` does not take {article(left)} and {article(right)}"
        return CelTypeError(message, self.source, node.offset, operand.end - node.offset, hint)

    def logical(self, node: Logical) -> Type:
        for operand in node.operands:
            self.check(operand)
            self._bool(operand, f"`{node.op}`")
        return BOOL

    def conditional(self, node: Conditional) -> Type:
        self.check(node.condition)
        self._bool(node.condition, "`?`")
        return same_or_dyn([self.check(node.then), self.check(node.otherwise)])

    # -- lists, maps, macros

    def list_(self, node: ListOf) -> Type:
        return list_of(same_or_dyn([self.check(item) for item in node.items]))

    def map_(self, node: MapOf) -> Type:
        keys, values = [], []
        for key, value in node.entries:
            keys.append(self.check(key).plain)
            values.append(self.check(value))
            if keys[-1].kind not in ("string", "int", "uint", "bool", "dyn"):
                raise self.problem(key, f"a map has keys of string, int, uint or bool, this is {article(keys[-1])}")
        return map_of(same_or_dyn(keys), same_or_dyn(values))

    def comprehension(self, node: Comprehension) -> Type:
        range_ = self.check(node.range).plain
        element = _element(range_)
        if element is None:
            raise self.problem(node.range, f"`{node.kind}` goes through a list or a map, this is {article(range_)}")
        return self._with_variable(node.variable, element, lambda: self._body(node, element))

    def _with_variable(self, name: str, type_: Type, body: Callable[[], Type]) -> Type:
        outer = self.scope
        self.scope = {**outer, name: type_}
        try:
            return body()
        finally:
            self.scope = outer

    def _body(self, node: Comprehension, element: Type) -> Type:
        if node.condition is not None:
            self.check(node.condition)
            self._bool(node.condition, f"`{node.kind}`")
        if node.result is not None:
            return list_of(self.check(node.result))
        return list_of(element) if node.kind == "filter" else BOOL

    def bind(self, node: Bind) -> Type:
        return self._with_variable(node.variable, self.check(node.value), lambda: self.check(node.body))

    # -- calls

    def call(self, node: Call) -> Type:
        self._qualify(node)
        function = self.environment.functions.get(node.function)
        if function is not None and node.target is None:
            return self._declared(node, function)
        signatures = STANDARD.get(node.function)
        if not signatures:
            raise overloads.unknown_function(node, self.source, self.environment.functions)
        style = [one for one in signatures if (one.method if node.target else one.plain)]
        if not style:
            raise overloads.wrong_style(node, self.source)
        arguments = [*([node.target] if node.target else []), *node.args]
        given = [self.check(argument) for argument in arguments]
        fitting = overloads.fitting(style, given, variadic=node.function in VARIADIC)
        if not fitting:
            ways = [overloads.way(node.function, one.parameters, one.method) for one in style]
            raise overloads.called_wrongly(node, self.source, given, ways)
        node.signature = fitting[0][0]
        self._fold(node, arguments)
        return same_or_dyn([result for _, result in fitting])

    def _fold(self, node: Call, arguments: list[Node]) -> None:
        """What can be known of a call with literals is known, or refused, before anything runs."""
        last = arguments[-1]
        check = _FOLDED.get(node.signature.runtime) if node.signature else None
        if check is None or not isinstance(last, Literal) or type(last.value) is not str:
            return
        try:
            found = check(last.value)
        except CelError as error:
            raise self.problem(last, str(error)) from None
        if len(arguments) == 1:
            node.folded = found

    def _qualify(self, node: Call) -> None:
        """`math.least(1, 2)` is a function with a dotted name, unless `math` is something here."""
        dotted = self._dotted(node.target) if node.target else ""
        name = f"{dotted}.{node.function}"
        if dotted and (name in STANDARD or name in self.environment.functions):
            node.target, node.function = None, name

    def _declared(self, node: Call, function: Function) -> Type:
        given = [self.check(argument) for argument in node.args]
        for overload in function.overloads:
            parameters = overload.parameters
            if function.variadic and parameters:
                parameters = parameters[:-1] + parameters[-1:] * max(0, len(given) - len(parameters) + 1)
            bindings: Bindings = {}
            if len(parameters) == len(given) and all(map(accepts, parameters, given, [bindings] * len(given))):
                node.declared, node.parameters = function, parameters
                return resolve(overload.result, bindings)
        raise overloads.called_wrongly(node, self.source, given, overloads.declared_ways(function))


def _element(range_: Type) -> Type | None:
    if range_.kind in ("list", "map"):
        return range_.parameters[0]
    if range_.kind == "record":
        return STRING
    return DYN if range_.kind == "dyn" else None


_FOLDED: Final[dict[str, Callable[[str], Any]]] = {
    "to_duration": times.parse_duration,
    "to_timestamp": times.parse_timestamp,
    "matches": text.pattern,
}
_LITERALS: Final[dict[type, Type]] = {UInt: UINT, int: INT}
_RULES: Final[dict[type[Node], Callable[[Checker, Any], Type]]] = {
    Literal: Checker.literal, Name: Checker.name, Select: Checker.select, Index: Checker.index,
    Unary: Checker.unary, Chain: Checker.chain, Logical: Checker.logical, Conditional: Checker.conditional,
    ListOf: Checker.list_, MapOf: Checker.map_, Comprehension: Checker.comprehension, Bind: Checker.bind,
    Call: Checker.call,
}  # fmt: skip
