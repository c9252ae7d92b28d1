"""Source text to tokens."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from orchestrator.language.cel.errors import CelSyntaxError
from orchestrator.language.cel.limits import INT_MAX, MAX_SOURCE, UINT_MAX
from orchestrator.language.cel.values import UInt


class Token(NamedTuple):
    """One token: kind is `name`, `quoted name`, `literal`, `end`, or the operator itself; value is a literal's."""

    kind: str
    text: str
    offset: int
    value: Any = None


RESERVED: Final = frozenset(
    [
        *("as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"),
        *("package", "namespace", "return", "var", "void", "while"),
    ]
)
WORDS: Final[dict[str, Any]] = {"true": True, "false": False, "null": None}

_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n\f]+ | //[^\n]*)
    | (?P<string>[rR]?[bB]?(?:'''|\"\"\"|'|")|[bB][rR](?:'''|\"\"\"|'|"))
    | (?P<double>(?:[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)(?![0-9A-Za-z_]))
    | (?P<integer>(?:0[xX][0-9a-fA-F]+|[0-9]+)[uU]?(?![0-9A-Za-z_]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
    | (?P<operator>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]{}])
    """,
    re.VERBOSE,
)
_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))",
)
_DURATION: Final = re.compile(r"(?:\d+(?:ms|[wdhms]))+\b")
_SIMPLE: Final = dict(zip("abfnrtv\\?\"'`", "\a\b\f\n\r\t\v\\?\"'`", strict=True))

_SLIPS: Final = {
    "=": "CEL compares with `==`",
    "&": "CEL writes `&&`",
    "|": "CEL writes `||`",
    "\u201c": 'write a straight quote: "',
    "\u201d": 'write a straight quote: "',
    "\u2018": "write a straight quote: '",
    "\u2019": "write a straight quote: '",
}


def tokens_of(source: str) -> list[Token]:
    """All tokens of an expression, the last is `end`.

    Raises:
        CelSyntaxError: At the first character that begins no token, or when the source is too long.
    """
    if len(source) > MAX_SOURCE:
        raise CelSyntaxError(
            f"an expression has at most {MAX_SOURCE} characters, this one has {len(source)}", source, 0
        )
    tokens: list[Token] = []
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise _unknown(source, at)
        kind = str(found.lastgroup)
        if kind == "string":
            token, at = _string(source, at, found.group())
            tokens.append(token)
            continue
        if kind != "space":
            tokens.append(_token(source, kind, found.group(), at))
        at = found.end()
    tokens.append(Token("end", "", len(source)))
    return tokens


def _unknown(source: str, at: int) -> CelSyntaxError:
    character = source[at]
    amount = _DURATION.match(source, at)
    if amount is not None:
        message = "a duration stands in quotes"
        return CelSyntaxError(message, source, at, len(amount[0]), f'write duration("{amount[0]}")')
    if character.isdigit():
        return CelSyntaxError("this number is not well formed", source, at)
    hint = _SLIPS.get(character)
    if character.isalpha():
        hint = f'names have a-z, 0-9 and `_` here: read this one as `x["{_word(source, at)}"]`'
    return CelSyntaxError(f"unexpected character {character!r}", source, at, hint=hint)


def _word(source: str, at: int) -> str:
    """The word around a letter that no name may have."""
    before = re.search(r"\w*\Z", source[:at])
    after = re.match(r"\w*", source[at:])
    return f"{before[0] if before else ''}{after[0] if after else ''}"


def _token(source: str, kind: str, text: str, at: int) -> Token:
    if kind == "operator":
        return Token(text, text, at)
    if kind == "quoted":
        return Token("quoted name", text[1:-1], at)
    if kind == "double":
        return Token("literal", text, at, _double(source, text, at))
    if kind == "integer":
        return Token("literal", text, at, _integer(source, text, at))
    if text in WORDS:
        return Token("literal", text, at, WORDS[text])
    return Token("name", text, at)


def _double(source: str, text: str, at: int) -> float:
    value = float(text)
    if value == float("inf"):
        raise CelSyntaxError("this number does not fit a double", source, at, len(text))
    return value


def _integer(source: str, text: str, at: int) -> int:
    digits = text.rstrip("uU")
    if len(digits) > 20:  # no 64-bit number is longer; and int() of very long text is slow
        raise CelSyntaxError("this number does not fit 64 bits", source, at, len(text))
    value = int(digits, 16) if digits[:2] in ("0x", "0X") else int(digits)
    if digits is not text and len(digits) < len(text):
        if value > UINT_MAX:
            raise CelSyntaxError("this number does not fit an unsigned 64-bit integer", source, at, len(text))
        return UInt(value)
    if value > INT_MAX + 1:  # the one above the maximum is right after a minus; the parser refuses it elsewhere
        raise CelSyntaxError("this number does not fit a signed 64-bit integer", source, at, len(text))
    return value


def _string(source: str, at: int, opening: str) -> tuple[Token, int]:
    quote = opening.lstrip("rRbB")
    prefix = opening[: len(opening) - len(quote)].lower()
    raw = "r" in prefix
    start = at + len(opening)
    end = _closing(source, start, quote, raw)
    if end < 0:
        raise CelSyntaxError("this string is not closed", source, at, len(opening), f"add {quote} at its end")
    body = source[start:end]
    stop = end + len(quote)
    value: Any
    if "b" in prefix:
        value = body.encode() if raw else _bytes(source, body, start)
    else:
        value = body if raw else _text(source, body, start)
    return Token("literal", source[at:stop], at, value), stop


def _closing(source: str, start: int, quote: str, raw: bool) -> int:
    at = start
    while at < len(source):
        if source.startswith(quote, at):
            return at
        character = source[at]
        if character in "\r\n" and len(quote) == 1:
            return -1
        at += 2 if character == "\\" and not raw else 1
    return -1


def _text(source: str, body: str, start: int) -> str:
    if "\\" not in body:
        return body
    parts: list[str] = []
    for at, code, character in _pieces(source, body, start):
        if code is not None and (code > 0x10FFFF or 0xD800 <= code <= 0xDFFF):
            raise CelSyntaxError("no character has this number", source, start + at, 2)
        parts.append(character if code is None else chr(code))
    return "".join(parts)


def _bytes(source: str, body: str, start: int) -> bytes:
    parts: list[bytes] = []
    for at, code, character in _pieces(source, body, start):
        if code is not None and body[at + 1] in "uU":
            raise CelSyntaxError("bytes know \\x41 and \\101, not \\u0041", source, start + at, 2)
        parts.append(character.encode() if code is None else bytes([code]))
    return b"".join(parts)


def _pieces(source: str, body: str, start: int) -> list[tuple[int, int | None, str]]:
    """The body as (place, number of an escape or None, plain text)."""
    pieces: list[tuple[int, int | None, str]] = []
    at = 0
    while at < len(body):
        stop = body.find("\\", at)
        if stop != at:
            stop = len(body) if stop < 0 else stop
            pieces.append((at, None, body[at:stop]))
            at = stop
            continue
        found = _ESCAPE.match(body, at)
        if found is None:
            hint = "write \\\\ for a backslash, or a raw string: r'...'"
            raise CelSyntaxError("unknown escape in a string", source, start + at, 2, hint)
        simple, *numbers, octal = found.groups()
        number = next((int(one, 16) for one in numbers if one), None)
        if octal:
            number = int(octal, 8)
        pieces.append((at, number, _SIMPLE.get(simple or "", "")))
        at = found.end()
    return pieces
