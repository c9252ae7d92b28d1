"""The lane's core, driven by hand: replays, outboxes, ticks, releases, references, facts, ownership, crashes."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.engine.traits.states import unpack
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import decode_head, decode_node, encode_node
from orchestrator.model.customer import Breaker, Customer, FactRow, Node, PartitionState, Reference
from orchestrator.model.ids import node_key
from orchestrator.model.message import Erase, Refused, Tick, decode_message, encode_message
from orchestrator.model.partition import partition_of
from orchestrator.stream.lane.core import CustomerCore, MissingReleaseError
from orchestrator.stream.lane.records import Batch, Core, Outgoing, Record

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program

START = 1_772_442_000_000
S, M, H = 1000, 60_000, 3_600_000
INPUTS = "customer.inputs"
WEB, STOCK = "channel.web", "channel.stock"
HOUSE = """
bundle: house
lateness: 10m
---
channels: all
define: {email: {sends: push, address: email}, web: {sends: pull}, stock: {sends: "no"}}
---
events: all
define:
  seen: {channel: [web]}
  bought: {channel: [web]}
  shipped: {channel: [web]}
  level: {channel: [stock], for: brand}
---
identity: all
namespaces: {user_id: unique, email: unique, anonymous_id: shared}
references: {order: [bought]}
---
facts: stock
key: event.sku
on: [level]
set: {qty: event.qty}
---
traits: all
define: {views: {count: "true", on: seen}, shipments: {count: "true", on: shipped}}
---
content: em.hello
class: service
variants: {email: {subject: hi, body: hello}}
"""
TALE = """
scenario: tale
version: 1
entry: {on: bought}
steps: [{id: wait, delay: {for: 1h}}, {id: mail, send: {content: em.hello, channel: email}}]
"""
LEVEL = """
scenario: back_in_stock
entry: {on: bought, where: event.order == "wait"}
steps: [{id: back, wait_until: {when: stock("A") > 0, timeout: 9d}}, {id: say, emit: {event: seen}}]
"""
TEXT = {"type": "string"}
SCHEMAS = EventSchemas.from_topics([
    {"topic": WEB, "events": {
        "seen": {"properties": {"page": TEXT}}, "bought": {"properties": {"order": TEXT}},
        "shipped": {"properties": {"order": TEXT}},
    }},
    {"topic": STOCK, "events": {"level": {"properties": {"sku": TEXT, "qty": {"type": "integer"}}}}},
])  # fmt: skip
AMY = "user_id:amy email:amy@example.com"


def program_of(*documents: str, older: tuple[Program, ...] = ()) -> Program:
    files = {f"{n}.yaml": text.encode() for n, text in enumerate((HOUSE, *documents))}
    loaded = load_bundle(files, SCHEMAS)
    assert loaded.bundle is not None, [one for one in loaded.diagnostics if one.code[0] == "E"]
    return build_program(loaded.bundle, older)


PROGRAM = program_of(TALE, LEVEL)


class Crash(Exception):  # noqa: N818 - no error of the core
    """The worker dies here."""


class Lane:
    """Logs, tables and commits as a broker keeps them, and one worker that reads them.

    Attributes:
        out: what was sent to other topics than `customer.inputs`.
        commits: whether offsets are committed.
        die: at which stage of the next batch the worker dies: "decided", "changelog", "half", "sent"; "" never.
    """

    def __init__(self, program: Program = PROGRAM, partitions: int = 1) -> None:
        self.programs = [program]
        self.partitions = partitions
        self.now = START
        self.logs: dict[tuple[str, int], list[Record]] = {}
        self.tables: list[dict[bytes, bytes]] = [{} for _ in range(partitions)]
        self.committed: list[dict[str, int]] = [{} for _ in range(partitions)]
        self.read: list[dict[str, int]] = []
        self.out: list[Outgoing] = []
        self.die = ""
        self.commits = True
        self.start()

    def start(self) -> None:
        """A worker takes all partitions over, from what is durable and committed."""
        program = self.programs[-1]
        self.core = CustomerCore(program, Facts(program.base_facts), (WEB, STOCK), self.partitions)
        for earlier in self.programs[:-1]:
            self.core.know(earlier)
        for sent in self.out:
            self._fact(sent)
        self.read = [dict(committed) for committed in self.committed]
        for index in range(self.partitions):
            self._take(index, self.core.assigned(index, self.tables[index], dict(self.committed[index]), self.now))

    # What arrives.

    def append(self, topic: str, key: bytes | None, value: bytes, partition: int | None = None) -> None:
        if partition is None:
            partition = partition_of(key, self.partitions) if key is not None else 0
        log = self.logs.setdefault((topic, partition), [])
        log.append(Record(topic, partition, len(log), self.now, key, value))

    def event(
        self, type_: str, who: str = AMY, *, id_: str = "", key: str | None = "", topic: str = WEB, **data: Any
    ) -> None:
        """An event; `key` is the strongest identifier's, unless said."""
        named = dict(node.split(":", 1) for node in who.split())
        fields: dict[str, Any] = {"id": id_ or f"{type_}-{self.now}", "source": "shop", "type": type_}
        if "time" in data:
            fields["time"] = data.pop("time")
        raw = msgspec.json.encode({**fields, "data": {**named, **data}})
        node = who.split(maxsplit=1)[0] if key == "" and who else key
        self.append(topic, node_key("default", node) if node else None, raw)

    def message(self, message: Any) -> None:
        self.append(INPUTS, node_key("default", message.target), encode_message(message))

    # What the worker does.

    def unread(self, partition: int) -> list[Record]:
        found = [
            record
            for (topic, index), log in sorted(self.logs.items())
            if index == partition
            for record in log[self.read[partition].get(topic, 0) :]
        ]
        return sorted(found, key=lambda record: record.timestamp)

    def work(self, partition: int, most: int = 1000) -> Batch | None:
        """Process the next records of a partition, in the shell's order; None where there are none."""
        records = self.unread(partition)[:most]
        if not records:
            return None
        for record in records:
            self.read[partition][record.topic] = record.offset + 1
        return self._take(partition, self.core.process(partition, records, self.now))

    def settle(self, most: int = 1000) -> None:
        """Until nothing is unread anywhere."""
        while self.turn(most):
            pass

    def turn(self, most: int = 1000) -> bool:
        """One batch of every partition that has anything unread."""
        worked = [self.work(index, most) for index in range(self.partitions)]
        return any(batch is not None for batch in worked)

    def tick(self, partition: int = 0) -> Tick | None:
        """Ask for a tick; what comes stands in the log, unread."""
        sent = self.core.tick(partition, self.now)
        if sent is None:
            return None
        assert (sent.topic, sent.partition) == (INPUTS, partition)
        self.append(INPUTS, sent.key, sent.value, partition)
        message = decode_message(sent.value)
        assert isinstance(message, Tick)
        return message

    def passes(self, to: int) -> None:
        """Time passes until `to` ms after the start, and everyone is asked for a tick."""
        self.now = START + to
        for index in range(self.partitions):
            self.tick(index)
        self.settle()

    def _take(self, partition: int, batch: Batch) -> Batch:
        self._perish("decided")
        for key, value in batch.changelog:
            if value is None:
                self.tables[partition].pop(key, None)
            else:
                self.tables[partition][key] = value
        self._perish("changelog")
        for number, sent in enumerate(batch.sends):
            if number == len(batch.sends) // 2:
                self._perish("half")
            self._send(sent)
        self._perish("sent")
        if not self.commits:
            return batch
        self.committed[partition].update(batch.offsets)
        self.core.committed(partition, batch.offsets)
        return batch

    def _perish(self, stage: str) -> None:
        if self.die == stage:
            self.die = ""
            raise Crash

    def _send(self, sent: Outgoing) -> None:
        if sent.topic == INPUTS:
            self.append(sent.topic, sent.key, sent.value, sent.partition)
            return
        self.out.append(sent)
        self._fact(sent)

    def _fact(self, sent: Outgoing) -> None:
        if sent.topic == "facts":
            _, fact, key = (sent.key or b"").decode().split("/", 2)
            self.core.fact_row(fact, key, msgspec.json.decode(sent.value))

    # What came of it.

    def node(self, name: str) -> Node:
        key = node_key("default", name)
        value = self.tables[partition_of(key, self.partitions)].get(key)
        return decode_node(value) if value is not None else Node()

    def customer(self, name: str = "user_id:amy") -> Customer:
        node = self.node(name)
        if node.to is not None:
            return self.customer(node.to)
        assert isinstance(node.body, Customer)
        return node.body

    def trait(self, trait: str, name: str = "user_id:amy") -> int:
        raw = self.customer(name).traits.get(trait)
        return int(unpack(raw)) if raw is not None else 0

    def everywhere(self, trait: str) -> int:
        """The sum of a trait over all customers."""
        nodes = [decode_node(value) for table in self.tables for value in table.values()]
        bodies = [node.body for node in nodes if node.to is None and isinstance(node.body, Customer)]
        return sum(int(unpack(body.traits[trait])) for body in bodies if trait in body.traits)

    def ids(self, topic: str = "actions") -> list[str]:
        return [msgspec.json.decode(sent.value)["id"] for sent in self.out if sent.topic == topic]

    def tasks(self) -> list[dict[str, Any]]:
        return [msgspec.json.decode(sent.value) for sent in self.out if sent.topic == "tasks"]

    def letters(self) -> list[str]:
        return [dict(sent.headers)["reason"].decode() for sent in self.out if sent.topic == "dead-letter"]

    def state(self) -> list[dict[bytes, bytes]]:
        """All values without who wrote them."""
        return [
            {key: value[:2] + value[6:] for key, value in table.items() if b"partition:" not in key}
            for table in self.tables
        ]


