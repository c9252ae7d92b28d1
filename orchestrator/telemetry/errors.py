"""Errors as log lines tell them: what kind, and where; what an error says only where nobody's data can be in it.

A `KeyError` quotes its key, a decoder its input, a mail server its recipient: with a customer's record in hand, that is
a customer's. The traceback shows lines of code, which quote nobody.
"""

from __future__ import annotations

import ssl
import traceback
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterator

_WORDED_BY_US: Final = ("orchestrator.stream", "orchestrator.delivery", "orchestrator.gateway", "orchestrator.cli")
"""Packages whose errors are worded for operators. The pure ones word theirs for authors, and may quote a value."""
_WORDED_FOR_OPERATORS: Final = (*_WORDED_BY_US, "aiokafka.errors")
_OF_THE_SYSTEM: Final = frozenset({"builtins", "socket", ssl.SSLError.__module__})
_BEHIND: Final = "\nThat was the reason for the next one:\n"
_BEFORE: Final = "\nWhile that one was handled came the next one:\n"


def told(error: BaseException) -> str:
    """An error's kind, and its text where that cannot quote a customer."""
    kind = type(error)
    text = " ".join(str(error).split()) if _is_for_operators(kind, error) else ""
    return f"{kind.__name__}: {text}" if text else kind.__name__


def traced(error: BaseException) -> str:
    """The traceback of an error and of those behind it, the first one first."""
    return "".join(_chain(error, set())).rstrip()


def words(record: logging.LogRecord) -> str:
    """The message of a log record, in which errors are told and not quoted."""
    if record.name == "asyncio":  # its own lists what it has at hand, the error's text among it
        return record.getMessage().partition("\n")[0]
    given = record.args
    if not given:
        return record.getMessage()
    if isinstance(given, tuple):
        return str(record.msg) % tuple(_harmless(each) for each in given)
    return str(record.msg) % {name: _harmless(each) for name, each in given.items()}


class _Told(str):
    """Text that stands in a message as it is, whether that asks for `%s` or for `%r`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _harmless(value: object) -> object:
    return _Told(told(value)) if isinstance(value, BaseException) else value


def _is_for_operators(kind: type[BaseException], error: BaseException) -> bool:
    if isinstance(error, OSError) and kind.__module__ in _OF_THE_SYSTEM:
        return True
    return kind.__module__.startswith(_WORDED_FOR_OPERATORS)


def _chain(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if behind is not None and id(behind) not in seen:
        yield from _chain(behind, seen)
        yield _BEHIND if error.__cause__ is not None else _BEFORE
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield told(error) + "\n"
    for each in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        if id(each) not in seen:
            yield "\nOne of those in it:\n"
            yield from _chain(each, seen)
