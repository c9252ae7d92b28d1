"""One bundle and one stream of events through both: the production engine, and the reference interpreter."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unittest.mock import patch

from orchestrator.engine import advance
from orchestrator.engine import timers as timing
from orchestrator.language.bundle import load_bundle
from orchestrator.rehearsal.world import StuckError
from tests.reference.house import FILES, HOUSE, SCHEMAS
from tests.reference.in_production import produced
from tests.reference.in_reference import interpreted
from tests.reference.outcome import (
    RELEASE,
    Outcome,
)
from tests.reference.smallest import smallest

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from tests.reference.generated_events import Arrival

MOST_TOLD: Final = 150
SOON_STUCK: Final = 3_000
"""So often the engine may ask what is due in one story, before something is taken to be due for ever."""


class Difference(NamedTuple):
    """A story that the two tell differently."""

    texts: tuple[str, ...]
    stream: list[Arrival]
    start: int

    def smallest(self) -> str:
        """The smallest story in which they still differ, and what each of the two makes of it."""

        def differ(texts: tuple[str, ...], stream: list[Arrival]) -> bool:
            return bool(stream) and compared(texts, stream, self.start) is not None

        texts, stream = smallest(self.texts, self.stream, differ)
        bundles = tuple(loaded(text) for text in texts)
        theirs, played = produced(bundles, stream, self.start)
        ours = interpreted(bundles, played, self.start)
        lines = [
            "the engine and the reference disagree:",
            "\n--- then:\n".join(texts),
            f"start: {self.start}",
            *map(str, played),
        ]
        for name, engine, reference in zip(Outcome._fields, theirs, ours, strict=True):
            if engine != reference:
                lines += [f"{name} of the engine:", *_listed(engine), f"{name} of the reference:", *_listed(reference)]
        return "\n".join(lines)


def _listed(value: Any) -> list[str]:
    return [f"  {one}" for one in (value.items() if isinstance(value, dict) else value)]


class Example(NamedTuple):
    """A story, and what the reference makes of it."""

    bundles: tuple[Bundle, ...]
    played: list[Arrival]
    start: int
    expected: Outcome

    @classmethod
    def of(cls, texts: tuple[str, ...], stream: list[Arrival], start: int) -> Example | None:
        """None where a story does not end."""
        bundles = tuple(loaded(text) for text in texts)
        theirs, played = produced(bundles, stream, start)
        return (
            None if len(theirs.told) > MOST_TOLD else cls(bundles, played, start, interpreted(bundles, played, start))
        )


def told_apart(example: Example) -> bool:
    """Whether the engine, as it is now, makes something else of it, or fails."""
    asked, looks = timing.earliest_due, count()

    def earliest_due(*customer: Any, **more: Any) -> int:
        if next(looks) > SOON_STUCK:
            raise StuckError("something is due for ever")
        return asked(*customer, **more)

    with patch.object(advance, "earliest_due", earliest_due):
        return _differs(example)


def _differs(example: Example) -> bool:
    try:
        return produced(example.bundles, example.played, example.start)[0] != example.expected
    except Exception:  # noqa: BLE001 - a defect may break anything, and a failure is noticed by everybody
        return True


def compared(texts: tuple[str, ...], stream: list[Arrival], start: int) -> Difference | None:
    """The story, if the two differ; None too where a bundle does not load, and where a story does not end."""
    if sum(one.type == RELEASE for one in stream) != len(texts) - 1:
        return None
    try:
        bundles = tuple(loaded(text) for text in texts)
    except BrokenBundleError:
        return None
    theirs, played = produced(bundles, stream, start)
    if len(theirs.told) > MOST_TOLD:  # scenarios that start each other for ever take the interpreter too long
        return None
    return None if theirs == interpreted(bundles, played, start) else Difference(texts, stream, start)


class BrokenBundleError(Exception):
    """A bundle that a check refuses."""


def loaded(text: str) -> Bundle:
    """The bundle of a text, in the house that all share.

    Raises:
        BrokenBundleError: a check refuses it.
    """
    result = load_bundle({"house.yaml": HOUSE.encode(), "generated.yaml": text.encode(), **FILES}, SCHEMAS)
    if result.bundle is None:
        raise BrokenBundleError("\n".join(str(one) for one in result.diagnostics if one.code[0] == "E"))
    return result.bundle