def test_it_is_a_core_as_the_shell_wants_one() -> None:
    core: Core = Lane().core
    assert set(core.input_topics) == {WEB, STOCK, INPUTS}


# Passing on.


def test_an_event_is_applied_where_its_strongest_identifier_lives_whatever_its_key() -> None:
    lane = Lane(partitions=4)
    for number, key in enumerate(("user_id:amy", "email:amy@example.com", "user_id:ben", "x:y", None)):
        lane.event("seen", id_=f"e{number}", key=key)
    lane.settle()
    assert lane.trait("views") == 5
    assert lane.everywhere("views") == 5


def test_a_visitor_of_another_partition_is_linked_and_their_past_comes_along() -> None:
    lane = Lane(partitions=4)
    lane.event("seen", "anonymous_id:a1", id_="e1")
    lane.settle()
    lane.event("seen", "user_id:amy anonymous_id:a1", id_="e2")
    lane.settle()
    assert (lane.trait("views"), lane.node("anonymous_id:a1").to) == (2, "user_id:amy")
    assert lane.node("anonymous_id:a1").body is None


def test_a_producers_retry_counts_once_wherever_it_lands() -> None:
    lane = Lane(partitions=4)
    for key in ("user_id:amy", None, "email:amy@example.com", "user_id:amy"):
        lane.event("seen", id_="e1", key=key)
    lane.settle()
    assert lane.trait("views") == 1
    assert lane.core.statistics.events["seen", "duplicate"] == 3


