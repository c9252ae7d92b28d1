"""The lane's table: what a changelog makes of it, the zombie rule, and when it may be kept over a rebalance."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.stream.lane.records import Record
from orchestrator.stream.table import PartitionTable, Restore

if TYPE_CHECKING:
    from orchestrator.stream.lane.records import Core


class Numbers:
    """The part of a core that the table asks: the first byte of a value is its writer's number."""

    def accepts(self, previous: int, value: bytes, /) -> int:
        return value[0] if value[0] >= previous else -1


def table_of() -> PartitionTable:
    return PartitionTable(3, cast("Core", Numbers()))


def record(offset: int, key: bytes, value: bytes | None) -> Record:
    return Record("changelog", 3, offset, 0, key, value)


def restored(*records: Record, end: int) -> tuple[PartitionTable, Restore]:
    table = table_of()
    restore = Restore(table, end)
    restore.add(records, records[-1].offset + 1 if records else 0)
    return table, restore


def test_the_last_value_of_a_key_counts_and_a_deletion_deletes() -> None:
    table, restore = restored(
        record(0, b"a", b"\1old"), record(1, b"b", b"\1b"), record(2, b"a", b"\1new"), record(3, b"b", None), end=4
    )
    assert table.values == {b"a": b"\1new"}
    assert restore.done


def test_a_deletion_of_what_is_not_there_is_no_fault() -> None:
    table, _ = restored(record(0, b"a", None), end=1)
    assert table.values == {}


def test_a_value_of_a_worker_that_had_lost_the_partition_is_skipped() -> None:
    table, restore = restored(
        record(0, b"a", b"\1first"), record(1, b"p", b"\2owner"), record(2, b"a", b"\1zombie"), end=3
    )
    assert table.values == {b"a": b"\1first", b"p": b"\2owner"}
    assert restore.progress().skipped == 1


def test_the_zombie_rule_reaches_over_fetches() -> None:
    table = table_of()
    restore = Restore(table, 2)
    restore.add([record(0, b"p", b"\5owner")], 1)
    restore.add([record(1, b"a", b"\4zombie")], 2)
    assert table.values == {b"p": b"\5owner"}


def test_gaps_that_compaction_left_do_not_matter() -> None:
    table, restore = restored(record(4, b"a", b"\1a"), record(90, b"b", b"\1b"), end=91)
    assert set(table.values) == {b"a", b"b"}
    assert restore.done


def test_a_fetch_that_compaction_emptied_moves_the_restore_on() -> None:
    table = table_of()
    restore = Restore(table, 10)
    restore.add([record(5, b"a", b"\1a")], 6)
    assert not restore.done
    restore.add([], 10)
    assert restore.done


def test_an_empty_changelog_is_done_at_once() -> None:
    assert Restore(table_of(), 0).done


def test_records_that_were_read_before_are_left_out() -> None:
    table, restore = restored(record(0, b"a", b"\1one"), record(1, b"a", b"\1two"), end=3)
    restore.add([record(0, b"a", b"\1one"), record(2, b"b", b"\1b")], 3)
    assert table.values == {b"a": b"\1two", b"b": b"\1b"}


def test_a_missing_tail_is_told_by_many_answers_at_the_same_place() -> None:
    table, restore = restored(record(0, b"a", b"\1a"), end=5)
    answers = [restore.answered(1, at) for at in range(100, 100 + Restore.EMPTY_ANSWERS)]
    assert answers == [False] * (Restore.EMPTY_ANSWERS - 1) + [True]
    assert restore.done
    assert table.next_offset == 5


def test_the_same_answer_twice_counts_once_and_a_moving_restore_starts_the_count_anew() -> None:
    _, restore = restored(record(0, b"a", b"\1a"), end=5)
    assert not any(restore.answered(1, 100) for _ in range(100))
    assert not any(restore.answered(0, at) for at in range(100)), "an answer for another place"
    for at in range(200, 200 + Restore.EMPTY_ANSWERS - 1):
        restore.answered(1, at)
    restore.busy()
    assert not restore.answered(1, 300)


def test_progress_counts_what_was_restored_of_how_many() -> None:
    _, restore = restored(record(0, b"a", b"\1a"), record(1, b"a", b"\1b"), end=10)
    progress = restore.progress()
    assert (progress.partition, progress.restored, progress.total) == (3, 2, 10)


def test_own_writes_that_land_without_a_gap_keep_the_table() -> None:
    table, _ = restored(record(0, b"a", b"\1a"), end=1)
    table.apply([(b"a", b"\2a"), (b"b", b"\2b"), (b"c", None)])
    table.wrote(1, 2)
    table.wrote(3, 1)
    assert table.keep()
    assert table.next_offset == 4


def test_a_foreign_record_between_own_ones_means_reading_again_from_the_beginning() -> None:
    table, _ = restored(record(0, b"a", b"\1a"), end=1)
    table.wrote(1, 1)
    table.wrote(3, 1)
    assert not table.keep()


def test_a_kept_table_goes_on_from_where_it_was_and_knows_its_own_number() -> None:
    table, _ = restored(record(0, b"p", b"\1owner"), end=1)
    table.apply([(b"p", b"\2owner"), (b"a", b"\2a")])
    table.wrote(1, 2)
    assert table.keep()
    restore = Restore(table, 5)
    restore.add([record(3, b"a", b"\1zombie"), record(4, b"a", b"\3new owner")], 5)
    assert table.values[b"a"] == b"\3new owner"
    assert restore.progress().skipped == 1


changes = st.lists(st.tuples(st.sampled_from([b"a", b"b", b"c"]), st.none() | st.just(b"\1") | st.just(b"\2")))


@given(log=changes, cuts=st.lists(st.integers(0, 20)), again=st.integers(0, 20))
def test_however_the_fetches_are_cut_and_repeated_the_table_is_the_same(
    log: list[tuple[bytes, bytes | None]], cuts: list[int], again: int
) -> None:
    records = [record(offset, key, value) for offset, (key, value) in enumerate(log)]
    whole, _ = restored(*records, end=len(records))
    pieces = table_of()
    restore = Restore(pieces, len(records))
    for cut in sorted(cuts):
        start = max(0, pieces.next_offset - again)
        restore.add(records[start:cut], max(cut, 0) if cut <= len(records) else len(records))
    restore.add(records[max(0, pieces.next_offset - again) :], len(records))
    assert pieces.values == whole.values
    assert restore.done
