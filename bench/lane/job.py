"""The lab's tiny job: per customer a count, the last type, a sum and the last five skus; an action on each purchase.

Once as a core for the lane, with everything that the lane's promises ask of a core (the offset of what is applied
in each value, an outbox in it, an ownership number in its head), once as plain functions for a plain Faust agent.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
import orjson

from orchestrator.stream.lane.records import Batch, Outgoing, Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

EVENTS, ACTIONS = "events", "actions"
CUSTOMERS = 10_000
TYPES = ["page_view"] * 70 + ["add_to_cart"] * 15 + ["search"] * 10 + ["purchase"] * 5
HEAD = 9


class Event(msgspec.Struct, gc=False):
    customer_id: str
    type: str
    ts: int
    value: float
    sku: str


class State(msgspec.Struct, array_like=True, gc=False):
    n: int
    last_type: str
    last_ts: int
    sum: float
    skus: list[str]
    offset: int
    outbox: list[tuple[int, bytes]]


class Action(msgspec.Struct, gc=False):
    id: str
    customer_id: str
    action: str
    n: int
    ts: int
    sum: float


decode_event = msgspec.json.Decoder(Event).decode
decode_state = msgspec.msgpack.Decoder(State).decode
encode_state = msgspec.msgpack.Encoder().encode
encode_action = msgspec.json.Encoder().encode


def events(count: int, seed: int = 7) -> Iterator[tuple[bytes, bytes]]:
    """The input, about 220 bytes each: (key, value)."""
    choice = random.Random(seed)
    ts = 1_760_000_000_000
    for _ in range(count):
        customer = f"cust-{choice.randrange(CUSTOMERS):06d}"
        ts += choice.randrange(40)
        value = {
            "customer_id": customer,
            "type": choice.choice(TYPES),
            "ts": ts,
            "value": round(choice.random() * 200, 2),
            "sku": f"SKU-{choice.randrange(5000):05d}",
            "channel": "web",
            "session": f"{choice.getrandbits(64):016x}",
            "url": f"https://shop.example/p/{choice.randrange(5000)}",
        }
        yield customer.encode(), orjson.dumps(value)


class _Partition:
    def __init__(self, values: Mapping[bytes, bytes], committed: int) -> None:
        self.values = values
        self.live: dict[bytes, State] = {}
        self.committed = committed
        self.head = b""

    def load(self, key: bytes) -> State:
        value = self.values.get(key)
        return State(0, "", 0, 0.0, [], -1, []) if value is None else decode_state(value[HEAD:])


class TinyCore:
    """The job as a core."""

    def __init__(self, events_topic: str = EVENTS, actions_topic: str = ACTIONS) -> None:
        self.input_topics = (events_topic,)
        self.applied = 0
        self._events = events_topic
        self._actions = actions_topic
        self._partitions: dict[int, _Partition] = {}

    def accepts(self, previous: int, value: bytes) -> int:
        number = int.from_bytes(value[:8], "big")
        return number if number >= previous else -1

    def assigned(
        self,
        partition: int,
        values: Mapping[bytes, bytes],
        committed: Mapping[str, int],
        now: int,
        generation: int = 0,
    ) -> Batch:
        number = 1
        again: list[Outgoing] = []
        owned = self._partitions[partition] = _Partition(values, committed.get(self._events, 0))
        for key, value in values.items():
            number = max(number, int.from_bytes(value[:8], "big") + 1)
            if value[8]:
                state = decode_state(value[HEAD:])
                again += [Outgoing(self._actions, key, a) for at, a in state.outbox if at >= owned.committed]
        owned.head = number.to_bytes(8, "big")
        marker = encode_state(State(0, "", 0, 0.0, [], -1, []))
        return Batch([(b"partition:%d" % partition, owned.head + b"\0" + marker)], again)

    def process(self, partition: int, records: Sequence[Record], now: int) -> Batch:
        owned = self._partitions[partition]
        live, actions, actions_topic = owned.live, [], self._actions
        touched: dict[bytes, State] = {}
        for record in records:
            key: bytes = record.key  # type: ignore[assignment]  # the bench's own events have key and value
            state = touched.get(key)
            if state is None:
                state = live.get(key)
                if state is None:
                    state = live[key] = owned.load(key)
                touched[key] = state
            if record.offset <= state.offset:
                continue
            event = decode_event(record.value)  # type: ignore[arg-type]
            state.offset = record.offset
            state.n += 1
            state.last_type = kind = event.type
            state.last_ts = event.ts
            state.sum += event.value
            skus = state.skus
            skus.append(event.sku)
            if len(skus) > 5:
                del skus[0]
            if kind == "purchase":
                name = event.customer_id
                action = encode_action(Action(f"{name}:{state.n}", name, "thank_you", state.n, event.ts, state.sum))
                actions.append(Outgoing(actions_topic, key, action))
                state.outbox.append((record.offset, action))
        self.applied += len(records)
        return Batch(self._encode(owned, touched), actions, {self._events: records[-1].offset + 1})

    def _encode(self, owned: _Partition, touched: dict[bytes, State]) -> list[tuple[bytes, bytes | None]]:
        plain, waiting, committed = owned.head + b"\0", owned.head + b"\1", owned.committed
        changes: list[tuple[bytes, bytes | None]] = []
        for key, state in touched.items():
            if state.outbox:
                state.outbox = [entry for entry in state.outbox if entry[0] >= committed]
            changes.append((key, (waiting if state.outbox else plain) + encode_state(state)))
        return changes

    def committed(self, partition: int, offsets: Mapping[str, int]) -> None:
        self._partitions[partition].committed = offsets[self._events]

    def revoked(self, partition: int) -> None:
        del self._partitions[partition]

    def tick(self, partition: int, now: int) -> None:
        return None


def apply_plainly(state: dict[str, Any] | None, event: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The same job for an agent with a JSON table: (the new state, whether an action is due)."""
    if state is None:
        state = {"n": 0, "last_type": "", "last_ts": 0, "sum": 0.0, "skus": []}
    state["n"] += 1
    state["last_type"] = event["type"]
    state["last_ts"] = event["ts"]
    state["sum"] += event["value"]
    state["skus"] = [*state["skus"], event["sku"]][-5:]
    return state, event["type"] == "purchase"


def plain_action(event: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    name = event["customer_id"]
    n, total = state["n"], state["sum"]
    return {"id": f"{name}:{n}", "customer_id": name, "action": "thank_you", "n": n, "ts": event["ts"], "sum": total}
