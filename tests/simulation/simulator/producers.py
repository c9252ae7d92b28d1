"""Who writes into the stream: what happens is told once, again, under other keys, late; and messages come again."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Final

import msgspec

from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import node_key
from orchestrator.model.message import Erase, Reset, Shown, encode_message
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.faults import Fault
from tests.simulation.simulator.house import COUNTED, LATENESS, OWNERSHIP
from tests.simulation.simulator.story import Happening, Story
from tests.simulation.simulator.tracing import describe, kind_of

REQUEST: Final = "5a" * 16
"""The token of the erasure, where there is one."""

_encode = msgspec.json.Encoder().encode


class Producers:
    """Everybody who tells something, in the order of the story.

    Attributes:
        told: event id -> event time of what was told so far.
    """

    def __init__(self, story: Story, broker: Broker, rng: Random, say: Callable[[str], None]) -> None:
        self.story = story
        self.broker = broker
        self.rng = rng
        self.say = say
        self.told: dict[str, int] = {}
        self._waiting = list(story.happenings)
        self._retold: list[tuple[Fault, str, int, bytes | None, bytes]] = []
        self._times: set[int] = set()

    @property
    def busy(self) -> bool:
        """Whether there is something to tell, or to tell again."""
        return bool(self._waiting or self._retold)

    def go_on(self) -> None:
        """The next that happens is told, or something again."""
        rng = self.rng
        if self._retold and (not self._waiting or rng.random() < 0.3):
            fault, topic, partition, key, value = self._retold.pop(int(rng.random() * len(self._retold)))
            self.broker.met[fault] += 1
            self.say(f"told again on {topic}/{partition}")
            self.broker.append(topic, partition, key, value)
        elif self._waiting:
            self._tell(self._waiting.pop(0))

    def _tell(self, happening: Happening) -> None:
        time = self._time_of(happening)
        value = self._value_of(happening, time)
        self._count(happening, time)
        self.told[happening.name] = time
        for place, keyed in enumerate((happening.key, *happening.again)):
            key = node_key("default", keyed) if keyed else None
            partition = self.broker.place(happening.topic, key)
            if place == 0:
                self.say(f"{happening.topic}/{partition}: {happening}")
                self.broker.append(happening.topic, partition, key, value)
            else:
                again = Fault.TOLD_AGAIN if keyed == happening.key else Fault.TOLD_ELSEWHERE
                self._retold.append((again, happening.topic, partition, key, value))

    def _time_of(self, happening: Happening) -> int:
        """When it happened; no two at the same time."""
        self.broker.clock += 1
        time = self.broker.clock - happening.behind
        while time in self._times:
            time -= 1
        self._times.add(time)
        return time

    def _value_of(self, happening: Happening, time: int) -> bytes:
        if happening.type == "erase":
            return encode_message(Erase(happening.nodes[0], time, REQUEST))
        if happening.type == "split":
            return encode_message(Reset(happening.nodes[0], time, list(happening.nodes)))
        if happening.type == "slot_shown":
            return encode_message(Shown(happening.nodes[0], time, dict(happening.data), happening.name))
        identifiers = dict(node.split(":", 1) for node in happening.nodes)
        return _encode({
            "id": happening.name, "source": "shop", "type": happening.type,
            "time": datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds"),
            "data": identifiers | happening.data,
        })  # fmt: skip

    def _count(self, happening: Happening, time: int) -> None:
        """Which troubles an event brings along."""
        met = self.broker.met
        if happening.type not in COUNTED:
            return
        if happening.behind > LATENESS:
            met[Fault.LATE] += 1
        elif any(time < other for other in self.told.values()):
            met[Fault.OUT_OF_ORDER] += 1
        if not happening.key:
            met[Fault.NO_KEY] += 1
        elif happening.nodes and happening.key not in happening.nodes:
            met[Fault.KEY_OF_ANOTHER] += 1

    def repeat(self) -> None:
        """A record comes again, though nobody crashed: at least once is all that is promised between nodes."""
        logs = [log for (topic, _), log in self.broker.logs.items() if topic == INPUTS and log]
        if self.story.echoes:
            logs = [found for log in logs if (found := [one for one in log if kind_of(one) in self.story.echoes])]
        if logs:
            log = self.rng.choice(logs)
            record = log[int(self.rng.random() * len(log))]
            if not (record.key or b"").startswith(OWNERSHIP):
                self.say(f"again: {describe(record)}")
                self.broker.met[Fault.ECHO] += 1
                self.broker.append(INPUTS, record.partition, record.key, record.value or b"")
