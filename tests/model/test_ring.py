"""A ring keeps the newest entries of something as one run of bytes, in their order by time."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model import ring

ENTRIES = st.lists(st.tuples(st.integers(0, 50), st.binary(max_size=3)), max_size=20)
KEEP = st.integers(1, 8)


def of(entries: list[tuple[int, bytes]], keep: int) -> bytes:
    made = ring.EMPTY
    for time, payload in entries:
        made = ring.append(made, time, payload, keep)
    return made


def by_time(entries: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    return sorted(entries, key=lambda entry: entry[0])


def test_an_empty_ring_has_nothing_in_it() -> None:
    assert ring.entries(ring.EMPTY) == []
    assert ring.pack([], 5) == ring.EMPTY
    assert ring.join(ring.EMPTY, ring.EMPTY, 5) == ring.EMPTY


@given(ENTRIES)
def test_what_fits_is_all_there_in_order_and_equal_times_keep_their_order(entries: list[tuple[int, bytes]]) -> None:
    assert ring.entries(of(entries, 255)) == by_time(entries)


@given(ENTRIES, KEEP)
def test_only_the_newest_stay(entries: list[tuple[int, bytes]], keep: int) -> None:
    times = [time for time, _ in ring.entries(of(entries, keep))]
    assert times == sorted(time for time, _ in entries)[-keep:]


@given(st.lists(st.tuples(st.integers(0, 50), st.binary(max_size=3)), max_size=20, unique=True), KEEP)
def test_appending_in_any_order_packs_the_same(entries: list[tuple[int, bytes]], keep: int) -> None:
    distinct = list({time: (time, payload) for time, payload in entries}.values())
    assert of(distinct, keep) == ring.pack(sorted(distinct), keep) == of(distinct[::-1], keep)


@given(ENTRIES, ENTRIES, ENTRIES, KEEP)
def test_joining_is_a_join(
    one: list[tuple[int, bytes]], two: list[tuple[int, bytes]], three: list[tuple[int, bytes]], keep: int
) -> None:
    """Neither order nor grouping nor repetition matters: the halves of a customer may meet in any way."""
    a, b, c = (ring.pack(sorted(set(entries)), keep) for entries in (one, two, three))
    assert ring.join(a, b, keep) == ring.join(b, a, keep)
    assert ring.join(ring.join(a, b, keep), c, keep) == ring.join(a, ring.join(b, c, keep), keep)
    assert ring.join(a, a, keep) == a
    assert ring.entries(ring.join(a, b, keep)) == sorted({*ring.entries(a), *ring.entries(b)})[-keep:]


def test_long_payloads_and_full_rings_are_no_special_case() -> None:
    long = b"x" * 65_535
    made = of([(n, long if n == 3 else b"") for n in range(300)], 255)
    assert len(ring.entries(made)) == 255
    assert (3, long) in ring.entries(of([(3, long), (4, b"")], 2))