def test_a_large_batch_counts_every_event_once_whatever_keys_they_came_under() -> None:
    """One customer's events under several keys, and under none, in one batch: each is applied, in any order."""
    lane = Lane()
    keys = ("user_id:amy", None, "email:amy@example.com", "user_id:somebody")
    for number in range(200):
        lane.event("seen", id_=f"e{number}", key=keys[number % len(keys)])
    lane.settle()
    assert lane.trait("views") == 200


def test_a_large_batch_is_the_same_as_many_small_ones() -> None:
    whole, parts = Lane(), Lane()
    for lane in (whole, parts):
        for number in range(150):
            lane.event("seen", f"user_id:u{number % 7}", id_=f"e{number}")
    whole.settle()
    parts.settle(most=3)
    assert [len(table) for table in whole.tables] == [len(table) for table in parts.tables]
    for user in range(7):
        assert whole.trait("views", f"user_id:u{user}") == parts.trait("views", f"user_id:u{user}")


# Replays.


def story(lane: Lane) -> None:
    """Visitors, an order, a merge, timers, a fact, an erasure."""
    lane.event("seen", "anonymous_id:a1", id_="e1", page="/x")
    lane.event("seen", "user_id:ben", id_="e2")
    lane.event("bought", "user_id:amy email:amy@example.com anonymous_id:a1", id_="e3", order="o1")
    lane.event("shipped", "", id_="e4", key=None, order="o1")
    lane.event("bought", "user_id:ben", id_="e5", order="wait")
    lane.event("level", "", id_="e6", key=None, topic=STOCK, sku="A", qty=3)
    lane.event("seen", "anonymous_id:a1", id_="e1", page="/x")


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_replay_of_any_suffix_gives_the_same_bytes_and_the_same_sends(partitions: int) -> None:
    """A worker takes over between any two records, decodes what is durable, and goes on exactly as the first would."""

    def run(over_at: int) -> Lane:
        lane = Lane(partitions=partitions)
        story(lane)
        count = 0
        for hour in (0, 1, 2):
            lane.now = START + hour * (H + S)
            for index in range(partitions):
                lane.tick(index)
            while lane.turn(most=1):
                count += 1
                if count == over_at:
                    lane.start()
            if hour == 1:
                lane.message(Erase("user_id:ben", lane.now))
        return lane

    first = run(over_at=0)
    assert len(first.ids()) == 1
    assert first.trait("shipments") == 1
    for over_at in range(1, 16):
        again = run(over_at)
        assert again.state() == first.state()
        assert again.out == first.out


