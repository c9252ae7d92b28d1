"""Why a condition was not true: its parts, what each gave, and the values that it read. Only for traces."""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.context import plain
from orchestrator.language.cel import DYN, UNKNOWN, CelError, CelProblem, Environment, Expression, compile_expression
from orchestrator.language.cel.parser import parse
from orchestrator.language.cel.syntax import Logical, Node
from orchestrator.language.spec.scope import functions

if TYPE_CHECKING:
    from orchestrator.engine.context import Context

_FUNCTIONS: Final = functions(DYN)
_METHODS: Final = {function.name: function.called for function in _FUNCTIONS}
_FAULTS: Final = (CelError, LookupError, TypeError, AttributeError, ValueError)


def explained(condition: Expression | None, scope: "Context") -> dict[str, Any]:
    """A condition as a trace shows it.

    Returns:
        `condition`: its text; `parts`: of those joined by `&&` each that is not true, with what it gave (`false`, or
        why it is unknown); `values`: path or call → value, of what these parts read.
    """
    if condition is None:
        return {}
    parts: dict[str, str] = {}
    values: dict[str, Any] = {}
    for part in _parts(condition):
        said = _said(part, scope)
        if said != "true":
            parts[part.source] = said
            values |= _values(part, scope)
    return {"condition": condition.source, "parts": parts, "values": values}


def explained_list(each: Expression, scope: "Context") -> dict[str, Any]:
    """A list that has no element, in the same shape."""
    try:
        each.evaluate(scope)
        said = "empty"
    except CelError as problem:
        said = f"unknown: {problem}"
    return {"condition": each.source, "parts": {each.source: said}, "values": _values(each, scope)}


@lru_cache(maxsize=4096)
def _parts(condition: Expression) -> tuple[Expression, ...]:
    """What `&&` joins, each checked against the same types: they say what `has` means."""
    source, environment = condition.source, Environment(condition.roots, _FUNCTIONS, strict=False)
    found = []
    for node in _operands(parse(source)):
        try:
            found.append(compile_expression(source[node.offset : node.end], environment))
        except CelProblem:
            return (condition,)  # a part in brackets that its text alone does not show
    return tuple(found)


def _operands(node: Node) -> list[Node]:
    if isinstance(node, Logical) and node.op == "&&":
        return [inner for operand in node.operands for inner in _operands(operand)]
    return [node]


def _said(part: Expression, scope: "Context") -> str:
    try:
        return "true" if part.evaluate(scope) is True else "false"
    except CelError as problem:
        return f"unknown: {problem}"


def _values(part: Expression, scope: "Context") -> dict[str, Any]:
    """What a part reads: each path that leads to a value, and each call with written arguments."""
    found: dict[str, Any] = {}
    for path in sorted(part.reads):
        if path != ("now",):
            value = _at(path, scope)
            if not isinstance(value, dict | list) or not value:
                found[".".join(path)] = value
    for call in part.calls:
        if UNKNOWN not in call.args:
            written = ", ".join(repr(one) for one in call.args)
            found[f"{call.name}({written})"] = _answer(call.name, call.args, scope)
    return found


def _at(path: tuple[str, ...], scope: "Context") -> Any:
    try:
        value = getattr(scope, path[0])
        for name in path[1:]:
            value = value[name]
        return plain(value)
    except _FAULTS:
        return None


def _answer(name: str, args: tuple[Any, ...], scope: "Context") -> Any:
    try:
        return plain(getattr(scope, _METHODS.get(name, name))(*args))
    except _FAULTS:
        return None
