"""Recovery on a real broker: what compaction, zombies, rebalances and a dead broker do to it."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from lane_books import PARTITIONS, Books, Worker
from ledger_core import HEAD, Account, account_of, pack

from orchestrator.model.partition import partition_of
from orchestrator.stream.broker import EmbeddedKafka

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(400)]
LONG = pytest.mark.skipif("LANE_LONG" not in os.environ, reason="LANE_LONG=1 runs it: half a minute")
ALL = set(range(PARTITIONS))


async def until(what: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def value(number: int, count: int, total: int) -> bytes:
    account = Account(count=count, total=total, offsets={}, outbox=[], window=[])
    packed: bytes = pack(account)
    return number.to_bytes(8, "big") + b"\0" + packed


async def write(books: Books, rows: Iterable[tuple[bytes, bytes | None]]) -> None:
    """Write to the changelog as an earlier worker would have."""
    producer = AIOKafkaProducer(bootstrap_servers=books.bootstrap, acks="all")
    await producer.start()
    try:
        for key, written in rows:
            await producer.send(books.changelog, written, key=key, partition=partition_of(key, PARTITIONS))
        await producer.flush()
    finally:
        await producer.stop()


def progress_of(worker: Worker) -> dict[int, tuple[int, int, int]]:
    """Partition -> (restored, total, skipped), as last told."""
    told = [each for each in worker.told if each["what"] == "progress"]
    return {each["partition"]: (each["restored"], each["total"], each["skipped"]) for each in told}


@pytest.fixture
def books(kafka: EmbeddedKafka, unique: Callable[[str], str], tmp_path: Path) -> Books:
    return Books(unique("recovery"), kafka.bootstrap, tmp_path, seed=5)


async def test_a_worker_starts_on_empty_topics_and_on_what_it_left_there_itself(books: Books) -> None:
    async with books.running():
        first = await books.start()
        await until(lambda: first.owned() == ALL)
        assert {total for _, total, _ in progress_of(first).values()} == {0}
        first.terminate()
        assert await first.ended() == 0
        second = await books.start()
        await until(lambda: second.owned() == ALL)
        assert {restored for restored, _, _ in progress_of(second).values()} == {1}, "the ownership record of each"
        await books.produce(200)
        (await books.balance()).check()


async def test_a_zombies_values_are_skipped_and_the_new_owners_count(books: Books) -> None:
    key = b"c1"
    async with books.running():
        await write(books, [(key, value(1, 10, 100)), (key, value(2, 11, 110)), (key, value(1, 99, 999))])
        worker = await books.start()
        await until(lambda: worker.owned() == ALL)
        assert progress_of(worker)[partition_of(key, PARTITIONS)] == (3, 3, 1)
        await books.produce_one(key.decode(), amount=1)
        await until(lambda: worker.process.returncode is None)
        accounts = await books.wait_for_account("c1", count=12)
        assert accounts["c1"] == (12, 111)


async def test_deletions_and_gaps_in_the_changelog_leave_what_counts(books: Books) -> None:
    """Half the keys deleted, and the log's beginning cut off, as retention or compaction would."""
    async with books.running():
        rows = [(b"c%d" % each, value(1, 1, each)) for each in range(100)]
        await write(books, [*rows, *((key, None) for key, _ in rows[::2])])
        worker = await books.start()
        await until(lambda: worker.owned() == ALL)
        assert sum(restored for restored, _, _ in progress_of(worker).values()) == 150
        await books.produce_one("c2", amount=5)
        await books.produce_one("c3", amount=5)
        accounts = await books.wait_for_account("c3", count=2)
        assert accounts["c3"] == (2, 8), "kept"
        accounts = await books.wait_for_account("c2", count=1)
        assert accounts["c2"] == (1, 5), "deleted, so new"


async def test_a_rebalance_in_the_middle_of_a_recovery_starts_it_over_and_loses_nothing(books: Books) -> None:
    count = 40_000
    async with books.running():
        keys = [b"c%d" % (each % 20_000) for each in range(count)]
        await write(books, ((key, value(1, 1, index)) for index, key in enumerate(keys)))
        newest = {key.decode(): index for index, key in enumerate(keys)}
        slow: dict[str, Any] = {"seconds_a_value": 0.0001}  # a recovery takes longer than a second worker's start
        first = await books.start(**slow)
        await until(lambda: sum(restored for restored, _, _ in progress_of(first).values()) > 1000)
        second = await books.start(**slow)
        await until(lambda: progress_of(second))
        assert not [each for each in first.told if each["what"] == "ready"], "still recovering"
        await until(lambda: first.owned() and second.owned() and first.owned() | second.owned() == ALL)
        assert not first.owned() & second.owned()
        for each in range(0, 20_000, 1000):
            await books.produce_one(f"c{each}", amount=7)
        accounts = await books.wait_for_account("c19000", count=2)
        await books.settle_accounts({f"c{each}": (2, newest[f"c{each}"] + 7) for each in range(0, 20_000, 1000)})
        assert len(accounts) == 20_000


