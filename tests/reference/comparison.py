"""One bundle and one stream of events through both: the production engine, and the reference interpreter."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unittest.mock import patch

import msgspec

from orchestrator.engine import advance
from orchestrator.engine import timers as timing
from orchestrator.engine.breaker import FACT as STOPPED
from orchestrator.engine.breaker import breaker_node
from orchestrator.engine.program.build import build_program
from orchestrator.language.bundle import load_bundle
from orchestrator.language.cel import Timestamp
from orchestrator.model.customer import IN, Customer, Member, Node
from orchestrator.model.effect import INPUTS, Action, Withdrawal
from orchestrator.model.ids import node_key, person_id
from orchestrator.model.message import Reopen, encode_message
from orchestrator.rehearsal.asking import moment_of
from orchestrator.rehearsal.seeding import begin_pauses
from orchestrator.rehearsal.world import StuckError, World
from tests.reference.generated_events import BEFORE_IT, NEWEST, REOPEN, Arrival
from tests.reference.house import BRAND_EVENTS, FILES, HOUSE, SCHEMAS
from tests.reference.interpreter.customer import Customer as Reference
from tests.reference.interpreter.facts import changed_by, look, waits
from tests.reference.interpreter.merges import merge
from tests.reference.interpreter.moment import arrives, earliest, follow_pauses, timers
from tests.reference.interpreter.profile import read
from tests.reference.interpreter.records import Happened
from tests.reference.interpreter.references import References
from tests.reference.interpreter.releases import release
from tests.reference.interpreter.schedules import keep_schedules
from tests.reference.interpreter.shared import Shared
from tests.reference.smallest import smallest

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from orchestrator.model.effect import Note

WHO: Final = "user_id:amy"
OTHER: Final = "email:amy@example.com"
BOTH: Final = "both"
"""Who does an event that names both halves of a customer."""
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
    withdrawn: list[tuple[int, str, str]]
    traits: dict[str, Any]
    instances: list[Any]
    tasks: list[Any]
    threads: dict[str, Any]
    stopped: dict[str, dict[str, int]]
    facts: dict[str, Any]
    refused: list[tuple[int, str, str]]


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
    asked, looks = timing.earliest_due, count()

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
    for root, ids in halves(stream).items():
        node = Node(body=_customer(root, ids, start))
        begin_pauses(world, {root: node})
        world.place(root, node)
        for name in _nodes(ids):
            if name != root:
                world.place(name, Node(to=root, epoch=1))
    played = []
    for one in stream:
        arrival = one._replace(data=_resolved(one.data, world))
        played.append(arrival)
        if one.type == RELEASE:
            world.advance(start + one.at)
            programs.append(build_program(bundles[len(programs)], programs))
            world.publish(programs[-1])
        elif one.type == REOPEN:
            counting = breaker_node("s1")
            reopening = encode_message(Reopen(counting, start + one.at))
            world.arrive(INPUTS, node_key("default", counting), reopening, start + one.at)
        else:
            key = node_key("default", next(iter(_named(one)), "nobody:0"))
            world.arrive(f"channel.{one.channel}", key, _raw(arrival, start), start + one.at)
    world.advance(start + stream[-1].at + AFTERWARDS)
    return _engine_outcome(world, bundles[-1], len(halves(stream)) > 1), played


def interpreted(bundles: tuple[Bundle, ...], played: list[Arrival], start: int) -> Outcome:
    """What the reference interpreter makes of it."""
    shared, references = Shared(bundles[0]), References(bundles[0], ON_ITS_WAY)
    customers = {root: _reference(bundles[0], root, ids, start, shared) for root, ids in halves(played).items()}
    to_come = list(bundles[1:])
    for one in played:
        at = start + one.at
        _time_passes(customers, at - ON_ITS_WAY)
        references.give_up(at)
        if one.type == RELEASE:
            bundle = to_come.pop(0)
            for customer in customers.values():
                release(customer, bundle, at)
        elif one.type == REOPEN:
            shared.reopen("s1", at)
        elif one.type in BRAND_EVENTS:
            _changes_facts(customers, one, start)
        else:
            _arrives(customers, references, one, start)
        shared.hear(customers[WHO].bundle, at)
    end = start + played[-1].at + AFTERWARDS
    _time_passes(customers, end - ON_ITS_WAY)
    references.give_up(end)
    customers[WHO].now = max(customers[WHO].now, end)
    return _reference_outcome(customers[WHO], references, len(halves(played)) > 1)


def _time_passes(customers: dict[str, Reference], until: int) -> None:
    """What is due acts, one instant after the other; then what was told meanwhile is heard."""
    while True:
        dues = {root: due for root, one in customers.items() if (due := earliest(one)) is not None and due <= until}
        if not dues:
            return
        first = min(dues.values())
        for root in sorted(root for root, due in dues.items() if due == first):
            timers(customers[root], first)
        customers[WHO].shared.hear(customers[WHO].bundle, first + ON_ITS_WAY)


def _changes_facts(customers: dict[str, Reference], one: Arrival, start: int) -> None:
    """An event of the brand's: who waits for the rows that it changes looks again."""
    event = Happened(one.type, one.channel, one.id, start + one.time, start + one.at, dict(one.data))
    changed = changed_by(customers[WHO], event)
    for root in sorted(customers):
        if waits(customers[root], changed):
            look(customers[root], start + one.at)


