"""Calls that are not calls: `has`, the macros over lists and maps, `cel.bind`."""

from __future__ import annotations

from typing import Final

from orchestrator.language.cel.errors import CelSyntaxError
from orchestrator.language.cel.syntax import Bind, Call, Comprehension, Name, Node, Select

_KINDS: Final = {
    "all": "all",
    "exists": "exists",
    "exists_one": "exists_one",
    "existsOne": "exists_one",
    "filter": "filter",
    "map": "map",
}


def expand(call: Call, source: str) -> Node:
    """The call itself, or what the macro of that name means.

    Raises:
        CelSyntaxError: The arguments are not those of the macro.
    """
    if call.target is None:
        return _has(call, source) if call.function == "has" else call
    if call.function in _KINDS and len(call.args) == (call.function == "map" and len(call.args) == 3) + 2:
        return _comprehension(call, call.target, source)
    if call.function == "bind" and isinstance(call.target, Name) and call.target.name == "cel":
        return _bind(call, source)
    return call


def _has(call: Call, source: str) -> Node:
    argument = call.args[0] if len(call.args) == 1 else None
    if not isinstance(argument, Select) or argument.test:
        raise _problem(call, source, "`has` asks for a field", "write has(event.price)")
    argument.test = True
    argument.offset, argument.end = call.offset, call.end
    return argument


def _comprehension(call: Call, target: Node, source: str) -> Node:
    kind = _KINDS[call.function]
    variable = _variable(call, source)
    condition: Node | None = call.args[1]
    result: Node | None = None
    if kind == "map":
        result = call.args[-1]
        condition = call.args[1] if len(call.args) == 3 else None
    return Comprehension(kind, target, variable, condition, result, offset=call.offset, end=call.end)


def _bind(call: Call, source: str) -> Node:
    if len(call.args) != 3:
        raise _problem(call, source, "`cel.bind` takes a name, a value and an expression", "cel.bind(x, 1 + 1, x * x)")
    return Bind(_variable(call, source), call.args[1], call.args[2], offset=call.offset, end=call.end)


def _variable(call: Call, source: str) -> str:
    name = call.args[0]
    if isinstance(name, Name) and not name.name.startswith("."):
        return name.name
    example = f"{call.function}(x, ...)"
    message = f"the first argument of `{call.function}` is a name for one element"
    raise CelSyntaxError(message, source, name.offset, name.end - name.offset, f"write {example}")


def _problem(call: Call, source: str, message: str, hint: str) -> CelSyntaxError:
    return CelSyntaxError(message, source, call.name_offset, len(call.function), hint)
