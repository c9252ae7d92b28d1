"""Functions on strings: CEL's own, its strings extension, and `fold`. Every one is total over any types."""

import functools
import unicodedata
from collections.abc import Callable
from typing import Any, Final

import re2

from orchestrator.language.cel.errors import CelError
from orchestrator.language.cel.limits import MAX_ITEMS, MAX_PATTERN, MAX_TEXT
from orchestrator.language.cel.runtime.failures import no_overload, too_large

_SPACES: Final = "".join(
    ["\t\n\v\f\r \x85\xa0\u1680", *map(chr, range(0x2000, 0x200B)), "\u2028\u2029\u202f\u205f\u3000"]
)


def _on(name: str, *types: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Refuse arguments of other types; a shorter call leaves the last ones to their defaults."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def checked(*values: Any) -> Any:
            if not all(type(value) is wanted for value, wanted in zip(values, types, strict=False)):
                raise no_overload(name, *values)
            return function(*values)

        return checked

    return decorate


def _bounded(text: str) -> str:
    if len(text) > MAX_TEXT:
        raise too_large("this text", MAX_TEXT)
    return text


@_on("contains", str, str)
def contains(text: str, part: str) -> bool:
    return part in text


@_on("startsWith", str, str)
def starts_with(text: str, part: str) -> bool:
    return text.startswith(part)


@_on("endsWith", str, str)
def ends_with(text: str, part: str) -> bool:
    return text.endswith(part)


@functools.lru_cache(maxsize=1024)
def pattern(source: str) -> Any:
    """A compiled regular expression.

    Raises:
        CelError: It is longer than the limit, or none that RE2 knows.
    """
    if len(source) > MAX_PATTERN:
        raise CelError(f"a regular expression has at most {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(source, options)
    except re2.error as error:
        detail = error.args[0] if error.args else ""
        reason = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
        raise CelError(f"not a regular expression: {reason}") from None


@_on("matches", str, str)
def matches(text: str, regex: str) -> bool:
    """Whether the regular expression matches anywhere in the text."""
    return search(pattern(regex), text)


def search(compiled: Any, text: Any) -> bool:
    """Whether a compiled regular expression matches anywhere in a text."""
    if type(text) is not str:
        raise no_overload("matches", text)
    try:
        return compiled.search(text) is not None
    except UnicodeEncodeError:
        raise CelError("a text with half a surrogate pair matches nothing") from None


@_on("charAt", str, int)
def char_at(text: str, at: int) -> str:
    if at == len(text):
        return ""
    return text[_place(text, at)]


def _place(text: str, at: int) -> int:
    if 0 <= at <= len(text):
        return at
    raise CelError(f"place {at} is outside of the text, which has {len(text)} characters")


@_on("indexOf", str, str, int)
def index_of(text: str, part: str, start: int = 0) -> int:
    return text.find(part, _place(text, start))


@_on("lastIndexOf", str, str, int)
def last_index_of(text: str, part: str, start: int | None = None) -> int:
    """The last place of the part, at `start` at the latest; -1 when there is none."""
    if start is None:
        return text.rfind(part)
    return text.rfind(part, 0, _place(text, start) + len(part))


def join(parts: Any, separator: Any = "") -> str:
    """`["a", "b"].join(", ")`."""
    if not isinstance(parts, (list, tuple)) or type(separator) is not str:
        raise no_overload("join", parts, separator)
    if not all(type(part) is str for part in parts):
        raise CelError("`join` takes a list of strings only")
    if sum(map(len, parts)) + len(separator) * len(parts) > MAX_TEXT:
        raise too_large("this text", MAX_TEXT)
    return separator.join(parts)


_LOWER: Final = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
_UPPER: Final = {lower: lower - 32 for lower in range(ord("a"), ord("z") + 1)}


@_on("lowerAscii", str)
def lower_ascii(text: str) -> str:
    return _bounded(text).translate(_LOWER)


@_on("upperAscii", str)
def upper_ascii(text: str) -> str:
    return _bounded(text).translate(_UPPER)


@_on("replace", str, str, str, int)
def replace(text: str, old: str, new: str, count: int = -1) -> str:
    places = text.count(old) if count < 0 else min(count, text.count(old))
    if len(text) + places * (len(new) - len(old)) > MAX_TEXT:
        raise too_large("this text", MAX_TEXT)
    return text.replace(old, new, max(count, -1))


@_on("reverse", str)
def reverse(text: str) -> str:
    return _bounded(text)[::-1]


@_on("split", str, str, int)
def split(text: str, separator: str, limit: int = -1) -> list[str]:
    """The parts between separators, at most `limit` of them; an empty separator gives the characters."""
    if limit == 0:
        return []
    pieces = max(limit - 1, -1)
    if separator:
        parts = text.split(separator, min(pieces, MAX_ITEMS) if pieces >= 0 else MAX_ITEMS)
    elif 0 <= pieces < len(text):
        parts = [*text[:pieces], text[pieces:]]
    else:
        parts = list(text[: MAX_ITEMS + 1])
    if len(parts) > MAX_ITEMS:
        raise too_large("this list", MAX_ITEMS)
    return parts


@_on("substring", str, int, int)
def substring(text: str, start: int, end: int | None = None) -> str:
    stop = len(text) if end is None else _place(text, end)
    if _place(text, start) > stop:
        raise CelError(f"`substring` would end at {stop}, before it starts at {start}")
    return text[start:stop]


@_on("trim", str)
def trim(text: str) -> str:
    return text.strip(_SPACES)


@_on("fold", str)
def fold(text: str) -> str:
    """Lower case, accents removed, single spaces: for comparing what people wrote."""
    parts = unicodedata.normalize("NFKD", _bounded(text).lower())
    plain = "".join(one for one in parts if not unicodedata.combining(one))
    return " ".join(plain.split())
