"""A small house, and customers in it on virtual time: what tests of the engine and of the lane's core play with.

Times given to a `Play` are milliseconds after `START`, a Monday, 10:00 in Paris.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.model.customer import Customer
from orchestrator.model.effect import Action, Emitted, Note, TaskNotice, Withdrawal
from orchestrator.model.ids import node_key
from orchestrator.rehearsal.seeding import declare_present
from orchestrator.rehearsal.world import World

START = 1_772_442_000_000
S = 1000
M = 60 * S
H = 60 * M
D = 24 * H

_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_ITEMS = {"type": "array", "items": {"type": "string"}}
SCHEMAS = EventSchemas.from_topics([
    {"topic": "channel.web", "events": {
        "seen": {"properties": {"page": _TEXT, "seconds": _NUMBER, "tags": _ITEMS, "n": _WHOLE}},
        "bought": {"properties": {"order": _TEXT, "total": _NUMBER, "items": _ITEMS}},
        "returned": {"properties": {"order": _TEXT, "share": _NUMBER}},
        "put": {"properties": {"sku": _TEXT, "qty": _WHOLE, "cart": _TEXT}},
        "taken": {"properties": {"sku": _TEXT, "qty": _WHOLE, "cart": _TEXT}},
        "emptied": {"properties": {"cart": _TEXT}},
        "asked": {"properties": {"text": _TEXT, "thread": _TEXT}},
        "told": {"properties": {"word": _TEXT, "value": _TEXT, "other": _TEXT, "flag": {"type": "boolean"}}},
    }},
    {"topic": "channel.stock", "events": {"level": {"properties": {"sku": _TEXT, "place": _TEXT, "qty": _WHOLE}}}},
    {"topic": "channel.email", "events": {"opened": {"properties": {"message": _TEXT, "content": _TEXT}}}},
])  # fmt: skip

HOUSE = """
bundle: house
language: en
zone: Europe/Paris
---
channels: all
define:
  email: {sends: push, address: email}
  push: {sends: push, address: device}
  sms: {sends: push, address: phone}
  web: {sends: pull, respond_within: 2h}
  page: {sends: push, public: true}
  wall: {sends: push, public: true}
  stock: {sends: "no"}
---
events: all
define:
  seen: {channel: [web], browsing: true}
  bought: {channel: [web]}
  returned: {channel: [web]}
  put: {channel: [web]}
  taken: {channel: [web]}
  emptied: {channel: [web]}
  asked: {channel: [web]}
  told: {channel: [web]}
  quiet_word: {channel: [web], activity: false}
  logged_out: {channel: [web]}
  renamed: {channel: [web]}
  opened: {channel: [email]}
  delivered: {channel: [email, push, sms]}
  level: {channel: [stock], for: brand}
---
identity: all
namespaces:
  user_id: unique
  email: unique
  phone: {is: shared, max: 2}
  device: shared
  anonymous_id: {is: shared, max: 3}
references: {order: [bought]}
unlink_on: [logged_out]
replace_on: [renamed]
---
consent: all
rules:
  - {on: told, where: 'event.word == "yes"', grant: {channel: {is: event.value}, purpose: product}}
  - {on: told, where: 'event.word == "no"', deny: {channel: {is: event.value}, purpose: product}}
  - {on: told, where: 'event.word == "never"', deny: {channel: {is: event.value}, purpose: all}}