def test_records_that_are_applied_already_count_nothing_and_decide_nothing_again() -> None:
    """A crash before the commit of anything: everything is read again, and passed over."""
    lane = Lane()
    lane.commits = False
    story(lane)
    lane.settle()
    views, shipments, sent = lane.everywhere("views"), lane.everywhere("shipments"), lane.out
    lane.out = []
    lane.start()
    lane.settle(most=1)
    assert (lane.everywhere("views"), lane.everywhere("shipments")) == (views, shipments) == (2, 1)
    assert {one.value for one in lane.out} <= {one.value for one in sent}, "what is sent again is what was sent"


def test_a_replay_longer_than_any_dedupe_window_counts_nothing_twice() -> None:
    """Ids are remembered for 256 events of an identifier; a replay is known by its offsets, however long it is."""
    lane = Lane()
    lane.commits = False
    for number in range(600):  # in the middle they come without a key, so that the batch is not in order of offsets
        lane.event("seen", "user_id:amy", id_=f"e{number}", key=None if 0 < number < 300 else "")
    lane.settle()
    lane.start()
    lane.settle(most=7)
    assert lane.trait("views") == 600


def test_what_waits_for_its_owner_waits_once_over_a_replay() -> None:
    lane = Lane()
    lane.commits = False
    lane.event("shipped", "", id_="e1", key=None, order="o1")
    lane.settle()
    lane.start()
    lane.settle()
    lane.passes(11 * M)
    assert lane.letters() == ["unowned_reference"]


# The outbox.


def test_what_is_to_be_sent_stands_in_the_same_value_until_the_commit_has_passed_it() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    batch = lane.work(0)
    assert batch is not None
    node = lane.node("user_id:amy")
    assert [entry.topic for entry in node.outbox] == [INPUTS] * len(node.outbox)
    assert len(node.outbox) == len(batch.sends) >= 2  # a link to the address, and whose the order is
    assert decode_head(lane.tables[0][b"default/user_id:amy"]).has_outbox
    lane.settle()
    assert [entry.offset for entry in lane.node("user_id:amy").outbox if entry.source == WEB] == []


@pytest.mark.parametrize("stage", ["changelog", "half", "sent"])
def test_after_a_crash_the_outbox_is_sent_again_byte_for_byte(stage: str) -> None:
    lane, calm = Lane(), Lane()
    for one in (lane, calm):
        one.event("bought", id_="e1", order="o1")
        one.settle()
        one.now = START + 2 * H
        one.tick()
    calm.settle()
    lane.die = stage
    with pytest.raises(Crash):
        lane.settle()
    lane.start()
    lane.settle()
    actions = [sent for sent in lane.out if sent.topic == "actions"]
    assert {sent.value for sent in actions} == {sent.value for sent in calm.out if sent.topic == "actions"}
    assert len(actions) == {"changelog": 1, "half": 1, "sent": 2}[stage]


@pytest.mark.parametrize("stage", ["decided", "changelog", "half", "sent"])
def test_a_message_counts_once_for_its_scenario_wherever_a_worker_died(stage: str) -> None:
    careful = """
scenario: careful
entry: {on: bought}
stop_when: {on: seen, over: 50%, at_least: 9}
steps: [{id: mail, send: {content: em.hello, channel: email}}]
"""
    lane = Lane(program_of(careful), partitions=3)
    for number in range(4):
        lane.event("bought", f"user_id:u{number} email:u{number}@example.com", id_=f"e{number}", order=f"o{number}")
    settle_with_crashes(lane, stage)
    lane.event("seen", "user_id:u1", id_="s1")
    settle_with_crashes(lane, stage)
    body = lane.node("scenario:careful").body
    assert isinstance(body, Breaker)
    assert [(sent, met) for _, sent, met in body.parts] == [(4, 1)]


def settle_with_crashes(lane: Lane, stage: str) -> None:
    for _ in range(2):
        lane.die = stage
        with contextlib.suppress(Crash):
            lane.settle()
        lane.die = ""
        lane.start()
    lane.settle()


def test_what_the_commit_covers_is_not_sent_again() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    lane.now = START + 2 * H
    lane.tick()
    lane.settle()
    assert lane.node("user_id:amy").outbox, "it still stands there: nothing was written since"
    lane.start()
    assert len(lane.ids()) == 1
    lane.event("seen", id_="e2")
    lane.settle()
    assert lane.node("user_id:amy").outbox == []


CARE = """
scenario: care
entry: {on: bought}
steps: [{id: call, task: {queue: care, key: '"care"', due: 1h}}]
"""


