"""The lane's own unpacking of fetched records gives what aiokafka's gives, from the same bytes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import READ_UNCOMMITTED, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.structs import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.stream.unpacking import packed, unpack

TP = TopicPartition("channel.web", 4)
Row = tuple[int, bytes | None, bytes | None, list[tuple[str, bytes]]]


def batch(base: int, rows: list[Row], compression: int = 0) -> bytes:
    """A batch as a broker stores it; the offsets of `rows` are relative, with gaps where compaction took some."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    for offset, key, value, headers in rows:
        builder.append(offset, timestamp=1_000 + offset, key=key, value=value, headers=headers)
    built = bytearray(builder.build())
    built[0:8] = base.to_bytes(8, "big")
    return bytes(built)


def fetched(data: bytes, start: int) -> Any:
    return PartitionRecords(TP, MemoryRecords(data), [], start, None, None, True, READ_UNCOMMITTED)


def slim(records: list[Any]) -> list[tuple[Any, ...]]:
    return [(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records]


texts = st.none() | st.binary(max_size=20)
rows = st.lists(
    st.tuples(
        texts, texts, st.lists(st.tuples(st.text(max_size=5), st.binary(max_size=5)), max_size=2), st.integers(1, 4)
    ),
    min_size=1,
    max_size=8,
)


@given(pieces=st.lists(rows, min_size=1, max_size=4), skip=st.integers(0, 12), compression=st.sampled_from([0, 1, 4]))
def test_both_ways_read_the_same_records_and_stop_at_the_same_place(
    pieces: list[list[tuple[bytes | None, bytes | None, list[tuple[str, bytes]], int]]], skip: int, compression: int
) -> None:
    data, base = b"", 100
    for piece in pieces:
        offset, laid = 0, []
        for key, value, headers, step in piece:
            laid.append((offset, key, value, headers))
            offset += step
        data += batch(base, laid, compression)
        base += laid[-1][0] + 1
    start = 100 + skip
    theirs, ours = fetched(data, start), fetched(data, start)
    expected = slim(list(theirs))
    assert slim(unpack(TP, ours, check_crcs=True)) == expected
    assert ours.next_fetch_offset == theirs.next_fetch_offset
    kept = fetched(data, start)
    batches = packed(TP, kept, check_crcs=True)
    assert kept.next_fetch_offset == batches[-1].next_offset == theirs.next_fetch_offset
    read = [(r.offset, r.key, r.value) for each in batches for r in each.records()]
    known = [(offset, key, value) for _, _, offset, _, key, value, _ in expected]
    assert [each for each in read if each[0] >= start] == [each for each in known if each[0] >= start]


def test_a_wrong_checksum_is_told_not_read() -> None:
    data = bytearray(batch(0, [(0, b"k", b"value", [])]))
    data[-2] ^= 1
    with pytest.raises(CorruptRecordException, match=r"channel\.web\[4\]"):
        unpack(TP, fetched(bytes(data), 0), check_crcs=True)
    (kept,) = packed(TP, fetched(bytes(data), 0), check_crcs=True)
    with pytest.raises(CorruptRecordException, match=r"channel\.web\[4\]"):
        kept.records()


def test_control_batches_are_passed_over() -> None:
    control = SimpleNamespace(is_control_batch=True, next_offset=9, validate_crc=lambda: True)

    def pieces() -> Any:
        left = [True, False]
        records = SimpleNamespace(has_next=lambda: left.pop(0), next_batch=lambda: control)
        return SimpleNamespace(_records=records, next_fetch_offset=5)

    at_once, kept = pieces(), pieces()
    assert unpack(TP, at_once, check_crcs=True) == []
    assert [each.records() for each in packed(TP, kept, check_crcs=True)] == [[]]
    assert at_once.next_fetch_offset == kept.next_fetch_offset == 9
