"""A recovery reads what it needs and no more: each changelog up to its end, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiokafka.structs import TopicPartition
from faust.types import TP

from orchestrator.stream.connection import Connection
from orchestrator.stream.lane.merge import Merge
from orchestrator.stream.lane.records import Record
from orchestrator.stream.lane_settings import LaneHooks, LaneSettings
from orchestrator.stream.recovery import LaneRecovery
from orchestrator.stream.shell import Fetched, Shell
from orchestrator.stream.table import PartitionTable, Restore
from orchestrator.stream.transport import LaneThread
from orchestrator.stream.watchdog import Pulse

if TYPE_CHECKING:
    from orchestrator.stream.lane.records import Core
    from orchestrator.stream.partition import PartitionRunner
    from orchestrator.stream.unpacking import PackedBatch

END = 10


class Consumer:
    """Remembers what it was told to read."""

    def __init__(self, *assigned: TopicPartition) -> None:
        self.reads = dict.fromkeys(assigned, 0)
        self.paused: set[TopicPartition] = set()

    def assignment(self) -> set[TopicPartition]:
        return set(self.reads)

    def pause(self, tp: TopicPartition) -> None:
        self.paused.add(tp)

    def resume(self, tp: TopicPartition) -> None:
        self.paused.discard(tp)

    def seek(self, tp: TopicPartition, position: int) -> None:
        self.reads[tp] = position


@pytest.fixture
async def shell() -> Shell:
    settings = LaneSettings(app_id="a", table="t", connection=Connection("b:1"), partitions=2, data_dir=Path("unused"))
    core = cast("Core", SimpleNamespace(input_topics=("channel.web",), accepts=lambda _number, _value: 1))
    shell = Shell(core, settings, LaneHooks(), Pulse())
    shell.restores = {each: Restore(PartitionTable(each, core), END) for each in range(2)}
    return shell


def batch(shell: Shell, first: int, end: int, *, meanwhile: int = 0) -> PackedBatch:
    """A batch with one record an offset; `meanwhile` raises the epoch while it is read, as a rebalance does."""

    def records() -> list[Record]:
        shell.epoch += meanwhile
        return [Record("changelog", 0, offset, 0, b"k%d" % offset, b"v") for offset in range(first, end)]

    return cast("PackedBatch", SimpleNamespace(records=records, next_offset=end))


async def test_only_what_is_wanted_is_read_from_where_it_is_wanted() -> None:
    changelog, inputs = TopicPartition("changelog", 0), TopicPartition("channel.web", 0)
    consumer = Consumer(changelog, inputs)
    thread = cast("LaneThread", SimpleNamespace(_ensure_consumer=lambda: consumer))
    await LaneThread.read_from(thread, {TP("changelog", 0): 5})
    assert (consumer.paused, consumer.reads[changelog]) == ({inputs}, 5)
    await LaneThread.read_from(thread, {TP("channel.web", 0): 7})
    assert (consumer.paused, consumer.reads[inputs]) == ({changelog}, 7)


@pytest.mark.parametrize(("read_to", "pauses"), [(END - 1, 0), (END, 1), (END + 5, 1)])
async def test_a_changelog_is_asked_for_no_more_once_it_is_read_to_its_end(
    shell: Shell, read_to: int, pauses: int
) -> None:
    told: list[str] = []
    where = TopicPartition(shell.settings.changelog, 0)
    state = SimpleNamespace(pause=lambda: told.append("pause"), highwater=END)
    left = [True, False]
    batches = SimpleNamespace(has_next=lambda: left.pop(0), next_batch=lambda: SimpleNamespace(next_offset=read_to))
    result: Any = SimpleNamespace(
        _partition_records=SimpleNamespace(_records=batches, next_fetch_offset=0),
        _assignment=SimpleNamespace(state_value=lambda _tp: state),
        _update_position=lambda: told.append("position"),
    )
    app = SimpleNamespace(shell=shell, conf=SimpleNamespace(broker_check_crcs=True))
    taken = Fetched()
    LaneThread._take_one(cast("LaneThread", SimpleNamespace(app=app)), result, where, taken)
    assert told == ["pause"] * pauses + ["position"]
    assert [each.next_offset for each in taken.changelogs[TP(*where)]] == [read_to]


async def test_when_the_last_changelog_is_restored_it_is_told(shell: Shell) -> None:
    changelog = shell.settings.changelog
    await shell.restore({TP(changelog, 0): [batch(shell, 0, 4), batch(shell, 4, END)]}, shell.epoch)
    assert shell.restores[0].done
    assert not shell.restored.is_set()
    await shell.restore({TP(changelog, 1): [batch(shell, 0, END)]}, shell.epoch)
    assert shell.restored.is_set()


async def test_a_rebalance_between_two_partitions_ends_what_a_fetch_before_it_brought(shell: Shell) -> None:
    changelog = shell.settings.changelog
    pieces = {TP(changelog, 0): [batch(shell, 0, 4, meanwhile=1)], TP(changelog, 1): [batch(shell, 0, END)]}
    await shell.restore(pieces, shell.epoch)
    tables = [shell.restores[each].table for each in range(2)]
    assert [(table.next_offset, len(table.values)) for table in tables] == [(4, 4), (0, 0)]


@pytest.mark.parametrize(("records", "size", "wanted"), [(100, 10, True), (100, 1_000_000, False), (20_000, 10, False)])
async def test_input_is_fetched_while_there_is_room_for_its_records_and_for_their_bytes(
    shell: Shell, records: int, size: int, wanted: bool
) -> None:
    """Counted alone, ten thousand large events of every topic and partition filled the memory in an outage's wake."""
    merge, value, tp = Merge(["channel.web"]), b"x" * size, TP("channel.web", 0)
    merge.start("channel.web", 0, records)
    merge.add("channel.web", [Record("channel.web", 0, at, 0, None, value) for at in range(records)], records)
    shell.runners[0] = cast("PartitionRunner", SimpleNamespace(merge=merge))
    assert shell.wanted([tp]) == ({tp} if wanted else set())


@pytest.mark.parametrize("interrupted", [False, True])
async def test_a_recovery_that_is_cancelled_ends_the_worker_unless_it_was_interrupted(
    shell: Shell, interrupted: bool
) -> None:
    running = asyncio.ensure_future(asyncio.Event().wait())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    recovery = SimpleNamespace(_shell=shell, _running=None if interrupted else running)
    LaneRecovery._ended(cast("LaneRecovery", recovery), cast("asyncio.Task[None]", running))
    assert shell.failed.is_set() is not interrupted
