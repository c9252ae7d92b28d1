"""The merge of a partition's input topics by record time: small cases exhaustively, large ones generated."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.stream.lane.merge import Merge
from orchestrator.stream.lane.records import Record

WEB, SHOP, INPUTS = "channel.web", "channel.shop", "customer.inputs"
TOPICS = (WEB, SHOP, INPUTS)


def record(topic: str, offset: int, timestamp: int) -> Record:
    return Record(topic, 0, offset, timestamp, b"k", b"v")


def line(topic: str, *timestamps: int) -> list[Record]:
    return [record(topic, offset, timestamp) for offset, timestamp in enumerate(timestamps)]


def merge_of(ends: dict[str, int], patience: int = 1000) -> Merge:
    merge = Merge(TOPICS, patience)
    for topic in TOPICS:
        merge.start(topic, 0, ends.get(topic, 0))
    return merge


def add(merge: Merge, topic: str, *timestamps: int) -> None:
    merge.add(topic, line(topic, *timestamps), len(timestamps))


def seen(records: list[Record]) -> list[tuple[str, int]]:
    return [(each.topic, each.timestamp) for each in records]


def reference(lines: dict[str, list[Record]]) -> list[Record]:
    """The order by definition: of all first records the earliest, the topic declared first where they are equal."""
    rest = {topic: list(lines.get(topic, ())) for topic in TOPICS}
    out = []
    while any(rest.values()):
        heads = [(rest[topic][0].timestamp, TOPICS.index(topic), topic) for topic in TOPICS if rest[topic]]
        out.append(rest[min(heads)[2]].pop(0))
    return out


def test_records_go_by_time_whatever_topic_they_are_in() -> None:
    merge = merge_of({WEB: 3, SHOP: 2})
    add(merge, WEB, 10, 30, 50)
    add(merge, SHOP, 20, 40)
    assert seen(merge.take(0, 100)) == [(WEB, 10), (SHOP, 20), (WEB, 30), (SHOP, 40), (WEB, 50)]


def test_of_equal_times_the_topic_declared_first_goes_first() -> None:
    merge = merge_of({WEB: 2, SHOP: 2})
    add(merge, SHOP, 10, 10)
    add(merge, WEB, 10, 10)
    assert [each.topic for each in merge.take(0, 100)] == [WEB, WEB, SHOP, SHOP]


def test_one_topic_keeps_its_offset_order_where_its_times_go_back() -> None:
    merge = merge_of({WEB: 3})
    add(merge, WEB, 30, 10, 20)
    assert seen(merge.take(0, 100)) == [(WEB, 30), (WEB, 10), (WEB, 20)]


def test_a_topic_that_is_behind_holds_the_others_up() -> None:
    merge = merge_of({WEB: 1, SHOP: 1})
    add(merge, WEB, 50)
    assert merge.take(0, 100) == []
    assert merge.wait(0) == 1000
    add(merge, SHOP, 40)
    assert seen(merge.take(5, 100)) == [(SHOP, 40), (WEB, 50)]


def test_it_holds_them_up_for_at_most_its_patience() -> None:
    merge = merge_of({WEB: 1, SHOP: 1})
    add(merge, WEB, 50)
    assert merge.take(0, 100) == []
    assert merge.take(999, 100) == []
    assert merge.wait(999) == 1
    assert seen(merge.take(1000, 100)) == [(WEB, 50)]


def test_a_clock_that_is_set_back_makes_nobody_wait_for_longer_than_the_patience() -> None:
    merge = merge_of({WEB: 1, SHOP: 1})
    add(merge, WEB, 10)
    assert merge.take(10_000_000, 10) == []
    assert merge.take(5_000, 10) == []
    assert merge.wait(5_000) == 1000
    assert seen(merge.take(6_000, 10)) == [(WEB, 10)]


def test_patience_once_lost_stays_lost_until_the_topic_brings_something() -> None:
    merge = merge_of({WEB: 3, SHOP: 2})
    add(merge, WEB, 50)
    merge.take(0, 100)
    merge.take(1000, 100)
    merge.add(WEB, [record(WEB, 1, 60)], 2)
    assert seen(merge.take(1001, 100)) == [(WEB, 60)]
    merge.add(SHOP, [record(SHOP, 0, 10)], 1)
    merge.add(WEB, [record(WEB, 2, 70)], 3)
    assert seen(merge.take(1002, 100)) == [(SHOP, 10)]
    assert merge.take(1003, 100) == [], "the shop is behind again, with fresh patience"
    assert seen(merge.take(2002, 100)) == [(WEB, 70)]


def test_caught_up_nothing_waits() -> None:
    merge = merge_of({WEB: 1})
    add(merge, WEB, 50)
    assert merge.wait(0) is None
    assert len(merge.take(0, 100)) == 1


def test_records_that_are_gone_from_the_log_hold_nobody_up() -> None:
    merge = merge_of({WEB: 1, SHOP: 9})
    add(merge, WEB, 50)
    merge.add(SHOP, [], 9)
    assert len(merge.take(0, 100)) == 1


def test_a_later_end_makes_a_topic_hold_the_others_up_again() -> None:
    merge = merge_of({WEB: 1})
    merge.saw_end(SHOP, 5)
    merge.saw_end(SHOP, 0)
    add(merge, WEB, 50)
    assert merge.take(0, 100) == []


def test_a_topic_runs_dry_in_the_middle_and_is_waited_for() -> None:
    merge = merge_of({WEB: 2, SHOP: 3})
    add(merge, WEB, 10, 40)
    add(merge, SHOP, 20)
    assert seen(merge.take(0, 100)) == [(WEB, 10), (SHOP, 20)]
    merge.add(SHOP, [record(SHOP, 1, 30), record(SHOP, 2, 50)], 3)
    assert seen(merge.take(1, 100)) == [(SHOP, 30), (WEB, 40), (SHOP, 50)]


def test_what_is_in_hand_and_how_far_a_topic_is_behind_can_be_asked() -> None:
    merge = merge_of({WEB: 5})
    add(merge, WEB, 10, 20, 30)
    assert (merge.backlog(WEB), merge.lag(WEB), merge.position(WEB)) == (3, 5, 3)
    merge.take(0, 2)
    assert (merge.backlog(WEB), merge.lag(WEB)) == (1, 3)


def test_the_bytes_in_hand_can_be_asked_and_none_are_left_of_what_is_gone() -> None:
    merge = merge_of({WEB: 4})
    values = [b"x" * size for size in (1_000, 3_000, 2_000)]
    merge.add(WEB, [Record(WEB, 0, at, at, b"k", value) for at, value in enumerate([*values, None])], 4)
    assert merge.size(WEB) == 6_000
    merge.take(0, 2)
    assert merge.size(WEB) == 3_000, "half of the records, so half of the bytes"
    merge.take(0, 2)
    assert (merge.size(WEB), merge.size(SHOP)) == (0, 0)


def test_every_small_case_is_in_the_order_of_the_definition() -> None:
    times = [(), (1,), (2,), (1, 1), (1, 2), (2, 1), (1, 3, 2)]
    for web, shop, inputs in product(times, repeat=3):
        lines = {WEB: line(WEB, *web), SHOP: line(SHOP, *shop), INPUTS: line(INPUTS, *inputs)}
        for limit in (1, 2, 100):
            merge = merge_of({topic: len(records) for topic, records in lines.items()})
            for topic, records in lines.items():
                merge.add(topic, records, len(records))
            out: list[Record] = []
            while taken := merge.take(0, limit):
                assert len(taken) <= limit
                out += taken
            assert out == reference(lines)


timestamps = st.lists(st.integers(0, 20), max_size=12)


@given(
    times=st.tuples(timestamps, timestamps, timestamps),
    steps=st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(1, 5), st.integers(1, 7)), max_size=60),
)
def test_the_order_does_not_depend_on_how_the_fetches_came(
    times: tuple[list[int], list[int], list[int]], steps: list[tuple[str, int, int]]
) -> None:
    lines = {topic: line(topic, *each) for topic, each in zip(TOPICS, times, strict=True)}
    merge = merge_of({topic: len(records) for topic, records in lines.items()})
    fed = dict.fromkeys(TOPICS, 0)
    out: list[Record] = []
    for topic, count, limit in [*steps, *((topic, 100, 100) for topic in TOPICS)]:
        part = lines[topic][fed[topic] : fed[topic] + count]
        fed[topic] += len(part)
        merge.add(topic, part, fed[topic])
        out += merge.take(0, limit)
    while taken := merge.take(0, 3):
        out += taken
    assert out == reference(lines)


@given(
    times=st.tuples(timestamps, timestamps, timestamps),
    steps=st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 5), st.integers(0, 400)), max_size=60),
)
def test_whatever_the_delays_nothing_is_lost_doubled_or_out_of_a_topics_order(
    times: tuple[list[int], list[int], list[int]], steps: list[tuple[str, int, int]]
) -> None:
    lines = {topic: line(topic, *each) for topic, each in zip(TOPICS, times, strict=True)}
    merge = merge_of({topic: len(records) for topic, records in lines.items()})
    fed = dict.fromkeys(TOPICS, 0)
    out: list[Record] = []
    now = 0
    for topic, count, pause in steps:
        now += pause
        part = lines[topic][fed[topic] : fed[topic] + count]
        fed[topic] += len(part)
        merge.add(topic, part, fed[topic])
        out += merge.take(now, 100)
        assert not any(map(merge.backlog, TOPICS)) or merge.wait(now) is not None, "only a wait keeps records back"
    for topic in TOPICS:
        merge.add(topic, lines[topic][fed[topic] :], len(lines[topic]))
    while taken := merge.take(now, 100):
        out += taken
    for topic in TOPICS:
        assert [each.offset for each in out if each.topic == topic] == list(range(len(lines[topic])))
