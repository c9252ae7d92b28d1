"""J1 written while it is read: what the storm and the latency measure has to come in its time."""

import asyncio
import subprocess
from itertools import islice

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from bench.e2e.j1 import APP, EVENTS, PARTITIONS, Run
from orchestrator.model.partition import partition_of

AT_ONCE, AHEAD = 1_000, 10_000
"""Events are written so many at a time, while no more than so many wait for the worker."""


class FedRun(Run):
    """J1, written while it is read: the worker always has some thousand events before it, never all of them.

    A message between nodes that meets a backlog comes after it, by its record time: with everything written before
    the worker starts, a storm would begin when all stories are over.
    """

    def fill(self) -> None:
        pass

    def feed(self, running: subprocess.Popen[bytes]) -> None:
        asyncio.run(self._feed(running))

    async def _feed(self, running: subprocess.Popen[bytes]) -> None:
        rows, written = self.rows(), 0
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, max_batch_size=262144, linger_ms=5, acks="all")
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await producer.start()
        await admin.start()
        try:
            while some := list(islice(rows, AT_ONCE)):
                while written - await committed(admin) > AHEAD and running.poll() is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)  # the broker tells it in no other way
                places = [(row, partition_of(row[0], PARTITIONS)) for row in some]
                acks = [await producer.send(EVENTS, row[1], key=row[0], partition=place) for row, place in places]
                await asyncio.gather(*acks)
                written += len(some)
        finally:
            await producer.stop()
            await admin.close()


async def committed(admin: AIOKafkaAdminClient) -> int:
    """The events that the worker has done with."""
    try:
        offsets = await admin.list_consumer_group_offsets(APP)
    except GroupCoordinatorNotAvailableError:  # the worker has not joined yet
        return 0
    return sum(max(0, known.offset) for part, known in offsets.items() if part.topic == EVENTS)
