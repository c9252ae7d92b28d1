"""Whatever producers write, the core takes it in or sets it aside: no event ends a worker, over all that ships."""

import random
from collections import deque
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml

from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.effect import INPUTS
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.outbox import DEAD_LETTER
from orchestrator.stream.lane.records import Batch, Outgoing, Record

ROOT: Final = Path(__file__).parents[3]
TOPICS: Final = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "topics").glob("*.yaml"))]
TYPES: Final = [
    (topic["topic"], name, schema.get("properties", {}))
    for topic in TOPICS
    for name, schema in topic.get("events", {}).items()
]
START: Final = 1_772_442_000_000
RECORDS: Final = 4_000

LIKELY: Final[dict[str, list[Any]]] = {
    "string": ["lumo-1", "a", "b", "email", "marketing", "fr", "station-q1"],
    "integer": [0, 1, 2],
    "number": [1.5, 2, 100],
    "boolean": [True, False],
    "array": [["a"], ["lumo-1"], [{"sku": "lumo-1", "qty": 1, "price": 3.0}]],
    "object": [{"a": 1}],
}
ODD: Final[dict[str, list[Any]]] = {
    "string": ["", "\x00", "é" * 50, "9999-12-31T23:59:59Z", "18-20", "²-5", "Nowhere/Zone", "../etc"],
    "integer": [-1, 2**63 - 1, -(2**63), 2**64, 2**70],
    "number": [-1, 2**70, 1e308, -1e308, 5e-324],
    "boolean": [True, False],
    "array": [[], [None], [[]], [{}], [1, "a"], [{"sku": None}], [{"sku": ["a"], "qty": "2"}], [0.1] * 9_000],
    "object": [{}, {"a": None}, {"a": [2**70]}],
}
ANYTHING: Final = [None, *(value for values in ODD.values() for value in values)]
UNDECLARED: Final = ("items", "sku", "thread", "message", "order", "ticket", "token", "language", "zone", "purpose")


@pytest.fixture(scope="module")
def program() -> Program:
    folder = ROOT / "scenarios"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    bundle = load_bundle(files, EventSchemas.from_topics(TOPICS)).bundle
    assert bundle is not None
    return build_program(bundle)


class Lane:
    """One partition, its messages to itself, and a producer without any manners."""

    def __init__(self, program: Program, seed: int) -> None:
        self.random = random.Random(seed)
        self.table: dict[bytes, bytes] = {}
        self.messages: deque[Outgoing] = deque()
        self.now, self.offset, self.set_aside = START, 0, 0
        self.core = CustomerCore(program, Facts(program.base_facts), sorted({topic for topic, _, _ in TYPES}), 1)
        self.take(self.core.assigned(0, self.table, {}, START))

    def take(self, batch: Batch) -> None:
        assert not batch.rest, "it would be set aside"
        for key, value in batch.changelog:
            if value is None:
                self.table.pop(key, None)
            else:
                self.table[key] = value
        self.messages += [sent for sent in batch.sends if sent.topic == INPUTS]
        self.set_aside += sum(sent.topic == DEAD_LETTER for sent in batch.sends)
        self.core.committed(0, batch.offsets)

    def comes(self) -> None:
        """One record: a message or a tick that is due, else an event."""
        self.offset += 1
        draw = self.random.random()
        if self.messages and draw < 0.6:
            sent = self.messages.popleft()
            record = Record(INPUTS, 0, self.offset, self.now, sent.key, sent.value)
        elif draw < 0.7:
            self.now += self.random.choice([1_000, 60_000, 3_600_000, 3 * 86_400_000])
            tick = self.core.tick(0, self.now)
            record = Record(INPUTS, 0, self.offset, self.now + 400, tick.key, tick.value) if tick else self.event()
        else:
            record = self.event()
        self.take(self.core.process(0, [record], self.now))

    def event(self) -> Record:
        draw = self.random
        topic, name, properties = draw.choice(TYPES)
        data = {each: self.value(schema) for each, schema in properties.items() if draw.random() < 0.8}
        if draw.random() < 0.2:
            data[draw.choice(UNDECLARED)] = draw.choice(ANYTHING)
        data[draw.choice(["user_id", "email"])] = f"u{draw.randrange(6)}"
        if draw.random() < 0.3:
            data["anonymous_id"] = f"a{draw.randrange(6)}"
        event = {"id": f"e{self.offset}", "source": "s", "type": name, "data": data}
        return Record(topic, 0, self.offset, self.now, None, msgspec.json.encode(event))

    def value(self, schema: dict[str, Any]) -> Any:
        """Mostly of its type, often an odd one of it, now and then anything."""
        kind, draw = schema["type"], self.random.random()
        return self.random.choice(LIKELY[kind] if draw < 0.6 else ODD[kind] if draw < 0.9 else ANYTHING)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_event_ends_a_worker(program: Program, seed: int) -> None:
    lane = Lane(program, seed)
    for _ in range(RECORDS):
        lane.comes()
    assert 0 < lane.set_aside < RECORDS / 2, "hardly anything was refused, or hardly anything taken in"
    assert lane.core.statistics.take().entered, "no story began: nothing was tried"
