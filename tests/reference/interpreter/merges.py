"""Section 11: two customers turn out to be one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reference.interpreter.conversation import join
from tests.reference.interpreter.endings import check_endings, end, end_by_event
from tests.reference.interpreter.entries import look_at_becomes
from tests.reference.interpreter.moment import Moment, check_waits, enter_and_catch_up, rounds
from tests.reference.interpreter.profile import words
from tests.reference.interpreter.recalls import recall_denied
from tests.reference.interpreter.schedules import keep_schedules
from tests.reference.interpreter.sequences import is_ended
from tests.reference.interpreter.waiting import restart

if TYPE_CHECKING:
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Happened, Instance


def merge(one: Customer, other: Customer, waited: Happened | None, at: int) -> None:
    """`other` moves in with `one`; `waited` is the event that named both, and whose entries waited for this."""
    own, came = _activity(one), _activity(other)
    younger, repeated, theirs = _instances(one, other)
    _everything_known(one, other)
    moment = Moment(one, at, at)
    look_at_becomes(moment)
    for instance in younger:
        one.instances.append(instance)
        end(moment, instance, "lost", "merged")
    for instance in repeated:
        if instance in one.instances and instance.scenario.entry.re_entry == "never":
            end(moment, instance, "lost", "merged")
    _fold_tasks(moment)
    for instance in list(one.instances):
        if instance in one.instances:
            _look_at_the_other_half(moment, instance, own if instance in theirs else came)
    moment.make("merged")
    recall_denied(moment)
    check_endings(moment, None)
    check_waits(moment, None)
    if waited is not None:
        moment.led_at = waited.time
        enter_and_catch_up(moment, waited)
        moment.led_at = at
    one.absences = [absence for absence in one.absences if not is_ended(moment, absence)]
    rounds(moment)
    keep_schedules(one)


def _fold_tasks(moment: Moment) -> None:
    """One task is open for a queue and key: a second is added to the first, and is no more."""
    customer = moment.customer
    for work in sorted(customer.tasks, key=lambda work: (work.opened_at, work.id)):
        same = [one for one in customer.tasks if (one.queue, one.key) == (work.queue, work.key)]
        first = min(same, key=lambda work: (work.opened_at, work.id))
        if first is work:
            continue
        first.values = {**first.values, **work.values}
        first.due = min((due for due in (first.due, work.due) if due), default=0)
        first.overdue = first.overdue or work.overdue
        customer.tasks.remove(work)
        for instance in customer.instances:
            for output in instance.outputs.values():
                if output.get("id") == work.id:
                    output["id"] = first.id
        moment.tell("task_withdrawn", work.instance.name, work.step.id, "", work.id)
        moment.tell("task_added", work.instance.name, work.step.id, "", first.id)


def _activity(customer: Customer) -> list[Happened]:
    """What the customer did."""
    return [event for event in customer.accepted if not event.made]


def _instances(one: Customer, other: Customer) -> tuple[list[Instance], list[Instance], list[Instance]]:
    """The younger of two of the same scenario and key; those that the other half has been through; who came over."""
    younger: list[Instance] = []
    repeated = [*_been_through(one, other), *_been_through(other, one)]
    for instance in other.instances:
        twin = next((mine for mine in one.instances if (mine.name, mine.key) == (instance.name, instance.key)), None)
        if twin is not None:
            pair = sorted((twin, instance), key=lambda i: (i.mode == "rest", i.entry.time, i.person))
            pair[0].vars = {**pair[1].vars, **pair[0].vars}
            younger.append(pair[1])
    theirs = [instance for instance in other.instances if instance not in younger]
    both = [instance for instance in [*one.instances, *theirs] if instance not in younger]
    one.instances = sorted(both, key=lambda i: (i.name, i.key))
    return younger, repeated, theirs


def _been_through(one: Customer, other: Customer) -> list[Instance]:
    """Live instances of one half whose scenario and key the other half has been through."""
    live = {(instance.name, instance.key) for instance in other.instances if instance.mode == "live"}
    return [
        instance
        for instance in one.instances
        if instance.mode == "live"
        and (instance.name, instance.key) not in live
        and (instance.name, instance.key) in other.entered
    ]


def _everything_known(one: Customer, other: Customer) -> None:
    """Traits as if all events had been one customer's; consents the stricter; what was sent, awarded, asked: all."""
    one.said_at_start = _stricter(words(one), words(other))
    one.accepted = [*one.accepted, *other.accepted]
    one.heard_of_consent = len(one.accepted)
    one.now = max(one.now, other.now)
    if (other.born, other.person) < (one.born, one.person):
        one.person, one.born = other.person, other.born
    one.ids = {**other.ids, **one.ids}
    one.sent = sorted([*one.sent, *other.sent], key=lambda message: (message.at, message.id))
    one.tasks += other.tasks
    join(one, other)
    one.absences += other.absences
    for name, (ordinal, entered_at) in other.entered.items():
        known = one.entered.get(name, (0, 0))
        one.entered[name] = (max(ordinal, known[0]), max(entered_at, known[1]))
    for scenario, done in other.completed.items():
        one.completed.setdefault(scenario, set()).update(done)
    for ledger, awards in other.awards.items():
        one.awards.setdefault(ledger, []).extend(awards)
    for trait, stored in other.stored.items():
        one.stored[trait] = max(stored, one.stored.get(trait, stored))
    for scenario, level in other.levels.items():
        one.levels[scenario] = level if one.levels.get(scenario) is None else one.levels[scenario]
    for mine, theirs in ((one.pause_began, other.pause_began), (one.pause_over, other.pause_over)):
        for pause, time in theirs.items():
            mine[pause] = max(time, mine.get(pause, time))
    for scenario, timer in other.schedules.items():
        timers = (one.schedules.get(scenario, timer), timer)
        one.schedules[scenario] = max(timers, key=lambda one: (one.been, one.day, one.due or 0))


def _stricter(
    one: dict[tuple[str, str], tuple[int, bool]], other: dict[tuple[str, str], tuple[int, bool]]
) -> dict[tuple[str, str], tuple[int, bool]]:
    """Of each channel and purpose the denial, if either half has denied; the later of two equal words."""
    both = dict(one)
    for place, (time, denied) in other.items():
        known = both.get(place)
        if known is None or (denied, time) > (known[1], known[0]):
            both[place] = (time, denied)
    return both


def _look_at_the_other_half(moment: Moment, instance: Instance, events: list[Happened]) -> None:
    """What an instance waited for may be on the other half's time line; its silences count from the newest activity."""
    since = [event for event in events if event.time >= instance.entry.time]
    for event in sorted(since, key=lambda one: (one.time, one.id)):
        if instance in moment.customer.instances:
            end_by_event(moment, instance, event)
    if instance in moment.customer.instances:
        for track in instance.tracks:
            if track.standing is not None and track.standing.step.kind == "silence":
                restart(moment, instance, track.standing, events)