@pytest.mark.parametrize("partitions", [1, 4])
def test_a_task_that_was_withdrawn_elsewhere_is_not_opened_again_by_the_outbox_of_where_it_was(partitions: int) -> None:
    lane = Lane(program_of(CARE), partitions)
    lane.commits = False
    lane.event("bought", "anonymous_id:a1", id_="e1", order="o1")
    lane.settle()
    lane.event("seen", "user_id:amy anonymous_id:a1", id_="e2")
    lane.settle()
    assert [(task["state"], task["node"]) for task in lane.tasks()] == [
        ("open", "default/anonymous_id:a1"), ("open", "default/user_id:amy"),
    ]  # fmt: skip
    lane.message(Erase("user_id:amy", lane.now + 1))
    lane.settle()
    lane.start()
    lane.settle()
    assert lane.tasks()[-1]["state"] == "withdrawn"
    assert [task["revision"] for task in lane.tasks()[:3]] == [1, 2, 3]


@pytest.mark.parametrize("stage", ["decided", "changelog", "half"])
def test_the_open_task_of_somebody_who_moves_is_told_wherever_the_worker_dies(stage: str) -> None:
    lane = Lane(program_of(CARE), 4)
    lane.commits = False
    lane.event("bought", "anonymous_id:a1", id_="e1", order="o1")
    lane.event("seen", "user_id:amy anonymous_id:a1", id_="e2")
    lane.die = stage
    with pytest.raises(Crash):
        lane.settle()
    lane.start()
    lane.settle()
    assert (lane.tasks()[-1]["state"], lane.tasks()[-1]["node"]) == ("open", "default/user_id:amy")


def test_who_was_refused_tells_of_open_tasks_anew() -> None:
    lane = Lane(program_of(CARE), 4)
    home, amys = (partition_of(node_key("default", name), 4) for name in ("anonymous_id:a1", "user_id:amy"))
    lane.event("bought", "anonymous_id:a1", id_="e1", order="o1")
    lane.settle()
    lane.event("seen", "user_id:amy anonymous_id:a1", id_="e2")
    lane.work(amys)
    lane.work(home)
    moving = lane.node("anonymous_id:a1")
    assert (moving.to, len(lane.tasks())) == ("user_id:amy", 1)
    lane.message(Refused("anonymous_id:a1", moving.epoch, [], lane.now))
    lane.work(home)
    assert [(task["state"], task["node"]) for task in lane.tasks()] == [("open", "default/anonymous_id:a1")] * 2


def test_a_step_that_was_lost_sent_nothing() -> None:
    """Before the changelog is acknowledged nothing may leave."""
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.die = "decided"
    with pytest.raises(Crash):
        lane.settle()
    assert (lane.out, [log for (topic, _), log in lane.logs.items() if topic == INPUTS], len(lane.tables[0])) == (
        [],
        [],
        1,
    )


# Ticks.


def test_a_tick_comes_when_something_is_due_and_what_was_on_its_way_had_its_time() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    due = START + H
    for at, expected in ((due - 1, None), (due, None), (due + 299, None), (due + 300, Tick(timers=True))):
        lane.now = at
        assert lane.tick() == expected


def test_at_most_one_tick_is_unread() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    lane.now = START + 2 * H
    assert lane.tick() is not None
    assert lane.tick() is None
    lane.settle()
    assert lane.tick() is None, "and nothing is due any more"
    lane.start()
    assert lane.tick() is None


def test_a_tick_that_was_never_read_is_asked_for_again_after_a_restart() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    lane.now = START + 2 * H
    assert lane.core.tick(0, lane.now) is not None  # it did not get to the broker
    lane.start()
    assert lane.tick() == Tick(timers=True)


def test_a_tick_acts_on_nothing_that_is_due_after_its_own_record_time_less_what_is_on_its_way() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    lane.now = START + H + 299
    lane.append(INPUTS, b"default/partition:0", encode_message(Tick(timers=True)), 0)
    lane.settle()
    assert lane.ids() == []
    lane.now += 1
    lane.append(INPUTS, b"default/partition:0", encode_message(Tick(timers=True)), 0)
    lane.settle()
    assert len(lane.ids()) == 1


def test_a_timer_that_has_acted_does_not_act_again() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    lane.now = START + 2 * H
    for _ in range(3):
        lane.append(INPUTS, b"default/partition:0", encode_message(Tick(timers=True)), 0)
    lane.settle()
    assert len(lane.ids()) == 1


def test_timers_survive_a_restart_by_the_heads_of_values_alone() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    assert decode_head(lane.tables[0][b"default/user_id:amy"]).due == START + H
    lane.start()
    lane.passes(2 * H)
    assert len(lane.ids()) == 1
    assert lane.core.statistics.lateness == [H]


