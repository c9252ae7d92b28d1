"""A story as the reference interpreter tells it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.model.ids import person_id
from tests.reference.generated_events import REOPEN, Arrival
from tests.reference.house import BRAND_EVENTS
from tests.reference.interpreter.customer import Customer as Reference
from tests.reference.interpreter.entries import look_at_becomes
from tests.reference.interpreter.facts import changed_by, look, waits
from tests.reference.interpreter.merges import merge
from tests.reference.interpreter.moment import Moment, arrives, earliest, follow_pauses, timers
from tests.reference.interpreter.profile import read
from tests.reference.interpreter.records import Happened
from tests.reference.interpreter.references import References
from tests.reference.interpreter.releases import release
from tests.reference.interpreter.schedules import keep_schedules
from tests.reference.interpreter.shared import Shared
from tests.reference.interpreter.slots import answer
from tests.reference.outcome import (
    AFTERWARDS,
    ASK,
    AT_THE_END,
    BEFORE,
    GRANTED,
    ON_ITS_WAY,
    OTHER,
    RELEASE,
    WHO,
    Outcome,
    halves,
    named,
    plain,
    told,
    unordered,
)

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from tests.reference.interpreter.records import Message


def interpreted(bundles: tuple[Bundle, ...], played: list[Arrival], start: int) -> Outcome:
    """What the reference interpreter makes of it."""
    shared, references = Shared(bundles[0]), References(bundles[0], ON_ITS_WAY)
    customers = {root: _reference(bundles[0], root, ids, start, shared) for root, ids in halves(played).items()}
    to_come = list(bundles[1:])
    roots = sorted(customers)
    answers: list[tuple[int, str, str, dict[str, Any]]] = []
    for one in played:
        at = start + one.at
        _time_passes(customers, at - ON_ITS_WAY)
        references.give_up(at)
        if one.type == ASK:
            answers += _asked(customers, one, start + one.at, roots)
        elif one.type == RELEASE:
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
    for slot in sorted(bundles[-1].slots):
        asked = Arrival(AT_THE_END, 0, "", ASK, "", {"slot": slot, "channel": "web"})
        answers += _asked(customers, asked, end, roots)
    return _reference_outcome(customers[WHO], references, len(halves(played)) > 1)._replace(answers=answers)


def _asked(
    customers: dict[str, Reference], one: Arrival, at: int, roots: list[str]
) -> list[tuple[int, str, str, dict[str, Any]]]:
    """What every half is answered; a question changes nothing."""
    found = []
    for root in roots:
        customer = customers.get(root, customers[WHO])
        before, customer.now = customer.now, max(customer.now, at)
        found.append((one.at, root, one.data["slot"], told(answer(customer, one.data["slot"], one.data["channel"]))))
        customer.now = before
    return found


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
    if one.type == "slot_shown":
        event.channel = event.source = "engine"
    names = named(one) or [references.whose(event)]
    if names[0]:
        _is_told(customers, references, event, names, start + one.at)


def _is_told(
    customers: dict[str, Reference], references: References, event: Happened, names: list[str], at: int
) -> None:
    """What waited for a reference of the event is told behind it; then who was named with them may move in."""
    whose = customers.get(names[0], customers[WHO])
    meets = len(names) > 1 and len(customers) > 1
    arrives(whose, event, at, enters=not meets)
    for waited in references.used(event, names[0]):
        _is_told(customers, references, waited, names[:1], at)
    if meets:
        other = customers.pop(OTHER)
        merge(whose, other, None if event.late else event, at)
        whose.told += other.told
        whose.withdrawn += other.withdrawn


def _reference(bundle: Bundle, root: str, ids: dict[str, str], start: int, shared: Shared) -> Reference:
    said = {(channel, "product"): (start - BEFORE, False) for channel in GRANTED}
    customer = Reference(bundle, person_id("default", root, 0, 0), ids, said, start - BEFORE, shared)
    follow_pauses(customer, customer.now)
    customer.now = start
    if keep_schedules(customer):  # the first release visits them, as any other
        look_at_becomes(Moment(customer, start, start))
    return customer


def _reference_outcome(customer: Reference, references: References, halved: bool) -> Outcome:
    told = [(one.at, one.what, one.scenario, one.step, one.reason, _own_detail(one)) for one in customer.told]
    sent = sorted(customer.sent, key=lambda m: (m.at, m.id)) if halved else customer.sent
    bundle = customer.bundle
    return Outcome(
        sorted(told) if halved else told,
        [_message(m) for m in sent],
        sorted(customer.withdrawn),
        {name: plain(unordered(bundle, name, read(customer, name))) for name in sorted(bundle.traits)},
        [
            (
                i.name, i.key, i.ordinal, i.mode, i.ends_at,
                sorted(_stands(t.standing) for t in i.tracks if t.standing),
                sorted((p.id, p.content, p.until) for p in i.placements),
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
        [],
    )  # fmt: skip


def _message(m: Message) -> dict[str, Any]:
    return {
        "at": m.at, "id": m.id, "content": m.content, "channel": m.channel, "class": m.class_, "topic": m.topic,
        "scenario": m.scenario, "key": m.key, "step": m.step, "address": m.address, "about": m.about,
        "values": plain(m.values), "valid_until": m.valid_until, "thread": m.thread, "sender": m.sender,
    }  # fmt: skip


def _stands(standing: Any) -> tuple[str, int, int]:
    return standing.step.id, standing.since, standing.due or 0


def _own_detail(one: Any) -> str:
    return "" if one.what == "task_added" else str(one.detail)
