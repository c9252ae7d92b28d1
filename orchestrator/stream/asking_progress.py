"""How far each partition's batches are: decided, and durable. An answer that shows an event waits for the second.

The lane says `decided` when its core has handed a batch over, and `durable` when that batch's changelog records
are acknowledged; batches of a partition become durable in the order in which they were decided. So waiting costs
the lane two calls a batch, and nothing for an event.
"""

import asyncio
from collections import deque


class NotOwnedError(Exception):
    """The partition was taken away while somebody waited for it."""


class _Partition:
    """Counts of one partition's batches, and who waits for them."""

    __slots__ = ("barriers", "decided", "durable", "turns")

    def __init__(self) -> None:
        self.decided = 0
        self.durable = 0
        self.turns: list[asyncio.Future[None]] = []
        self.barriers: deque[tuple[int, asyncio.Future[None]]] = deque()


class Progress:
    """The progress of all partitions that this worker owns. Used from one event loop."""

    def __init__(self) -> None:
        self._partitions: dict[int, _Partition] = {}

    def decided(self, partition: int) -> None:
        """The core has decided a batch of this partition; its effects are in memory and not yet durable."""
        state = self._of(partition)
        state.decided += 1
        waiting, state.turns = state.turns, []
        for future in waiting:
            _resolve(future)

    def durable(self, partition: int) -> None:
        """The oldest batch that was decided and not yet durable is now acknowledged."""
        state = self._of(partition)
        if state.durable == state.decided:
            raise ValueError(f"partition {partition}: a batch is durable that was never decided")
        state.durable += 1
        while state.barriers and state.barriers[0][0] <= state.durable:
            _resolve(state.barriers.popleft()[1])

    def revoked(self, partition: int) -> None:
        """The partition is gone: whoever waits gets `NotOwnedError`."""
        state = self._partitions.pop(partition, None)
        if state is None:
            return
        for future in (*state.turns, *(future for _, future in state.barriers)):
            if not future.done():
                future.set_exception(NotOwnedError())
                future.exception()  # who waited may have gone at its deadline; nobody is owed a warning

    async def next_turn(self, partition: int) -> None:
        """Wait until another batch of this partition is decided.

        Raises:
            NotOwnedError: the partition was revoked.
        """
        future = asyncio.get_running_loop().create_future()
        self._of(partition).turns.append(future)
        await future

    async def settled(self, partition: int) -> None:
        """Wait until every batch decided up to now is durable.

        Raises:
            NotOwnedError: the partition was revoked.
        """
        state = self._of(partition)
        if state.durable == state.decided:
            return
        future = asyncio.get_running_loop().create_future()
        state.barriers.append((state.decided, future))
        await future

    def _of(self, partition: int) -> _Partition:
        state = self._partitions.get(partition)
        if state is None:
            state = self._partitions[partition] = _Partition()
        return state


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
