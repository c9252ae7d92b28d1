"""Which way of calling a function is meant, and what to say when there is none."""

from collections.abc import Iterable, Mapping

from orchestrator.language.cel.environment import Function
from orchestrator.language.cel.errors import CelTypeError
from orchestrator.language.cel.nearest import did_you_mean
from orchestrator.language.cel.signatures import STANDARD, Signature
from orchestrator.language.cel.syntax import Call, Name
from orchestrator.language.cel.types import Bindings, Type, accepts, resolve

_ELSEWHERE = {
    "len": "size(...)",
    "length": "size(...)",
    "lower": "value.lowerAscii(), or fold(...)",
    "tolower": "value.lowerAscii(), or fold(...)",
    "upper": "value.upperAscii()",
    "toupper": "value.upperAscii()",
    "includes": "value.contains(...), or `in` for a list",
    "strip": "value.trim()",
    "today": "local(now).date",
    "date": 'timestamp("2026-12-24T00:00:00Z")',
    "round": "math.round(...)",
    "floor": "math.floor(...)",
    "ceil": "math.ceil(...)",
    "abs": "math.abs(...)",
    "min": "math.least(...)",
    "max": "math.greatest(...)",
    "any": "list.exists(x, ...)",
}
"""What other languages call a function, in small letters → how it is written here."""
_MACROS = ("all", "exists", "exists_one", "map", "filter")


def fitting(ways: list[Signature], given: list[Type], variadic: bool) -> list[tuple[Signature, Type]]:
    """The signatures that take the given types with their results; one alone if it fits to the letter."""
    found: list[tuple[Signature, Type]] = []
    for way in ways:
        parameters = way.parameters * len(given) if variadic else way.parameters
        bindings: Bindings = {}
        if len(parameters) != len(given) or not all(
            accepts(wanted, one, {} if variadic else bindings) for wanted, one in zip(parameters, given, strict=True)
        ):
            continue
        result = resolve(way.result, bindings)
        if all(wanted.kind in (one.plain.kind, "var") for wanted, one in zip(parameters, given, strict=True)):
            return [(way, result)]
        found.append((way, result))
    return found


def way(name: str, parameters: tuple[Type, ...], method: bool = False) -> str:
    types = [str(one) for one in parameters]
    return f"{types[0]}.{name}({', '.join(types[1:])})" if method else f"{name}({', '.join(types)})"


def declared_ways(function: Function) -> list[str]:
    """How a declared function is called, its arguments by name where they have one: `stock(sku: string)`."""
    ways = []
    for overload in function.overloads:
        types = [str(one) for one in overload.parameters]
        named = [f"{name}: {type_}" for name, type_ in zip(function.names, types, strict=False)]
        ways.append(f"{function.name}({', '.join([*named, *types[len(named) :]])})")
    return ways


def unknown_function(node: Call, source: str, functions: Mapping[str, Function]) -> CelTypeError:
    """No function has this name."""
    if isinstance(node.target, Name) and any(known.startswith(f"{node.target.name}.") for known in STANDARD):
        name = f"{node.target.name}.{node.function}"
        hint = did_you_mean(name, STANDARD)
        return CelTypeError(f"unknown function `{name}`", source, node.offset, len(name), hint)
    style = {name for name, ways in STANDARD.items() if any(one.method if node.target else one.plain for one in ways)}
    other = _ELSEWHERE.get(node.function.lower())
    if other is not None:
        message = f"unknown function `{node.function}`"
        return CelTypeError(message, source, node.name_offset, len(node.function), f"here that is {other}")
    known = style | set(_MACROS) if node.target else style | set(functions) | {"has"}
    hint = did_you_mean(node.function, sorted(known))
    if node.target and node.function in functions:
        hint = f"write {node.function}(...)"
    return CelTypeError(f"unknown function `{node.function}`", source, node.name_offset, len(node.function), hint)


def wrong_style(node: Call, source: str) -> CelTypeError:
    """`f(a)` where only `a.f()` exists, or the other way round."""
    hint = f"write {node.function}(...)" if node.target else f"write value.{node.function}(...)"
    message = f"`{node.function}` is not called like this"
    return CelTypeError(message, source, node.name_offset, len(node.function), hint)


def called_wrongly(node: Call, source: str, given: list[Type], ways: Iterable[str]) -> CelTypeError:
    """The function exists, but does not take arguments of these types."""
    types = ", ".join(map(str, given)) if given else "nothing"
    message = f"`{node.function}` does not take ({types})"
    hint = "write " + " or ".join(dict.fromkeys(ways))
    return CelTypeError(message, source, node.name_offset, len(node.function), hint)
