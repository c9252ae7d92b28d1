"""Words for types, and hints, in messages about the source."""

from orchestrator.language.cel.syntax import Literal, Node
from orchestrator.language.cel.types import NUMERIC, Type


def article(type_: Type) -> str:
    if type_.kind in ("record", "var", "null", "dyn"):
        return f"`{type_}`"
    return f"{'an' if type_.kind in ('int', 'uint') else 'a'} {type_}"


def text_hint(name: str, known: list[str]) -> str | None:
    return f'a literal text has quotes: "{name}"' if known else None


def bool_hint(node: Node) -> str | None:
    kind = node.type.plain.kind
    if kind == "string":
        return 'compare it: ... != ""'
    if kind in NUMERIC:
        return "compare it: ... > 0"
    return "compare it: size(...) > 0" if kind in ("list", "map") else None


def number_hint(node: Node) -> str | None:
    """For a literal that is a number in quotes."""
    if isinstance(node, Literal) and isinstance(node.value, str) and node.value.replace(".", "", 1).isdecimal():
        return f"a number has no quotes: {node.value}"
    return None


def time_hint(node: Node, kind: str, operator: str = "") -> str | None:
    """For a text, or a number, where a time is needed; `kind` is what stands on the other side of the operator.

    A text beside a duration is a duration where the two are compared, and a moment where one moves the other.
    """
    if isinstance(node, Literal) and isinstance(node.value, str):
        return f'write {kind}("{node.value}")'
    if node.type.plain.kind == "string":
        wanted = "timestamp" if operator in {"+", "-"} else kind
        return f"make a {wanted} of it: {wanted}(...)"
    return 'write timestamp("2026-12-24T00:00:00Z")' if node.type.plain.kind in NUMERIC else None


def unfit_hint(operator: str, left: Type, first: Node, operand: Node) -> str | None:
    """What to write where an operator does not take what stands on its two sides."""
    kinds = {left.plain.kind, operand.type.plain.kind}
    if operator == "+" and "string" in kinds:
        return "make text of it: string(...)"
    if operator == "in" and operand.type.plain.kind == "string":
        return "write [...] for a list, .contains(...) for a part of a text"
    if operator in {"*", "/"} and "duration" in kinds:
        return 'a span of so many hours is duration(string(...) + "h")'
    if kinds & NUMERIC:
        bare = kinds & {"timestamp", "duration"} and operator in {"+", "-"}
        return number_hint(first) or number_hint(operand) or ('say of what: duration("3d")' if bare else None)
    if "string" in kinds and kinds & {"timestamp", "duration"}:
        (kind,) = kinds - {"string"}
        return time_hint(operand if operand.type.plain.kind == "string" else first, kind, operator)
    return None