# Facts.


def level(lane: Lane, qty: int, id_: str, time: str, sku: str = "A") -> None:
    lane.event("level", "", id_=id_, key=None, topic=STOCK, sku=sku, qty=qty, time=time)


def test_of_a_row_the_newest_event_time_wins() -> None:
    lane = Lane(partitions=3)
    level(lane, 3, "l1", "2026-03-02T08:59:00Z")
    level(lane, 9, "l2", "2026-03-02T08:58:00Z")
    lane.settle()
    level(lane, 2, "l3", "2026-03-02T08:59:30Z")
    lane.settle()
    body = lane.node("fact:stock/A").body
    assert isinstance(body, FactRow)
    assert body.row == {"qty": 2}
    rows = [(sent.key, msgspec.json.decode(sent.value)) for sent in lane.out if sent.topic == "facts"]
    assert rows == [(b"default/stock/A", {"qty": 3}), (b"default/stock/A", {"qty": 2})]
    made = [dict(sent.headers)["at"] for sent in lane.out if sent.topic == "facts"]
    assert made == sorted(made), "each says when it was made, so that a late one is known by it"


def test_who_waits_for_a_fact_is_looked_at_by_a_tick_when_it_changes_and_nobody_else() -> None:
    lane = Lane(partitions=3)
    lane.event("bought", "user_id:amy", id_="e1", order="wait")
    lane.settle()
    assert [lane.tick(index) for index in range(3)] == [None, None, None]
    level(lane, 3, "l1", "2026-03-02T09:00:00Z", sku="B")
    lane.settle()
    assert [lane.tick(index) for index in range(3)] == [None, None, None]
    level(lane, 3, "l2", "2026-03-02T09:00:00Z")
    lane.settle()
    home = partition_of(b"default/user_id:amy", 3)
    ticks = [lane.tick(index) for index in range(3)]
    assert [tick is not None for tick in ticks] == [index == home for index in range(3)]
    lane.settle()
    assert len([sent for sent in lane.out if sent.topic == "emitted"]) == 1


def test_after_a_restart_every_fact_waited_for_is_looked_at_again() -> None:
    """The row may have changed while nobody was there."""
    lane = Lane()
    lane.event("bought", "user_id:amy", id_="e1", order="wait")
    lane.settle()
    lane.start()
    tick = lane.tick()
    assert tick is not None
    assert tick.facts == ["stock/A"]


def test_what_fell_due_while_nobody_was_there_acts_at_its_time_though_facts_are_looked_at_in_the_same_tick() -> None:
    lane = Lane()
    lane.event("bought", AMY, id_="e1", order="wait")
    lane.settle()
    lane.now += 2 * H
    lane.start()
    tick = lane.tick()
    assert tick is not None
    assert (tick.timers, tick.facts) == (True, ["stock/A"])
    lane.settle()
    assert [contact.at for contact in lane.customer().contacts] == [START + 1 * H]


# References.


def test_an_event_that_carries_only_a_reference_goes_to_whoever_used_it_first() -> None:
    lane = Lane(partitions=3)
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    lane.event("bought", "user_id:ben", id_="e2", order="o1")
    lane.event("shipped", "", id_="e3", key=None, order="o1")
    lane.settle()
    assert (lane.trait("shipments"), lane.trait("shipments", "user_id:ben")) == (1, 0)


def test_what_comes_before_its_owner_waits_for_it() -> None:
    lane = Lane(partitions=3)
    lane.event("shipped", "", id_="e1", key=None, order="o1")
    lane.settle()
    lane.passes(9 * M)
    lane.start()
    lane.event("bought", id_="e2", order="o1")
    lane.settle()
    assert (lane.trait("shipments"), lane.letters()) == (1, [])
    lane.passes(20 * M)
    assert lane.letters() == []


def test_what_nobody_owns_within_the_lateness_goes_to_dead_letter_as_it_came() -> None:
    lane = Lane(partitions=3)
    lane.event("shipped", "", id_="e1", key=None, order="o1")
    lane.settle()
    lane.passes(10 * M + 299)
    assert lane.letters() == []
    lane.passes(10 * M + 300)
    assert lane.letters() == ["unowned_reference"]
    [letter] = [sent for sent in lane.out if sent.topic == "dead-letter"]
    assert (msgspec.json.decode(letter.value)["id"], dict(letter.headers)["topic"]) == ("e1", b"channel.web")
    body = lane.node("order:o1").body
    assert isinstance(body, Reference)
    assert body.waiting == []


