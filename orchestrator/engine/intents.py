"""What a text wants: intents by folded words and phrases, and what their patterns find."""

from typing import Any, NamedTuple

from orchestrator.language.cel.runtime.text import fold


class Intent(NamedTuple):
    """One intent: any of these phrases, all of these, none of these; patterns (compiled) by the name they find."""

    name: str
    any: tuple[str, ...]
    all: tuple[str, ...]
    none: tuple[str, ...]
    find: dict[str, Any]


def words(text: str) -> str:
    """Folded text as words between single spaces, with a space at both ends."""
    folded = "".join(c if c.isalnum() else " " for c in fold(text))
    return f" {' '.join(folded.split())} "


class Intents:
    """All intents in the order in which the bundle lists them; the first that matches wins."""

    def __init__(self, intents: tuple[Intent, ...]) -> None:
        self._intents = tuple(
            i._replace(any=_phrases(i.any), all=_phrases(i.all), none=_phrases(i.none)) for i in intents
        )

    def first(self, text: str, names: list[str] | None = None) -> str:
        """The name of the first intent that matches, "" when none does."""
        said = words(text)
        for intent in self._intents:
            if (names is None or intent.name in names) and _matches(intent, said):
                return intent.name
        return ""

    def extract(self, text: str, name: str) -> str:
        """What the first pattern of this name finds in the text, "" when none does."""
        for intent in self._intents:
            pattern = intent.find.get(name)
            match = pattern.search(text) if pattern is not None else None
            if match:
                return str(match.group(1))
        return ""


def _phrases(phrases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(words(phrase) for phrase in phrases)


def _matches(intent: Intent, said: str) -> bool:
    if any(phrase in said for phrase in intent.none):
        return False
    if not all(phrase in said for phrase in intent.all):
        return False
    return not intent.any or any(phrase in said for phrase in intent.any)
