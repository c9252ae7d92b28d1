"""How far each partition's batches are: decided, and durable. An answer that shows an event waits for the second.

The lane's hooks tell it: `on_batch` when the core has handed a batch over, `on_durable` when that batch's changelog
records are acknowledged. Batches of a partition become durable in the order in which they were decided. So waiting
costs the lane two calls a batch, and nothing for an event.
"""

import asyncio
from collections import deque
from collections.abc import Mapping

from orchestrator.stream.lane_settings import BatchCounts


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

    def on_batch(self, batch: BatchCounts) -> None:
        """A hook of the lane: the core has decided a batch; its effects are in memory and not yet durable.

        A batch without records (the first of an assignment, a turn without input) applied no event and moves no
        offset; the lane does not tell when it is durable.
        """
        if not batch.records:
            return
        state = self._of(batch.partition)
        state.decided += 1
        waiting, state.turns = state.turns, []
        for future in waiting:
            _resolve(future)

    def on_durable(self, partition: int, _offsets: Mapping[str, int]) -> None:
        """A hook of the lane: the oldest batch that was decided and not yet durable is now acknowledged.

        Raises:
            ValueError: there is no such batch.
        """
        state = self._of(partition)
        if state.durable == state.decided:
            raise ValueError(f"partition {partition}: a batch is durable that was never decided")
        state.durable += 1
        while state.barriers and state.barriers[0][0] <= state.durable:
            _resolve(state.barriers.popleft()[1])

    def on_revoked(self, partition: int) -> None:
        """A hook of the lane: the partition is gone; whoever waits gets `NotOwnedError`."""
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