def test_a_reference_follows_its_owner_over_a_merge() -> None:
    lane = Lane(partitions=3)
    lane.event("bought", "anonymous_id:a1", id_="e1", order="o1")
    lane.settle()
    lane.event("seen", "user_id:amy anonymous_id:a1", id_="e2")
    lane.settle()
    lane.event("shipped", "", id_="e3", key=None, order="o1")
    lane.settle()
    assert lane.trait("shipments") == 1


# Releases.


def next_release(version: int = 2) -> Program:
    changed = TALE.replace("version: 1", f"version: {version}").replace("for: 1h", "for: 2h")
    return program_of(changed.replace("id: wait", "id: rest"), LEVEL, older=(PROGRAM,))


def test_a_release_begins_by_a_tick_of_each_partition_once() -> None:
    lane = Lane()
    following = next_release()
    lane.programs.append(following)
    lane.core.publish(following)
    tick = lane.tick()
    assert tick is not None
    assert tick.release == following.release
    lane.settle()
    body = lane.node("partition:0").body
    assert isinstance(body, PartitionState)
    assert body.release == following.release
    assert lane.tick() is None
    lane.append(INPUTS, b"default/partition:0", encode_message(tick), 0)
    lane.settle()
    assert lane.node("partition:0").body == body, "the same release again is nothing"


def test_records_before_the_tick_run_on_the_old_release_and_those_after_it_on_the_new() -> None:
    lane = Lane()
    following = next_release()
    lane.core.publish(following)
    lane.event("bought", "user_id:old", id_="e1", order="o1")
    lane.now += 1
    lane.tick()
    lane.now += 1
    lane.event("bought", "user_id:new", id_="e2", order="o2")
    lane.settle()  # in one batch
    assert [one.version for one in lane.customer("user_id:old").instances] == [1]
    assert [one.version for one in lane.customer("user_id:new").instances] == [2]


def test_instances_finish_on_the_version_they_began() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    following = next_release()
    lane.programs.append(following)
    lane.core.publish(following)
    lane.tick()
    lane.settle()
    lane.start()
    assert [one.step for one in lane.customer().instances[0].standing] == ["wait"]
    lane.passes(1 * H + S)
    assert len(lane.ids()) == 1


def test_a_partition_stands_on_its_release_over_a_restart_until_its_tick() -> None:
    lane = Lane()
    following = next_release()
    lane.programs.append(following)
    lane.start()  # published while nobody was there
    owned = lane.core.owned(0)
    assert owned is not None
    assert owned.release == PROGRAM.release
    tick = lane.tick()
    assert tick is not None
    assert tick.release == following.release


def test_a_release_that_nobody_has_any_more_says_what_to_do() -> None:
    lane = Lane()
    lane.programs = [next_release()]
    with pytest.raises(MissingReleaseError, match="publish that bundle again"):
        lane.start()


def test_a_tick_to_a_release_that_was_retired_meanwhile_changes_nothing_and_the_next_one_goes_to_what_counts() -> None:
    """Behind all that its worker had still to do, it came when nobody held that release any more."""
    lane = Lane()
    passed_over, following = next_release(), next_release(3)
    lane.core.publish(passed_over)
    lane.tick()
    lane.core.publish(following)
    lane.core.retire([passed_over.release], {})
    lane.settle()
    owned = lane.core.owned(0)
    assert owned is not None
    assert owned.release == PROGRAM.release
    lane.tick()
    lane.settle()
    assert owned.release == following.release


# Ownership.


def test_each_owner_has_a_number_one_higher_than_the_one_before_and_writes_it() -> None:
    lane = Lane()
    lane.event("seen", id_="e1")
    lane.settle()
    assert decode_head(lane.tables[0][b"default/user_id:amy"]).writer == 1
    lane.start()
    assert decode_head(lane.tables[0][b"default/partition:0"]).writer == 2
    lane.event("seen", id_="e2")
    lane.settle()
    assert decode_head(lane.tables[0][b"default/user_id:amy"]).writer == 2


def test_two_owners_have_two_numbers_though_the_second_has_not_read_the_record_of_the_first() -> None:
    """It was still on its way when the partition changed hands: the group's generation tells them apart."""
    first, second = (CustomerCore(PROGRAM, Facts(), (WEB, STOCK), 1) for _ in range(2))
    late = first.assigned(0, {}, {}, START, generation=7).changelog
    written = second.assigned(0, {}, {}, START, generation=8).changelog
    numbers = [decode_head(value or b"").writer for _, value in (*late, *written)]
    assert numbers == [7, 8]
    assert [second.accepts(8, value or b"") for _, value in late] == [-1]


