"""One partition's turn at the core: strictly serial, in order, with ticks, turns and commits between the batches."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from orchestrator.stream.connection import Connection
from orchestrator.stream.lane.merge import Merge
from orchestrator.stream.lane.records import Batch, Outgoing, Record
from orchestrator.stream.lane_settings import BatchCounts, LaneError, LaneHooks, LaneSettings
from orchestrator.stream.partition import FIRST_BATCH, PartitionRunner
from orchestrator.stream.table import PartitionTable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from orchestrator.stream.emitter import Emitter, Pipeline

TOPIC = "channel.web"


class Clock:
    now = 1_000_000

    def __call__(self) -> int:
        return self.now


class Out:
    """Stands in for the pipeline and for the emitter of ticks."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.ticks: list[tuple[str, int, bytes]] = []
        self.idle = True
        self.broken = False
        self.closed = False

    async def put(self, batch: Batch) -> None:
        self.batches.append(batch)

    async def drain(self) -> None:
        pass

    async def close(self) -> None:
        self.closed = True

    async def append(self, topic: str, partition: int, rows: Sequence[Any]) -> list[Any]:
        self.ticks.append((topic, partition, rows[0][1]))
        return []


class NotingCore:
    """Notes every call; fails where two overlap."""

    input_topics = (TOPIC,)

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.values: Mapping[bytes, bytes] = {}
        self.tick_due = False
        self.gate: asyncio.Event | None = None
        self.inside = False

    def accepts(self, previous: int, value: bytes, /) -> int:
        return previous

    def assigned(
        self,
        partition: int,
        values: Mapping[bytes, bytes],
        committed: Mapping[str, int],
        now: int,
        generation: int = 0,
    ) -> Batch:
        self.values = values
        self.calls.append(f"assigned {dict(committed)}")
        return Batch([(b"partition:0", b"owner")])

    def process(self, partition: int, records: Sequence[Record], now: int) -> Batch | Awaitable[Batch]:
        assert not self.inside
        self.calls.append(f"process {[each.offset for each in records]}")
        batch = Batch([(b"k", b"%d" % records[-1].offset)], [], {TOPIC: records[-1].offset + 1})
        return batch if self.gate is None else self._later(batch, self.gate)

    async def _later(self, batch: Batch, gate: asyncio.Event) -> Batch:
        self.inside = True
        await gate.wait()
        self.inside = False
        self.calls.append("processed")
        return batch

    def committed(self, partition: int, offsets: Mapping[str, int]) -> None:
        assert not self.inside
        self.calls.append(f"committed {dict(offsets)}")

    def revoked(self, partition: int) -> None:
        assert not self.inside
        self.calls.append("revoked")

    def tick(self, partition: int, now: int) -> Outgoing | None:
        assert not self.inside
        if not self.tick_due:
            return None
        self.tick_due = False
        return Outgoing("customer.inputs", None, b"tick")


class WakefulCore(NotingCore):
    woken = 0

    async def wake(self, partition: int, now: int) -> Batch | None:
        self.woken += 1
        return Batch([], [], {TOPIC: 99}) if self.woken == 1 else None

    async def leave(self, partition: int, now: int) -> Batch | None:
        assert not self.inside
        self.calls.append("leave")
        return Batch([(b"k", b"the last word")], [], {})


