"""The values that fields of documents hold, where Python has no plain one for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from orchestrator.language.cel import Expression


@dataclass(frozen=True, slots=True)
class NameOr:
    """A name, or the expression that gives it at run time. Exactly one of the two is set."""

    name: str | None = None
    expr: Expression | None = None


def nearest_language(wanted: str, spoken: Collection[str]) -> str | None:
    """The language that somebody is told something in: theirs, else theirs without its region; None where neither is.

    As RFC 4647 looks tags up (section 3.4): `de-CH-1996` finds `de-CH`, else `de`. Capitals count for nothing, and
    `de_CH` is `de-CH`: so phones and browsers write it.
    """
    if wanted in spoken:
        return wanted or None
    tags = {tag.replace("_", "-").casefold(): tag for tag in spoken if tag}
    tag = wanted.replace("_", "-").casefold() if tags else ""
    while tag and tag not in tags:
        tag = tag.rpartition("-")[0]
    return tags.get(tag)


@dataclass(frozen=True, slots=True)
class Text:
    """Text by language; a plain string stands under the empty language. May hold Liquid."""

    by_language: Mapping[str, str]

    def in_language(self, language: str, default: str) -> str | None:
        """The text for a language, else for the default language, else the plain string, else None."""
        texts = self.by_language
        found = texts.get(language)
        if found is None:
            near = nearest_language(language, texts)
            found = texts.get(default if near is None else near)
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
