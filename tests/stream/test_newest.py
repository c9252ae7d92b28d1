"""Rows of `facts` that come late, by a worker that has lost its partition, count for nobody."""

from orchestrator.stream.newest import Newest


def at(time: int) -> tuple[tuple[str, bytes], ...]:
    return (("at", b"%d" % time),)


def test_an_older_row_of_a_key_does_not_count_and_one_of_the_same_time_does() -> None:
    newest = Newest()
    assert [newest.passes(b"stock/a", at(time)) for time in (5, 7, 6, 7, 8)] == [True, True, False, True, True]


def test_keys_have_nothing_to_do_with_each_other() -> None:
    newest = Newest()
    assert newest.passes(b"stock/a", at(7))
    assert newest.passes(b"stock/b", at(5))


def test_a_row_that_somebody_writes_by_hand_counts_and_those_after_it_are_compared_with_the_one_before() -> None:
    newest = Newest()
    assert newest.passes(b"stock/a", at(7))
    assert newest.passes(b"stock/a", ())
    assert newest.passes(b"stock/a", (("at", b"soon"), ("by", b"hand")))
    assert newest.passes(b"stock/a", (("at", b"9" * 5_000),)), "no time either, and more than Python would count"
    assert not newest.passes(b"stock/a", at(6))
