"""The values that fields of documents hold, where Python has no plain one for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.cel import Expression


@dataclass(frozen=True, slots=True)
class NameOr:
    """A name, or the expression that gives it at run time. Exactly one of the two is set."""

    name: str | None = None
    expr: Expression | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """Text by language; a plain string stands under the empty language. May hold Liquid."""

    by_language: Mapping[str, str]

    def in_language(self, language: str, default: str) -> str | None:
        """The text for a language, else for the default language, else the plain string, else None."""
        texts = self.by_language
        found = texts.get(language)
        if found is None:
            found = texts.get(default)
        return texts.get("") if found is None else found


@dataclass(frozen=True, slots=True)
class Instant:
    """A moment written in a file.

    Attributes:
        ms: Milliseconds since the epoch, UTC. When `local`, the clock on the wall read as if it were UTC.
        local: True when it was written without an offset: then it is each customer's own local time.
    """

    ms: int
    local: bool


@dataclass(frozen=True, slots=True)
class Per:
    """The window of a cap: a rolling duration, or a day, week or month of the customer's calendar.

    Attributes:
        ms: Length of the rolling window, or None.
        calendar: "day", "week", "month", or None.
    """

    ms: int | None = None
    calendar: str | None = None


@dataclass(frozen=True, slots=True)
class KeyedBy:
    """What a keyed trait is keyed by: an expression, or the keys of another trait (`key_of(score)`).

    Exactly one of the two is set.
    """

    expr: Expression | None = None
    trait: str | None = None