---
facts: stock
key: event.sku + "/" + event.place
on: [level]
set: {qty: event.qty}
---
facts: price
key: event.sku
"""


def program_of(*documents: str) -> Program:
    """The house with these documents as a program; fails the test where they do not check."""
    files = {"house.yaml": HOUSE.encode()} | {f"{n}.yaml": text.encode() for n, text in enumerate(documents)}
    loaded = load_bundle(files, SCHEMAS)
    assert loaded.bundle is not None, "\n".join(str(one) for one in loaded.diagnostics if one.code[0] == "E")
    program = build_program(loaded.bundle)
    declare_present(program)
    program.draw = lambda _tenant, _salt, _person: 99.99
    return program


def event_bytes(type_: str, id_: str, data: Mapping[str, Any], happened: int | None = None, **more: Any) -> bytes:
    """An event as a producer writes it; `happened` in ms since the epoch, None where it does not say."""
    fields = {"id": id_, "source": "shop", "type": type_, "data": data, **more}
    if happened is not None:
        seconds, ms = divmod(happened, 1000)
        fields["time"] = msgspec.json.decode(msgspec.json.encode(_utc(seconds, ms)))
    return msgspec.json.encode(fields)


def _utc(seconds: int, ms: int) -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415 - only here

    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=ms * 1000)


class Play:
    """A world that runs a program, told in short words.

    Args:
        program: what it runs; documents are made into one.
        partitions: how many; with one, everything is at home.
        explain: trace also what did not happen.
        facts: fact -> key -> row at the start.
    """

    def __init__(
        self, *program: Program | str, partitions: int = 1, explain: bool = False,
        facts: dict[str, dict[str, dict[str, Any]]] | None = None,
    ) -> None:  # fmt: skip
        given = program[0] if program and isinstance(program[0], Program) else None
        self.program = given or program_of(*(one for one in program if isinstance(one, str)))
        self.world = World(self.program, START, partitions, facts, explain)
        self._count = 0

    def comes(
        self, type_: str, at: int = 0, who: str = "user_id:amy", *, happened: int | None = None, id_: str = "",
        channel: str = "web", **data: Any,
    ) -> None:  # fmt: skip
        """An event arrives: `who` names its identifiers, the strongest first; `happened` where not when it came."""
        self._count += 1
        nodes = who.split()
        named = {**dict(node.split(":", 1) for node in nodes), **data}
        time = START + (at if happened is None else happened)
        raw = event_bytes(type_, id_ or f"e{self._count}", named, time)
        key = node_key("default", nodes[0]) if nodes else None
        self.world.arrive(f"channel.{channel}", key, raw, START + at)

    def passes(self, to: int) -> None:
        """Time passes until then; timers act 0.3 s after they are due."""
        self.world.advance(START + to + 300)

    # What came of it.

    def customer(self, who: str = "user_id:amy") -> Customer:
        _, customer = self.world.root(who)
        assert customer is not None, f"nothing is known of {who}"
        return customer

    def notes(self, *whats: str) -> list[Note]:
        found = [one.note for one in self.world.record.notes() if one.note is not None]
        return [note for note in found if not whats or note.what in whats]

    def told(self, *whats: str) -> list[tuple[str, str, str]]:
        """(what, scenario, reason) of the notes."""
        return [(note.what, note.scenario, note.reason) for note in self.notes(*whats)]

    def reasons(self, what: str) -> list[str]:
        return [note.reason for note in self.notes(what)]

    def ended(self) -> list[tuple[str, str]]:
        """(outcome, reason) of what ended."""
        return [(note.detail["outcome"], note.reason) for note in self.notes("ended")]

    def effects(self, kind: type[Any]) -> list[Any]:
        return [one.effect for one in self.world.record.happenings if isinstance(one.effect, kind)]

    @property
    def actions(self) -> list[Action]:
        return self.effects(Action)

    @property
    def sent(self) -> list[tuple[str, int]]:
        """(content, ms after the start) of the messages decided."""
        return [(action.content, action.at - START) for action in self.actions]

    @property
    def emitted(self) -> list[Emitted]:
        return self.effects(Emitted)

    @property
    def tasks(self) -> list[TaskNotice]:
        return self.effects(TaskNotice)

    @property
    def withdrawals(self) -> list[Withdrawal]:
        return self.effects(Withdrawal)

    def standing(self, who: str = "user_id:amy", scenario: str = "") -> list[str]:
        """Where live instances stand."""
        return [
            standing.step
            for instance in self.customer(who).instances
            if not scenario or instance.scenario == scenario
            for standing in instance.standing
        ]

    def profile(self, name: str, who: str = "user_id:amy") -> Any:
        """A trait as conditions see it now."""
        from orchestrator.rehearsal.asking import moment_of  # noqa: PLC0415 - a question costs nothing to who asks none

        return moment_of(self.world, who).scope.profile[name]
