"""One bundle and one stream of events through both: the production engine, and the reference interpreter."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unittest.mock import patch

import msgspec

from orchestrator.engine import advance
from orchestrator.engine.program.build import build_program
from orchestrator.language.bundle import load_bundle
from orchestrator.language.cel import Timestamp
from orchestrator.model.customer import IN, Customer, Member, Node
from orchestrator.model.effect import Action
from orchestrator.model.ids import node_key, person_id
from orchestrator.rehearsal.asking import moment_of
from orchestrator.rehearsal.seeding import begin_pauses
from orchestrator.rehearsal.world import StuckError, World
from tests.reference.generated_events import NEWEST, Arrival
from tests.reference.house import FILES, HOUSE, SCHEMAS
from tests.reference.interpreter.customer import Customer as Reference
from tests.reference.interpreter.moment import arrives, follow_pauses, timers
from tests.reference.interpreter.profile import read
from tests.reference.interpreter.records import Happened
from tests.reference.interpreter.releases import release
from tests.reference.interpreter.schedules import keep_schedules
from tests.reference.smallest import smallest

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from orchestrator.model.effect import Note

WHO: Final = "user_id:amy"
IDS: Final = {"user_id": "amy", "email": "amy@example.com", "phone": "+33600000001", "device": "d1"}
GRANTED: Final = ("email", "push")
MOST_TOLD: Final = 150
SOON_STUCK: Final = 3_000
"""So often the engine may ask what is due in one story, before something is taken to be due for ever."""
RELEASE: Final = "$release"
"""The type of an arrival that is no event: the next of the bundles is published."""
BEFORE: Final = 3_600_000
AFTERWARDS: Final = 9 * 24 * 3_600_000
ON_ITS_WAY: Final = 300
TOLD: Final = frozenset({
    "sent", "suppressed", "held", "entered", "ended", "not_entered", "task", "task_added", "task_closed",
    "task_withdrawn", "task_overdue",
})  # fmt: skip


class Outcome(NamedTuple):
    """What came of it, as plain data."""

    told: list[tuple[Any, ...]]
    messages: list[dict[str, Any]]
    traits: dict[str, Any]
    instances: list[Any]
    tasks: list[Any]


class Difference(NamedTuple):
    """A story that the two tell differently."""

    texts: tuple[str, ...]
    stream: list[Arrival]
    start: int

    def smallest(self) -> str:
        """The smallest story in which they still differ, and what each of the two makes of it."""

        def differ(texts: tuple[str, ...], stream: list[Arrival]) -> bool:
            return bool(stream) and compared(texts, stream, self.start) is not None

        texts, stream = smallest(self.texts, self.stream, differ)
        bundles = tuple(loaded(text) for text in texts)
        theirs, played = produced(bundles, stream, self.start)
        ours = interpreted(bundles, played, self.start)
        lines = [
            "the engine and the reference disagree:",
            "\n--- then:\n".join(texts),
            f"start: {self.start}",
            *map(str, played),
        ]
        for name, engine, reference in zip(Outcome._fields, theirs, ours, strict=True):
            if engine != reference:
                lines += [f"{name} of the engine:", *_listed(engine), f"{name} of the reference:", *_listed(reference)]
        return "\n".join(lines)


def _listed(value: Any) -> list[str]:
    return [f"  {one}" for one in (value.items() if isinstance(value, dict) else value)]


class Example(NamedTuple):
    """A story, and what the reference makes of it."""

    bundles: tuple[Bundle, ...]
    played: list[Arrival]
    start: int
    expected: Outcome

    @classmethod
    def of(cls, texts: tuple[str, ...], stream: list[Arrival], start: int) -> Example | None:
        """None where a story does not end."""
        bundles = tuple(loaded(text) for text in texts)
        theirs, played = produced(bundles, stream, start)
        return (
            None if len(theirs.told) > MOST_TOLD else cls(bundles, played, start, interpreted(bundles, played, start))
        )


def told_apart(example: Example) -> bool:
    """Whether the engine, as it is now, makes something else of it, or fails."""
    asked, looks = advance.earliest_due, count()

    def earliest_due(*customer: Any, **more: Any) -> int:
        if next(looks) > SOON_STUCK:
            raise StuckError("something is due for ever")
        return asked(*customer, **more)

    with patch.object(advance, "earliest_due", earliest_due):
        return _differs(example)


def _differs(example: Example) -> bool:
    try:
        return produced(example.bundles, example.played, example.start)[0] != example.expected
    except Exception:  # noqa: BLE001 - a defect may break anything, and a failure is noticed by everybody
        return True


def compared(texts: tuple[str, ...], stream: list[Arrival], start: int) -> Difference | None:
    """The story, if the two differ; None too where a bundle does not load, and where a story does not end."""
    if sum(one.type == RELEASE for one in stream) != len(texts) - 1:
        return None
    try:
        bundles = tuple(loaded(text) for text in texts)
    except BrokenBundleError:
        return None
    theirs, played = produced(bundles, stream, start)
    if len(theirs.told) > MOST_TOLD:  # scenarios that start each other for ever take the interpreter too long
        return None
    return None if theirs == interpreted(bundles, played, start) else Difference(texts, stream, start)


class BrokenBundleError(Exception):
    """A bundle that a check refuses."""


def loaded(text: str) -> Bundle:
    """The bundle of a text, in the house that all share.

    Raises:
        BrokenBundleError: a check refuses it.
    """
    result = load_bundle({"house.yaml": HOUSE.encode(), "generated.yaml": text.encode(), **FILES}, SCHEMAS)
    if result.bundle is None:
        raise BrokenBundleError("\n".join(str(one) for one in result.diagnostics if one.code[0] == "E"))
    return result.bundle


def produced(bundles: tuple[Bundle, ...], stream: list[Arrival], start: int) -> tuple[Outcome, list[Arrival]]:
    """What the production engine makes of it; and the events with the messages that they were about."""
    programs = [build_program(bundles[0])]
    world = World(programs[0], start, 1)
    root = Node(body=_customer(start))
    begin_pauses(world, {WHO: root})
    world.place(WHO, root)
    for namespace, value in IDS.items():
        if f"{namespace}:{value}" != WHO:
            world.place(f"{namespace}:{value}", Node(to=WHO, epoch=1))
    played = []
    for one in stream:
        arrival = one._replace(data=_resolved(one.data, world))
        played.append(arrival)
        if one.type == RELEASE:
            world.advance(start + one.at)
            programs.append(build_program(bundles[len(programs)], programs))
            world.publish(programs[-1])
        else:
            world.arrive(f"channel.{one.channel}", node_key("default", WHO), _raw(arrival, start), start + one.at)
    world.advance(start + stream[-1].at + AFTERWARDS)
    return _engine_outcome(world, bundles[-1]), played


def interpreted(bundles: tuple[Bundle, ...], played: list[Arrival], start: int) -> Outcome:
    """What the reference interpreter makes of it."""
    said = {(channel, "product"): (start - BEFORE, False) for channel in GRANTED}
    customer = Reference(bundles[0], person_id("default", WHO, 0, 0), IDS, said, start - BEFORE)
    follow_pauses(customer, customer.now)
    customer.now = start
    keep_schedules(customer)
    to_come = list(bundles[1:])
    for one in played:
        at = start + one.at
        timers(customer, at - ON_ITS_WAY)
        if one.type == RELEASE:
            release(customer, to_come.pop(0), at)
        else:
            arrives(customer, Happened(one.type, one.channel, one.id, start + one.time, at, dict(one.data)), at)
    end = start + played[-1].at + AFTERWARDS
    timers(customer, end - ON_ITS_WAY)
    customer.now = max(customer.now, end)
    return _reference_outcome(customer)


# The engine's.


def _customer(start: int) -> Customer:
    body = Customer(person=person_id("default", WHO, 0, 0), born=start - BEFORE, now=start - BEFORE)
    names = [f"{namespace}:{value}" for namespace, value in IDS.items()]
    body.family = {name: Member(int(name != WHO), IN, start - BEFORE) for name in names}
    body.consents = {f"{channel}/product": (start - BEFORE, True, "explicit") for channel in GRANTED}
    return body


def _resolved(data: dict[str, Any], world: World) -> dict[str, Any]:
    if data.get("message") != NEWEST:
        return data
    actions = world.record.actions()
    newest = actions[-1].effect if actions else None
    return {**data, "message": newest.id if isinstance(newest, Action) else "none"}


def _raw(arrival: Arrival, start: int) -> bytes:
    time = datetime.fromtimestamp((start + arrival.time) / 1000, UTC).isoformat(timespec="milliseconds")
    data = {"user_id": "amy", **arrival.data}
    return msgspec.json.encode({"id": arrival.id, "source": "shop", "type": arrival.type, "time": time, "data": data})


def _engine_outcome(world: World, bundle: Bundle) -> Outcome:
    _, customer = world.root(WHO)
    assert customer is not None
    profile = moment_of(world, WHO).scope.profile
    told = [
        (one.at, one.note.what, one.note.scenario, one.note.step, one.note.reason, _detail(one.note))
        for one in world.record.notes()
        if one.note is not None and one.note.what in TOLD
    ]
    errors = [one.note for one in world.record.notes() if one.note is not None and one.note.what == "error"]
    assert not errors, errors
    actions = [one.effect for one in world.record.actions() if isinstance(one.effect, Action)]
    return Outcome(
        told,
        [
            {
                "at": a.at, "id": a.id, "content": a.content, "channel": a.channel, "class": a.class_,
                "topic": a.topic, "scenario": a.scenario, "key": a.key, "step": a.step, "address": a.address,
                "about": a.about, "values": a.values, "valid_until": a.valid_until,
            }
            for a in actions
        ],
        {name: plain(_unordered(bundle, name, profile[name])) for name in sorted(bundle.traits)},
        [
            (i.scenario, i.key, i.ordinal, i.mode, i.ends_at, sorted((s.step, s.since, s.due) for s in i.standing))
            for i in customer.instances
        ],
        sorted((t.id, t.queue, t.key, t.due, t.overdue, plain(t.with_)) for t in customer.tasks),
    )  # fmt: skip


def _detail(note: Note) -> str:
    detail = note.detail or {}
    if note.what in {"sent", "suppressed", "held"}:
        return f"{detail.get('document', detail['content'])}/{detail.get('channel', '')}"
    if note.what == "entered":
        return str(detail["key"])
    if note.what == "ended":
        return str(detail["outcome"])
    return str(detail.get("id", "")) if note.what.startswith("task") and note.what != "task_added" else ""


# The interpreter's.


def _reference_outcome(customer: Reference) -> Outcome:
    told = [(one.at, one.what, one.scenario, one.step, one.reason, _own_detail(one)) for one in customer.told]
    messages = [
        {
            "at": m.at, "id": m.id, "content": m.content, "channel": m.channel, "class": m.class_, "topic": m.topic,
            "scenario": m.scenario, "key": m.key, "step": m.step, "address": m.address, "about": m.about,
            "values": plain(m.values), "valid_until": m.valid_until,
        }
        for m in customer.sent
    ]  # fmt: skip
    bundle = customer.bundle
    return Outcome(
        told,
        messages,
        {name: plain(_unordered(bundle, name, read(customer, name))) for name in sorted(bundle.traits)},
        [
            (
                i.name, i.key, i.ordinal, i.mode, i.ends_at,
                sorted(_stands(t.standing) for t in i.tracks if t.standing),
            )
            for i in customer.instances
        ],
        sorted((w.id, w.queue, w.key, w.due, w.overdue, plain(w.values)) for w in customer.tasks),
    )  # fmt: skip


def _stands(standing: Any) -> tuple[str, int, int]:
    return standing.step.id, standing.since, standing.due or 0


def _own_detail(one: Any) -> str:
    return "" if one.what == "task_added" else str(one.detail)


def _unordered(bundle: Bundle, name: str, value: Any) -> Any:
    """A set has no order."""
    return sorted(value, key=str) if bundle.traits[name].kind == "set" else value


def plain(value: Any) -> Any:
    """A value that can be compared: maps by key, numbers rounded to what floats can hold."""
    if isinstance(value, dict):
        return {key: plain(value[key]) for key in sorted(value.keys())}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return round(value, 6)
    return value.ms if isinstance(value, Timestamp) else value