def _arrives(customers: dict[str, Reference], references: References, one: Arrival, start: int) -> None:
    """An event arrives; one that names nobody is of who had its reference first, or waits until somebody has."""
    event = Happened(one.type, one.channel, one.id, start + one.time, start + one.at, dict(one.data))
    named = _named(one) or [references.whose(event)]
    if named[0]:
        _is_told(customers, references, event, named, start + one.at)


def _is_told(
    customers: dict[str, Reference], references: References, event: Happened, named: list[str], at: int
) -> None:
    """What waited for a reference of the event is told behind it; then who was named with them may move in."""
    whose = customers.get(named[0], customers[WHO])
    meets = len(named) > 1 and len(customers) > 1
    arrives(whose, event, at, enters=not meets)
    for waited in references.used(event, named[0]):
        _is_told(customers, references, waited, named[:1], at)
    if meets:
        other = customers.pop(OTHER)
        merge(whose, other, None if event.late else event, at)
        whose.told += other.told
        whose.withdrawn += other.withdrawn


def halves(stream: list[Arrival]) -> dict[str, dict[str, str]]:
    """Root -> identifiers of the customers at the start: one, or two who turn out to be one."""
    if not any(one.who == BOTH for one in stream):
        return {WHO: IDS}
    theirs = {name: IDS[name] for name in ("email", "phone")}
    return {WHO: {name: IDS[name] for name in ("user_id", "device")}, OTHER: theirs}


def _named(arrival: Arrival) -> list[str]:
    """The nodes that an event names, the strongest first."""
    return [WHO, OTHER] if arrival.who == BOTH else [arrival.who] if arrival.who else []


def _nodes(ids: dict[str, str]) -> list[str]:
    return [f"{namespace}:{value}" for namespace, value in ids.items()]


# The engine's.


def _customer(root: str, ids: dict[str, str], start: int) -> Customer:
    body = Customer(person=person_id("default", root, 0, 0), born=start - BEFORE, now=start - BEFORE)
    body.family = {name: Member(int(name != root), IN, start - BEFORE) for name in _nodes(ids)}
    body.consents = {f"{channel}/product": (start - BEFORE, True, "explicit") for channel in GRANTED}
    return body


def _resolved(data: dict[str, Any], world: World) -> dict[str, Any]:
    if not {NEWEST, BEFORE_IT}.intersection(map(str, data.values())):
        return data
    ids = [one.effect.id for one in world.record.actions() if isinstance(one.effect, Action)]
    *_, before, newest = ["none", "none", *ids]
    known = {NEWEST: newest, BEFORE_IT: before}
    return {name: known.get(str(value), value) for name, value in data.items()}