async def test_a_worker_that_keeps_its_partitions_does_not_read_them_again(books: Books) -> None:
    async with books.running():
        await write(books, [(b"c%d" % each, value(1, 1, each)) for each in range(5000)])
        first = await books.start()
        await until(lambda: first.owned() == ALL)
        second = await books.start()
        await until(lambda: first.owned() and second.owned() and first.owned() | second.owned() == ALL)
        again = {partition: progress_of(first)[partition] for partition in first.owned()}
        assert {total for _, total, _ in again.values()} == {0}
        taken_over = sum(progress_of(second)[partition][0] for partition in second.owned())
        assert taken_over > 1000
        await books.produce(500)
        expected = books.expected_accounts()
        kept = {f"c{each}": (1, each) for each in range(5000)}
        await books.settle_accounts(
            {key: (kept[key][0] + count, kept[key][1] + total) for key, (count, total) in expected.items()}
        )


async def test_different_partition_counts_are_refused_with_what_to_do(books: Books) -> None:
    books.inputs += "-narrow"
    async with books.running():
        admin = AIOKafkaAdminClient(bootstrap_servers=books.bootstrap)
        await admin.start()
        await admin.delete_topics([books.inputs])
        await admin.create_topics([NewTopic(f"{books.inputs}2", 2, 1)])
        await admin.close()
        books.inputs += "2"
        worker = await books.start()
        assert await worker.ended() == 1
        assert "need the same number of partitions" in worker.log.read_text()


async def test_what_the_core_cannot_stand_ends_the_worker_and_nothing_of_it_is_committed(books: Books) -> None:
    async with books.running():
        await books.produce(50)
        producer = AIOKafkaProducer(bootstrap_servers=books.bootstrap, acks="all")
        await producer.start()
        await producer.send_and_wait(books.channels[0], b"no entry", key=b"c1")
        await producer.stop()
        for _ in range(2):
            worker = await books.start()
            assert await worker.ended() == 1, "also when it is started again: the bad record is still there"
            told = worker.log.read_text()
            assert "the lane failed, the worker ends" in told
            assert "DecodeError" in told


@LONG
async def test_one_worker_more_than_partitions_waits_and_takes_over(books: Books) -> None:
    async with books.running():
        workers = [await books.start() for _ in range(PARTITIONS + 1)]
        await until(lambda: sum(len(each.owned()) for each in workers) == PARTITIONS)
        await books.produce(200)
        owner = next(each for each in workers if each.owned())
        owner.terminate()
        assert await owner.ended() == 0
        left = [each for each in workers if each is not owner]
        await until(lambda: all(len(each.owned()) == 1 for each in left))
        await books.produce(200)
        (await books.balance()).check()


@LONG
async def test_a_worker_outlives_an_outage_of_its_broker_and_the_books_balance(
    unique: Callable[[str], str], tmp_path: Path
) -> None:
    """Longer than a session; what was under way is written when the broker is back, once and in order."""
    with EmbeddedKafka(tmp_path / "kafka") as kafka:
        books = Books(unique("outage"), kafka.bootstrap, tmp_path, seed=6)
        async with books.running():
            await books.produce(500)
            worker = await books.start()
            await until(lambda: worker.owned() == ALL)
            producing = asyncio.ensure_future(books.produce(3000, per_second=300))
            await asyncio.sleep(1)
            kafka.kill()
            await asyncio.sleep(7)
            await asyncio.to_thread(kafka.start)
            assert kafka.bootstrap == books.bootstrap
            await producing
            (await books.balance()).check()
            assert worker.process.returncode == 0, worker.log.read_text()[-3000:]


def test_the_head_of_a_value_is_what_the_tests_take_it_for() -> None:
    assert account_of(value(3, 4, 5)).total == 5
    assert value(3, 4, 5)[:8] == (3).to_bytes(8, "big")
    assert HEAD == 9
