"""What libraries log, before it is shown: nothing that passes by itself, nothing a hundred times."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LEVELS: Final = {
    "aiokafka": logging.WARNING,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "asyncio": logging.WARNING,
    "uvicorn": logging.WARNING,
}
"""The least that each shows. Their warnings matter, but for those below; what they tell beside is for their authors."""

PASSING: Final = {
    "Heartbeat failed for group %s because it is rebalancing": 60.0,  # a worker has come or gone
    "Group Coordinator Request failed: %s": 20.0,  # the first group on a new cluster; a broker that is starting
    "Got error produce response on topic-partition %s, retrying. Error: %s": 20.0,  # the same, told by the broker
    "Topic %s is not available during auto-create initialization": 20.0,  # it has just been created
    "Got error produce response: %s": 20.0,  # a partition changes its leader, the batch is sent again
}
"""Words -> for how many seconds they may be said again and again before they are shown."""

AWAY: Final = frozenset({
    "Unable connect to node with id %s: %s",
    "Unable to update metadata from %s",
    "Unable to request metadata from node with id %s: %r",
    "Failed fetch messages from %s: %s",
    "Failed fetch offsets from %s: %s",
    "Got error produce response: %s",
    "Cannot send %r to %s: %r",
    "Could not send %r: %r",
    "Group Coordinator Request failed: %s",
    "Error sending %s to node %s [%s] -- marking coordinator dead",
    "Marking the coordinator dead (node %s)for group %s.",
    "Heartbeat session expired - marking coordinator dead",
})  # fmt: skip
"""Words that all say one thing: a broker is away. Of all of them together one line a minute is shown."""

_AWAY: Final = (
    "a Kafka broker does not answer (%s). Nothing is lost, it is asked again and again: look at the brokers, and at "
    "kafka.bootstrap"
)

MOST_PER_MINUTE: Final = 6
_MINUTE: Final = 60.0


@dataclass(slots=True)
class _Said:
    first: float
    last: float
    minute: float
    shown: int = 0


class LibraryFilter(logging.Filter):
    """Lets a library's line through, unless it passes by itself or has been shown often enough this minute.

    Lines are the same when logger and words are, whatever stands in them. A broker that is away is told of by every
    connection and in many words, ten times a second; that is made into one line, which says what to do. Lines of our
    own are left alone; `EventLog` counts those.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[tuple[str, str], _Said] = {}
        self._away_at = -_MINUTE

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.partition(".")[0] not in LEVELS:
            return True
        now, words = self._clock(), str(record.msg)
        if not self._lasts(record.name, words, now):
            return False
        if words not in AWAY:
            return True
        if now - self._away_at < _MINUTE:
            return False
        self._away_at = now
        record.msg, record.args = _AWAY, (record.getMessage(),)
        return True

    def _lasts(self, name: str, words: str, now: float) -> bool:
        """Whether these words do not pass by themselves, and were not said often enough this minute."""
        said = self._said.get((name, words))
        if said is None or now - said.last > _MINUTE:
            said = self._said[name, words] = _Said(now, now, now)
        said.last = now
        if now - said.first < PASSING.get(words, 0.0):
            return False
        if now - said.minute >= _MINUTE:
            said.minute, said.shown = now, 0
        said.shown += 1
        return words in AWAY or said.shown <= MOST_PER_MINUTE
