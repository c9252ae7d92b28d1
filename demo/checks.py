"""What is expected, held against what is seen; nothing here plays or changes anything."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from demo.people import Person
    from demo.timeline import Timeline

WITHIN: Final = 60.0
LOOK_EVERY: Final = 0.1


@dataclass(frozen=True)
class Seen:
    """One look at the world.

    Attributes:
        holds: whether it is as expected.
        what: what was seen, in words.
        value: what was looked for, for who goes on with it.
    """

    holds: bool
    what: str
    value: Any = None


@dataclass(frozen=True)
class Result:
    """An expectation and how it ended."""

    holds: bool
    customer: str
    text: str
    seen: str


class BrokenOffError(Exception):
    """The story cannot go on: what the next step needs did not happen. The expectation is among the results."""


@dataclass
class Checks:
    """Every expectation of the run, in the order in which it was decided.

    Attributes:
        timeline: where each is shown, with a tick or a cross.
        results: all of them.
    """

    timeline: Timeline
    results: list[Result] = field(default_factory=list)

    @property
    def failed(self) -> list[Result]:
        """What did not hold."""
        return [result for result in self.results if not result.holds]

    def now(self, person: Person, text: str, seen: Seen) -> Any:
        """An expectation that is decided by one look; gives what was looked for."""
        self.results.append(Result(seen.holds, person.name, text, seen.what))
        self.timeline.check(seen.holds, person.name, text, seen.what if not seen.holds else "")
        return seen.value

    async def soon(
        self, person: Person, text: str, look: Callable[[], Seen | Awaitable[Seen]], *, needed: bool = False
    ) -> Any:
        """An expectation that holds at the latest after `WITHIN` seconds; gives what was looked for.

        Args:
            person: whom it is about.
            text: what is expected, as a statement.
            look: one look at the world; looked again until it holds.
            needed: whether the story cannot go on without.

        Raises:
            BrokenOffError: it is needed and did not hold.
        """
        until = time.monotonic() + WITHIN
        while True:
            looked = look()
            seen = looked if isinstance(looked, Seen) else await looked
            if seen.holds or time.monotonic() > until:
                break
            await asyncio.sleep(LOOK_EVERY)
        self.now(person, text, seen)
        if needed and not seen.holds:
            raise BrokenOffError(text)
        return seen.value
