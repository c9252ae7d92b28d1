"""A release is told to customers to whom nothing happens: all of them, once, some at a tick, also across owners."""

from itertools import pairwise

import pytest

from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import decode_node, encode_node
from orchestrator.model.customer import IN, Customer, Member, Node
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import node_key
from orchestrator.model.message import Tick, encode_message
from orchestrator.stream.lane import visits
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Batch, Record

START = 1_772_442_000_000
WAVE = """
scenario: wave
audience: profile.known
entry: {every: {days: [wed], time: "09:00"}}
steps: [{id: stop, end: {}}]
"""
HOUSE = "bundle: house\n"


def program_of(*documents: str, older: tuple[Program, ...] = ()) -> Program:
    files = {f"{n}.yaml": text.encode() for n, text in enumerate((HOUSE, *documents))}
    loaded = load_bundle(files, EventSchemas.from_topics([]))
    assert loaded.bundle is not None, loaded.diagnostics
    return build_program(loaded.bundle, older)


BEFORE = program_of()
AFTER = program_of(WAVE, older=(BEFORE,))


class Lane:
    """One partition's table and log, and a worker that can be replaced by another."""

    def __init__(self, people: int, program: Program = BEFORE) -> None:
        self.table: dict[bytes, bytes] = {}
        self.offset = 0
        self.core = CustomerCore(program, Facts(), (), 1)
        self._take(self.core.assigned(0, self.table, {}, START))
        for number in range(people):
            name = f"user_id:u{number}"
            body = Customer(person=f"p{number}", born=START, now=START, family={name: Member(0, IN, START)})
            self.table[node_key("default", name)] = encode_node(Node(body=body), 1, 0)

    def publish(self) -> None:
        self.core.publish(AFTER)

    def replace(self) -> None:
        """Another worker takes over, from what is durable."""
        self.core = CustomerCore(AFTER, Facts(), (), 1)
        self.core.know(BEFORE)
        self._take(self.core.assigned(0, self.table, {}, START))

    def tick(self) -> int:
        """One tick, if one is wanted; gives how many customers it changed."""
        wanted = self.core.tick(0, START)
        if wanted is None:
            return -1
        record = Record(INPUTS, 0, self.offset, START, wanted.key, wanted.value)
        self.offset += 1
        return self._take(self.core.process(0, (record,), START))

    def all_ticks(self) -> list[int]:
        """Ticks until none is wanted."""
        changed = []
        while (number := self.tick()) >= 0:
            changed.append(number)
        return changed

    def _take(self, batch: Batch) -> int:
        changed = 0
        for key, value in batch.changelog:
            assert value is not None
            self.table[key] = value
            changed += isinstance(decode_node(value).body, Customer)
        return changed

    def scheduled(self) -> int:
        bodies = [decode_node(value).body for value in self.table.values()]
        return sum("wave" in body.matching for body in bodies if isinstance(body, Customer))


@pytest.fixture(autouse=True)
def _few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "AT_ONCE", 3)


def test_a_new_schedule_reaches_everybody_some_at_a_tick() -> None:
    lane = Lane(10)
    lane.publish()
    changed = lane.all_ticks()
    assert sum(changed) == lane.scheduled() == 10
    assert max(changed) <= 3


def test_every_customer_is_due_at_the_schedules_time() -> None:
    lane = Lane(1)
    lane.publish()
    lane.tick()
    lane.tick()
    owned = lane.core.owned(0)
    assert owned is not None
    wednesday_nine_utc = START + 2 * 86_400_000
    assert owned.next_due() == wednesday_nine_utc


@pytest.mark.parametrize("ticks", [0, 1, 2, 3, 4, 5])
def test_a_new_owner_goes_on_where_the_one_before_stood(ticks: int) -> None:
    lane = Lane(10)
    lane.publish()
    before = [max(0, lane.tick()) for _ in range(ticks)]
    lane.replace()
    assert sum(before) + sum(lane.all_ticks()) == lane.scheduled() == 10


def test_who_comes_by_a_late_value_of_an_earlier_owner_is_told_by_the_next_one() -> None:
    """The first to own the partition was lost before it had written; then its values came, of the release before."""
    lane = Lane(10, AFTER)
    lane.replace()
    lane.all_ticks()
    assert lane.scheduled() == 10


def test_who_has_been_through_a_tick_for_another_reason_is_visited_by_a_later_one() -> None:
    """Before a crash the tick's timers reached them; when it is read again, its visit does, and must not be lost."""
    lane = Lane(5)
    lane.publish()
    lane.tick()
    name = node_key("default", "user_id:u1")
    node = decode_node(lane.table[name])
    node.applied = {INPUTS: lane.offset}
    lane.table[name] = encode_node(node, 1, 0)
    lane.replace()
    assert lane.tick() == 1, "as far as who stands before them"
    lane.all_ticks()
    assert lane.scheduled() == 5


def test_a_release_without_news_for_them_visits_nobody() -> None:
    lane = Lane(10)
    lane.core.publish(program_of("segment: all\nwhere: profile.known\n", older=(BEFORE,)))
    assert [lane.tick() for _ in range(2)] == [0, -1]


def test_visits_go_in_the_order_of_keys() -> None:
    lane = Lane(10)
    owned = lane.core.owned(0)
    assert owned is not None
    owned.begin_visits("everybody")
    keys: list[bytes] = []
    while owned.visits:
        keys += (some := owned.next_visits(4))
        owned.visits_done(len(some))
    assert all(one < other for one, other in pairwise(keys))
    assert (owned.visiting, owned.visited) == ("", b"")


def test_a_scenario_that_is_gone_is_told_once() -> None:
    lane = Lane(4)
    lane.publish()
    lane.all_ticks()
    gone = program_of("segment: one\nwhere: profile.known\n", older=(BEFORE, AFTER))
    lane.core.publish(gone)
    assert sum(lane.all_ticks()) == 4
    assert lane.scheduled() == 0
    lane.core.publish(program_of("segment: two\nwhere: profile.known\n", older=(BEFORE, AFTER, gone)))
    assert lane.all_ticks() == [0]


def _tick_record(lane: Lane, tick: Tick) -> Record:
    record = Record(INPUTS, 0, lane.offset, START, node_key("default", "partition:0"), encode_message(tick))
    lane.offset += 1
    return record


def test_wherever_the_changelog_of_a_batch_is_cut_off_a_new_owner_visits_who_is_left() -> None:
    """The release, and how far its visits have come, never stand before what they speak of."""
    lane = Lane(7)
    lane.publish()
    ticks = [Tick(release=AFTER.release), Tick(visit=True), Tick(visit=True)]
    changelog = lane.core.process(0, [_tick_record(lane, tick) for tick in ticks], START).changelog
    before = dict(lane.table)
    for cut in range(len(changelog) + 1):
        lane.table = before | {key: value for key, value in changelog[:cut] if value is not None}
        lane.replace()
        lane.all_ticks()
        assert lane.scheduled() == 7, f"{cut} of {len(changelog)} records were written"