class KeepingCore(NotingCore):
    """Takes one record at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Record] = []

    def process(self, partition: int, records: Sequence[Record], now: int) -> Batch:
        self.kept += records
        self.calls.append(f"process {len(records)}")
        record = self.kept.pop(0)
        return Batch([], [], {TOPIC: record.offset + 1}, len(self.kept))


class Bench:
    """A runner with everything around it."""

    def __init__(self, core: NotingCore, folder: Path, turn: asyncio.Lock | None = None) -> None:
        self.core = core
        self.clock = Clock()
        self.out = Out()
        self.failures: list[BaseException] = []
        self.counts: list[BatchCounts] = []
        merge = Merge(core.input_topics)
        merge.start(TOPIC, 0, 0)
        settings = LaneSettings(app_id="a", table="t", connection=Connection("b:1"), partitions=1, data_dir=folder)
        self.runner = PartitionRunner(
            0,
            core,
            table=PartitionTable(0, core),
            merge=merge,
            pipeline=cast("Pipeline", self.out),
            emitter=cast("Emitter", self.out),
            settings=settings,
            hooks=LaneHooks(on_batch=self.counts.append),
            turn=turn or asyncio.Lock(),
            clock=self.clock,
            fail=self.failures.append,
        )

    def feed(self, *offsets: int) -> None:
        records = [Record(TOPIC, 0, each, 500 + each, b"k", b"v") for each in offsets]
        self.runner.feed(TOPIC, records, offsets[-1] + 1, offsets[-1] + 1)

    async def until(self, what: Callable[[], Any]) -> None:
        async with asyncio.timeout(5):
            while not what():  # noqa: ASYNC110  bounded above
                await asyncio.sleep(0.001)


@pytest.fixture
async def bench(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    bench = Bench(getattr(request, "param", NotingCore)(), tmp_path)
    yield bench
    await bench.runner.finish()


async def test_a_takeover_during_which_somebody_else_wrote_does_not_begin(bench: Bench) -> None:
    bench.runner.table.wrote(1, 1)  # the own ownership record, behind one that the recovery has not read
    with pytest.raises(LaneError, match="another worker wrote to the changelog of partition 0"):
        await bench.runner.assign({})


async def test_the_core_gets_the_partition_before_its_first_input(bench: Bench) -> None:
    await bench.runner.assign({TOPIC: 3})
    bench.runner.start()
    bench.feed(0, 1, 2)
    await bench.until(lambda: len(bench.core.calls) == 2)
    assert bench.core.calls == ["assigned {'channel.web': 3}", "process [0, 1, 2]"]


async def test_the_values_that_the_core_was_given_show_its_own_writes(bench: Bench) -> None:
    await bench.runner.assign({})
    bench.runner.start()
    bench.feed(0)
    await bench.until(lambda: bench.core.values.get(b"k"))
    assert dict(bench.core.values) == {b"partition:0": b"owner", b"k": b"0"}


async def test_batches_are_counted(bench: Bench) -> None:
    bench.runner.start()
    bench.feed(0, 1)
    await bench.until(lambda: bench.counts)
    assert bench.counts == [
        BatchCounts(partition=0, records=2, changelog=1, sends=0, oldest=500, changelog_bytes=len(b"k" + b"1"))
    ]


@pytest.mark.parametrize("bench", [KeepingCore], indirect=True)
async def test_what_the_core_has_kept_is_gone_on_with_when_all_before_is_committed(bench: Bench) -> None:
    """Not while a batch is under way, nor before its commit; no new input comes between."""
    bench.out.idle = False
    bench.runner.start()
    bench.feed(0, 1)
    await bench.until(lambda: bench.core.calls)
    bench.feed(2)
    bench.runner.note_committed({TOPIC: 1})
    await bench.until(lambda: len(bench.core.calls) == 2)
    assert bench.core.calls == ["process 2", "committed {'channel.web': 1}"]
    bench.out.idle = True
    bench.feed(3)
    await bench.until(lambda: len(bench.core.calls) == 4)
    assert bench.core.calls[2:] == ["process 0", "process 2"]
    assert [count.records for count in bench.counts] == [1, 1, 1]


async def test_a_large_backlog_goes_in_pieces(bench: Bench) -> None:
    bench.feed(*range(FIRST_BATCH + 10))
    bench.runner.start()
    await bench.until(lambda: sum(each.records for each in bench.counts) == FIRST_BATCH + 10)
    assert bench.counts[0].records == FIRST_BATCH


async def test_no_call_comes_while_the_core_still_works_on_a_batch(bench: Bench) -> None:
    bench.core.gate = asyncio.Event()
    bench.runner.start()
    bench.feed(0)
    await bench.until(lambda: bench.core.inside)
    bench.feed(1)
    bench.runner.note_committed({TOPIC: 1})
    bench.core.tick_due = True
    bench.clock.now += 1000
    finishing = asyncio.ensure_future(bench.runner.finish())
    await asyncio.sleep(0.02)
    assert bench.core.inside
    assert not finishing.done()
    bench.core.gate.set()
    await finishing
    await bench.runner.revoke()
    assert bench.core.calls == ["process [0]", "processed", "committed {'channel.web': 1}", "revoked"]


async def test_what_is_committed_is_told_at_the_next_turn_and_once(bench: Bench) -> None:
    bench.runner.start()
    bench.runner.note_committed({TOPIC: 5})
    await bench.until(lambda: bench.core.calls)
    bench.feed(0)
    await bench.until(lambda: len(bench.core.calls) == 2)
    assert bench.core.calls == ["committed {'channel.web': 5}", "process [0]"]
    assert bench.runner.committed_up_to(TOPIC) == 5


async def test_a_tick_goes_to_the_partitions_own_inputs(bench: Bench) -> None:
    bench.core.tick_due = True
    bench.runner.start()
    await bench.until(lambda: bench.out.ticks)
    assert bench.out.ticks == [("customer.inputs", 0, b"tick")]


async def test_a_clock_that_is_set_back_stops_nothing(bench: Bench) -> None:
    """Ticks and input go on at once, not when the clock has caught up."""
    bench.core.tick_due = True
    bench.runner.start()
    await bench.until(lambda: len(bench.out.ticks) == 1)
    bench.clock.now -= 3_600_000
    bench.core.tick_due = True
    await bench.until(lambda: len(bench.out.ticks) == 2)


@pytest.mark.parametrize("bench", [WakefulCore], indirect=True)
async def test_a_core_that_wakes_gets_its_turns_and_its_batches_count(bench: Bench) -> None:
    bench.runner.start()
    await bench.until(lambda: bench.out.batches)
    assert bench.out.batches[0].offsets == {TOPIC: 99}
    bench.clock.now += 1000
    bench.feed(0)
    await bench.until(lambda: cast("WakefulCore", bench.core).woken == 2)


@pytest.mark.parametrize("bench", [WakefulCore], indirect=True)
async def test_a_core_that_wakes_has_the_last_word_when_the_partition_is_given_up(bench: Bench) -> None:
    bench.runner.start()
    bench.feed(0)
    await bench.until(lambda: bench.core.calls)
    await bench.runner.finish()
    await bench.runner.finish()
    await bench.runner.revoke()
    assert bench.core.calls == ["process [0]", "leave", "revoked"]
    assert bench.out.batches[-1].changelog == [(b"k", b"the last word")]


@pytest.mark.parametrize("bench", [WakefulCore], indirect=True)
async def test_where_nothing_goes_out_any_more_there_is_no_last_word(bench: Bench) -> None:
    bench.runner.start()
    bench.out.broken = True
    await bench.runner.finish()
    assert bench.core.calls == []


@pytest.mark.parametrize("bench", [WakefulCore], indirect=True)
async def test_what_a_core_raises_at_its_last_word_ends_the_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_args: object) -> Batch:
        raise ArithmeticError("a bad core")

    monkeypatch.setattr(bench.core, "leave", broken)
    bench.runner.start()
    await bench.runner.finish()
    assert isinstance(bench.failures[0], ArithmeticError)


@pytest.mark.parametrize("error", [ArithmeticError("a bad core"), asyncio.CancelledError("of what it waited for")])
async def test_what_the_core_raises_ends_the_worker(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def broken(*_args: object) -> Batch:
        raise error

    monkeypatch.setattr(bench.core, "process", broken)
    bench.runner.start()
    bench.feed(0)
    await bench.until(lambda: bench.failures)
    assert bench.failures == [error]
    assert bench.out.batches == []


async def test_settled_means_done_and_committed(bench: Bench) -> None:
    settled = [bench.runner.settled]
    bench.runner.start()
    bench.feed(0)
    await bench.until(lambda: bench.out.batches)
    settled.append(bench.runner.settled)
    bench.runner.note_committed({TOPIC: 1})
    settled.append(bench.runner.settled)
    assert settled == [True, False, True]


async def test_between_the_batches_of_two_partitions_everybody_else_has_a_turn(tmp_path: Path) -> None:
    """A worker that is behind on all its partitions still answers, sends and commits after each batch."""
    rounds: list[str] = []

    class Busy(NotingCore):
        def process(self, partition: int, records: Sequence[Record], now: int) -> Batch:
            rounds.append("batch")
            return Batch([], [], {TOPIC: records[-1].offset + 1})

    async def others() -> None:
        while True:
            rounds.append("others")
            await asyncio.sleep(0)

    turn = asyncio.Lock()
    benches = [Bench(Busy(), tmp_path, turn) for _ in range(4)]
    for each in benches:
        each.runner.start()
        each.feed(0)
    running = asyncio.ensure_future(others())
    await benches[0].until(lambda: rounds.count("batch") == len(benches))
    running.cancel()
    await asyncio.gather(*(each.runner.finish() for each in benches))
    assert "batch batch" not in " ".join(rounds)


async def test_a_partition_that_is_to_stop_decides_nothing_more_though_it_has_taken_what_is_next(
    tmp_path: Path,
) -> None:
    """Eight partitions that are behind wait for their turns: each would keep a stop waiting for a whole batch."""
    turn = asyncio.Lock()
    behind = Bench(NotingCore(), tmp_path, turn)
    async with turn:  # another partition's batch
        behind.runner.start()
        behind.feed(0, 1, 2)
        await behind.until(lambda: not behind.runner.merge.lag(TOPIC))
        behind.runner.halt()
    await behind.runner.finish()
    assert behind.core.calls == []
    assert behind.runner.uncommitted == 0, "what was taken is read again by whoever is next"
