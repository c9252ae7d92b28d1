"""Which pending action is next: per lane by time, and among those that are due by class. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush
from typing import Final

_RANKS: Final[Mapping[str, int]] = {"transactional": 0, "service": 1, "marketing": 2}


class Queue:
    """The pending actions of one partition.

    An order confirmation overtakes a newsletter when its channel has less room than work. An id is in the queue
    at most once; the caller removes what is no longer pending by not finding it pending when it is popped.
    """

    def __init__(self) -> None:
        self._later: dict[str, list[tuple[int, int, bytes]]] = defaultdict(list)
        self._ready: dict[str, list[tuple[int, int, bytes]]] = defaultdict(list)

    def add(self, lane: str, class_: str, next_at: int, key: bytes) -> None:
        """Put an action in, to be tried at `next_at` (ms) at the earliest."""
        heappush(self._later[lane], (next_at, _RANKS.get(class_, 2), key))

    def lanes(self) -> Iterable[str]:
        """The lanes (one channel of one tenant each) that have something in them."""
        return [name for name, waiting in self._later.items() if waiting or self._ready.get(name)]

    def pop(self, lane: str, now: int) -> bytes | None:
        """The next action of a lane that is due at `now`, or None."""
        later, ready = self._later[lane], self._ready[lane]
        while later and later[0][0] <= now:
            next_at, rank, key = heappop(later)
            heappush(ready, (rank, next_at, key))
        return heappop(ready)[2] if ready else None

    def has(self, lane: str, now: int) -> bool:
        """Whether anything of a lane is due at `now`: who comes later then stands behind it."""
        return bool(self._ready.get(lane)) or bool(self._later.get(lane) and self._later[lane][0][0] <= now)

    def sizes(self, group: Callable[[str], str]) -> dict[str, int]:
        """How many actions wait, due or not, by what `group` makes of the name of their lane."""
        found: dict[str, int] = defaultdict(int)
        for lane in self.lanes():
            found[group(lane)] += len(self._later[lane]) + len(self._ready[lane])
        return found
