"""What a plain scalar means: the core schema of YAML 1.2, and nothing of 1.1."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.language.source.nodes import Scalar

_INT = re.compile(r"[-+]?\d+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_WORDS: dict[str, bool | float] = {
    "true": True,
    "false": False,
    ".inf": math.inf,
    "+.inf": math.inf,
    "-.inf": -math.inf,
    ".nan": math.nan,
}
_NUMBER_STARTS = frozenset("+-.0123456789")


def is_null(scalar: Scalar) -> bool:
    """True for nothing, `~` and `null`, unquoted."""
    return scalar.plain and scalar.text in _NULLS


def plain_value(scalar: Scalar) -> str | int | float | bool | None:
    """The value of a scalar: only `true` and `false` are booleans; `on`, `08:00`, `1_000` are text."""
    text = scalar.text
    if not scalar.plain:
        return text
    if text in _NULLS:
        return None
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMBER_STARTS else text


def _number(text: str) -> str | int | float:
    if len(text) > 400:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _OCTAL.fullmatch(text):
        return int(text, 8)
    if _HEX.fullmatch(text):
        return int(text, 16)
    return text


def is_quoted_number(node: Scalar) -> bool:
    """Whether quotes make a text of what would be a number."""
    return not node.plain and node.text[:1] in _NUMBER_STARTS and not isinstance(_number(node.text), str)
