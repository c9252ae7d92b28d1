"""Producers in every language, the gateway and the worker must agree on where a key lives."""

import pytest
from aiokafka.partitioner import murmur2 as murmur2_of_aiokafka
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.partition import murmur2, partition_of


@given(st.binary(max_size=200))
def test_the_hash_is_the_java_clients(key: bytes) -> None:
    assert murmur2(key) == murmur2_of_aiokafka(key) & 0xFFFFFFFF


@pytest.mark.parametrize(
    ("key", "expected"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_the_values_that_kafkas_own_tests_pin(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF


@given(st.binary(max_size=64), st.integers(1, 64))
def test_a_partition_is_one_of_those_there_are(key: bytes, count: int) -> None:
    assert partition_of(key, count) == (murmur2_of_aiokafka(key) & 0x7FFFFFFF) % count


def test_a_key_stays_where_it_is() -> None:
    """A changed hash would send every customer to a partition where nothing is known of them."""
    assert partition_of(b"default/email:amy@example.com", 8) == 4
    assert partition_of(b"default/user_id:u-amy", 8) == 2
