"""When what is due: the index of a partition's due times follows every change, and forgets what was overtaken."""

from __future__ import annotations

from orchestrator.model.customer import Node, Reference
from orchestrator.stream.lane.partition import OVERTAKEN, Partition

HOUR = 3_600_000


def due_at(partition: Partition, key: bytes, time: int) -> None:
    """A batch after which something in this node is due at that time, 0 for never."""
    partition.dirty = {key: Node(body=Reference(forgotten_at=time))}
    partition.schedule_dirty()


def test_the_earliest_comes_first_and_one_that_was_put_off_at_its_new_time() -> None:
    partition = Partition(0, {}, {})
    for key, time in ((b"a", 3), (b"b", 1), (b"c", 2), (b"b", 9), (b"c", 0)):
        due_at(partition, key, time * HOUR)
    assert partition.next_due() == 3 * HOUR
    assert partition.pop_due(9 * HOUR, 10) == [b"a", b"b"]


def test_a_timer_that_every_event_puts_off_takes_no_more_room_for_it() -> None:
    """A reminder an hour after the last click would else hold an entry of every click of that hour."""
    partition = Partition(0, {}, {})
    for click in range(4 * OVERTAKEN):
        due_at(partition, b"%d" % (click % 100), HOUR + click)
    assert len(partition._heap) <= OVERTAKEN + 2 * 100
    found = partition.pop_due(2 * HOUR, 1_000)
    assert found == [b"%d" % each for each in range(100)]
    assert partition.next_due() == 0
