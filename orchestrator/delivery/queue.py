"""Which pending action is next: per channel by time, and among those that are due by class. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from typing import Final

_RANKS: Final[Mapping[str, int]] = {"transactional": 0, "service": 1, "marketing": 2}


class Queue:
    """The pending actions of one partition.

    An order confirmation overtakes a newsletter when a channel has less room than work. An id is in the queue
    at most once; the caller removes what is no longer pending by not finding it pending when it is popped.
    """

    def __init__(self) -> None:
        self._later: dict[str, list[tuple[int, int, bytes]]] = defaultdict(list)
        self._ready: dict[str, list[tuple[int, int, bytes]]] = defaultdict(list)

    def add(self, channel: str, class_: str, next_at: int, key: bytes) -> None:
        """Put an action in, to be tried at `next_at` (ms) at the earliest."""
        heappush(self._later[channel], (next_at, _RANKS.get(class_, 2), key))

    def channels(self) -> Iterable[str]:
        """The channels that have something in the queue."""
        return [name for name, waiting in self._later.items() if waiting or self._ready.get(name)]

    def pop(self, channel: str, now: int) -> bytes | None:
        """The next action of a channel that is due at `now`, or None."""
        later, ready = self._later[channel], self._ready[channel]
        while later and later[0][0] <= now:
            next_at, rank, key = heappop(later)
            heappush(ready, (rank, next_at, key))
        return heappop(ready)[2] if ready else None

    def size(self) -> int:
        """How many actions wait, due or not."""
        return sum(map(len, self._later.values())) + sum(map(len, self._ready.values()))
