"""A release in the middle of a batch: what stood before it, what stands behind it, and what a crash leaves of it."""

from collections.abc import Iterator

import msgspec
import pytest

from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer, PartitionState
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import node_key
from orchestrator.model.message import Tick, encode_message
from orchestrator.stream.lane import partition
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Batch, Record

START = 1_772_442_000_000
WEB = "channel.web"
HOUSE = """
bundle: house
---
channels: all
define: {{web: {{sends: pull}}}}
---
events: all
define: {{seen: {{channel: [web]}}, done: {{channel: [web]}}}}
---
identity: all
namespaces: {{user_id: unique}}
---
scenario: tale
version: {version}
entry: {{on: seen}}
in_flight: {in_flight}
steps: [{{id: wait{version}, delay: {{for: 5s}}}}, {{id: tell, emit: {{event: done}}}}]
"""
SCHEMAS = EventSchemas.from_topics([{"topic": WEB, "events": {"seen": {"properties": {}}}}])


def program_of(version: int, in_flight: str, older: tuple[Program, ...] = ()) -> Program:
    text = HOUSE.format(version=version, in_flight=in_flight)
    loaded = load_bundle({"house.yaml": text.encode()}, SCHEMAS)
    assert loaded.bundle is not None, [str(one) for one in loaded.diagnostics]
    return build_program(loaded.bundle, older)


BEFORE = program_of(1, "pin")
AFTER = program_of(2, "end", (BEFORE,))


class Topic:
    """Records of one partition, each a little later than the one before."""

    def __init__(self) -> None:
        self.now = START
        self._offsets = {WEB: 0, INPUTS: 0}

    def seen(self, who: str) -> Record:
        value = msgspec.json.encode({"id": f"{who}{self.now}", "source": "s", "type": "seen", "data": {"user_id": who}})
        return self._record(WEB, f"user_id:{who}", value)

    def tick(self, tick: Tick) -> Record:
        return self._record(INPUTS, "partition:0", encode_message(tick))

    def _record(self, topic: str, name: str, value: bytes) -> Record:
        self.now += 10
        self._offsets[topic] += 1
        return Record(topic, 0, self._offsets[topic] - 1, self.now, node_key("default", name), value)


@pytest.fixture
def topic() -> Topic:
    return Topic()


def worker(table: dict[bytes, bytes]) -> CustomerCore:
    core = CustomerCore(BEFORE, Facts(), (WEB,), 1)
    write(table, core.assigned(0, table, {}, START).changelog)
    core.publish(AFTER)
    return core


def write(table: dict[bytes, bytes], changelog: list[tuple[bytes, bytes | None]]) -> None:
    table.update((key, value) for key, value in changelog if value is not None)


def versions(table: dict[bytes, bytes]) -> Iterator[int]:
    for value in table.values():
        body = decode_node(value).body
        if isinstance(body, Customer):
            yield from (instance.version for instance in body.instances)


def release(table: dict[bytes, bytes]) -> str:
    state = decode_node(table[node_key("default", "partition:0")]).body
    assert isinstance(state, PartitionState)
    return state.release


def test_wherever_a_changelog_is_cut_off_nobody_is_on_a_release_that_the_partition_is_not_on(topic: Topic) -> None:
    """Amy's value is written with the version of the first release, and again with what the second made of her."""
    table: dict[bytes, bytes] = {}
    core = worker(table)
    records = [topic.seen("amy"), topic.tick(Tick(release=AFTER.release)), topic.seen("bob"), topic.seen("amy")]
    changelog = core.process(0, records, topic.now).changelog
    for cut in range(len(changelog) + 1):
        left = dict(table)
        write(left, changelog[:cut])
        behind = release(left) == BEFORE.release
        assert not (behind and 2 in versions(left)), f"{cut} of {len(changelog)} records were written"
    write(table, changelog)
    assert (release(table), sorted(versions(table))) == (AFTER.release, [2, 2])


def acted(batch: Batch) -> list[str]:
    return [sent.topic for sent in batch.sends]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_tick_acts_on_what_was_begun_before_it_however_records_fall_into_batches(topic: Topic, at_once: bool) -> None:
    """Who is due before the release ends by the old one, whether or not all this is read in one go."""
    table: dict[bytes, bytes] = {}
    core = worker(table)
    records = [topic.seen("amy")]
    topic.now += 6_000
    records += [topic.tick(Tick(timers=True)), topic.tick(Tick(release=AFTER.release))]
    sends = []
    for part in [records] if at_once else [[record] for record in records]:
        batch = core.process(0, part, topic.now)
        write(table, batch.changelog)
        sends += acted(batch)
    assert sends == ["emitted"]


def test_what_came_before_a_release_is_not_forgotten_behind_it(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker with more customers than it keeps decoded lets some go; not before their values are in the table."""
    monkeypatch.setattr(partition, "MOST_LIVE", 0)
    table: dict[bytes, bytes] = {}
    core = worker(table)
    records = [topic.seen("amy"), topic.tick(Tick(release=AFTER.release)), topic.seen("amy")]
    write(table, core.process(0, records, topic.now).changelog)
    amy = decode_node(table[node_key("default", "user_id:amy")]).body
    assert isinstance(amy, Customer)
    assert amy.version == 2