def _raw(arrival: Arrival, start: int) -> bytes:
    time = datetime.fromtimestamp((start + arrival.time) / 1000, UTC).isoformat(timespec="milliseconds")
    ids = dict(name.split(":", 1) for name in _named(arrival))
    data = {**ids, **arrival.data}
    return msgspec.json.encode({"id": arrival.id, "source": "shop", "type": arrival.type, "time": time, "data": data})


def _engine_outcome(world: World, bundle: Bundle, halved: bool) -> Outcome:
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
        sorted(told) if halved else told,
        [
            {
                "at": a.at, "id": a.id, "content": a.content, "channel": a.channel, "class": a.class_,
                "topic": a.topic, "scenario": a.scenario, "key": a.key, "step": a.step, "address": a.address,
                "about": a.about, "values": plain(a.values), "valid_until": a.valid_until,
                "thread": a.thread, "sender": a.sender,
            }
            for a in (sorted(actions, key=lambda a: (a.at, a.id)) if halved else actions)
        ],
        sorted((e.at, e.id, e.reason) for one in world.record.happenings if isinstance(e := one.effect, Withdrawal)),
        {name: plain(_unordered(bundle, name, profile[name])) for name in sorted(bundle.traits)},
        [
            (i.scenario, i.key, i.ordinal, i.mode, i.ends_at, sorted((s.step, s.since, s.due) for s in i.standing))
            for i in customer.instances
        ],
        sorted(
            (t.id, t.queue, t.key, t.due, t.overdue, t.thread, t.assignee, plain(t.with_)) for t in customer.tasks
        ),
        plain(profile["threads"]),
        {name: dict(row) for name, row in world.facts.rows.get(STOPPED, {}).items()},
        plain({name: rows for name, rows in world.facts.rows.items() if name != STOPPED}),
        sorted((one.at, one.event, one.reason) for one in world.record.refusals),
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


def _reference(bundle: Bundle, root: str, ids: dict[str, str], start: int, shared: Shared) -> Reference:
    said = {(channel, "product"): (start - BEFORE, False) for channel in GRANTED}
    customer = Reference(bundle, person_id("default", root, 0, 0), ids, said, start - BEFORE, shared)
    follow_pauses(customer, customer.now)
    customer.now = start
    keep_schedules(customer)
    return customer


def _reference_outcome(customer: Reference, references: References, halved: bool) -> Outcome:
    told = [(one.at, one.what, one.scenario, one.step, one.reason, _own_detail(one)) for one in customer.told]
    messages = [
        {
            "at": m.at, "id": m.id, "content": m.content, "channel": m.channel, "class": m.class_, "topic": m.topic,
            "scenario": m.scenario, "key": m.key, "step": m.step, "address": m.address, "about": m.about,
            "values": plain(m.values), "valid_until": m.valid_until,
            "thread": m.thread, "sender": m.sender,
        }
        for m in (sorted(customer.sent, key=lambda m: (m.at, m.id)) if halved else customer.sent)
    ]  # fmt: skip
    bundle = customer.bundle
    return Outcome(
        sorted(told) if halved else told,
        messages,
        sorted(customer.withdrawn),
        {name: plain(_unordered(bundle, name, read(customer, name))) for name in sorted(bundle.traits)},
        [
            (
                i.name, i.key, i.ordinal, i.mode, i.ends_at,
                sorted(_stands(t.standing) for t in i.tracks if t.standing),
            )
            for i in customer.instances
        ],
        sorted(
            (w.id, w.queue, w.key, w.due, w.overdue, w.thread, w.assignee, plain(w.values)) for w in customer.tasks
        ),
        plain(read(customer, "threads")),
        {name: one.stopped for name, one in customer.shared.breakers.items() if one.stopped},
        plain(customer.shared.rows),
        sorted(references.refused),
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
