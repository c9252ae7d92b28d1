"""SIGTERM while the broker is away: gone within seconds, and once it is back, nothing is lost or counted twice."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from lane_books import PARTITIONS, Books

from orchestrator.stream.broker import EmbeddedKafka

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import EventuallyAsync

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.mark.usefixtures("kafka")  # where there is no broker for tests, this is skipped as they are
async def test_a_worker_told_to_stop_while_the_broker_is_away_leaves_and_the_next_one_makes_good(
    tmp_path: Path, eventually_async: EventuallyAsync
) -> None:
    with EmbeddedKafka(tmp_path / "kafka") as broker:
        books = Books("away", broker.bootstrap, tmp_path, seed=7)
        async with books.running():
            worker = await books.start(settings={"fetch_bytes": 4096, "stop_patience": 2_000})
            await eventually_async(lambda: worker.owned() == set(range(PARTITIONS)), timeout=60)
            await books.produce(3_000)
            await asyncio.to_thread(broker.kill)
            worker.terminate()
            began = time.monotonic()
            assert await worker.ended(60) == 0, worker.log.read_text()
            assert time.monotonic() - began < 30, "it waited for the broker's return, or for the watchdog"
            log = worker.log.read_text()
            assert "Kafka does not answer, leaving after" in log
            assert "Nothing is lost" in log
            await asyncio.to_thread(broker.start)
            await books.start()
            (await books.balance()).check()