def test_a_number_never_goes_back_though_generations_begin_anew() -> None:
    """A group that nobody was in for long is forgotten by the broker."""
    values: dict[bytes, bytes] = {}
    numbers = []
    for generation in (7, 8, 1, 2, 0):
        core = CustomerCore(PROGRAM, Facts(), (WEB, STOCK), 1)
        values.update((key, value or b"") for key, value in core.assigned(0, values, {}, START, generation).changelog)
        numbers += [decode_head(value).writer for value in values.values()]
    assert numbers == [7, 8, 9, 10, 11]


def test_a_value_written_by_who_had_lost_the_partition_does_not_count() -> None:
    core = Lane().core
    assert core.accepts(0, encode_node(Node(), 3, 0)) == 3
    assert core.accepts(3, encode_node(Node(), 3, 0)) == 3
    assert core.accepts(3, encode_node(Node(), 4, 0)) == 4
    assert core.accepts(4, encode_node(Node(), 3, 0)) == -1


def test_a_partition_that_is_given_up_is_forgotten() -> None:
    lane = Lane()
    lane.event("bought", id_="e1", order="o1")
    lane.settle()
    lane.core.revoked(0)
    assert lane.core.owned(0) is None
    assert lane.core.tick(0, START + 2 * H) is None
    lane.core.committed(0, {WEB: 5})  # a commit that was under way


# Crashes, anywhere.

USERS = ["user_id:amy", "user_id:ben", "email:e1", "email:e2", "anonymous_id:a1", "anonymous_id:a2"]
STORIES = st.lists(
    st.tuples(
        st.sampled_from(["seen", "seen", "bought"]),
        st.lists(st.sampled_from(USERS), min_size=1, max_size=2, unique=True),
        st.sampled_from(["own", "own", "other", "none"]),
    ),
    min_size=1,
    max_size=8,
)


class Fate:
    """Runs a story with a worker that dies now and then, and starts again."""

    def __init__(self, seed: int, partitions: int) -> None:
        self.dice = random.Random(seed)
        self.lane = Lane(partitions=partitions)

    def run(self, events: list[tuple[str, list[str], str]]) -> Lane:
        lane, dice = self.lane, self.dice
        for number, (type_, who, key) in enumerate(events):
            nodes = sorted(who, key=PROGRAM.identity.rank)
            for _ in range(dice.choice([1, 1, 2])):  # a producer may retry
                under = {"own": "", "other": dice.choice(USERS), "none": None}[key]
                lane.event(type_, " ".join(nodes), id_=f"e{number}", key=under, order=f"o{number}")
            lane.now += dice.randrange(3) * 100
            self._some_work()
        for hour in (1, 2, 3):
            lane.now = START + hour * H + 5 * M
            for _ in range(3):
                self._ticks()
                while any(lane.unread(index) for index in range(lane.partitions)):
                    self._some_work()
        return lane

    def _some_work(self) -> None:
        lane, dice = self.lane, self.dice
        for _ in range(dice.randrange(6)):
            lane.die = dice.choice(["decided", "changelog", "half", "sent", "", "", "", ""])
            try:
                lane.work(dice.randrange(lane.partitions), dice.choice([1, 2, 100]))
            except Crash:
                lane.start()
            lane.die = ""

    def _ticks(self) -> None:
        for index in range(self.lane.partitions):
            self.lane.tick(index)


@settings(max_examples=60, deadline=None)
@given(STORIES, st.integers(0, 1 << 30), st.integers(1, 3))
def test_every_event_counts_once_and_no_action_is_lost_or_doubled_whenever_the_worker_dies(
    events: list[tuple[str, list[str], str]], seed: int, partitions: int
) -> None:
    lane = Fate(seed, partitions).run(events)
    assert lane.letters() == []
    assert lane.everywhere("views") == sum(type_ == "seen" for type_, _, _ in events)
    remembered = {
        contact.id
        for table in lane.tables
        for value in table.values()
        if isinstance(body := decode_node(value).body, Customer) and decode_node(value).to is None
        for contact in body.contacts
    }
    assert set(lane.ids()) == remembered, "what was sent is what is remembered"
    by_id: dict[str, set[bytes]] = {}
    for sent in lane.out:
        if sent.topic == "actions":
            by_id.setdefault(msgspec.json.decode(sent.value)["id"], set()).add(sent.value)
    assert all(len(values) == 1 for values in by_id.values()), "sent again, it is the same byte for byte"
    for table in lane.tables:
        for key, value in table.items():
            node = decode_node(value)
            assert node.to is None or node.body is None, f"{key!r} is still moving"
