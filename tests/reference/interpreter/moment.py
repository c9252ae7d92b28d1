"""Section 10: one input through one customer, step by step in the order of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.interpreter.acting import close_tasks, overdue
from tests.reference.interpreter.conditions import Scope, holds
from tests.reference.interpreter.conversation import add_turn, find_thread
from tests.reference.interpreter.endings import check_endings, end, end_by_event, too_old
from tests.reference.interpreter.entries import becomes_now, by_event, look_at_becomes, would_enter
from tests.reference.interpreter.fallback import settle
from tests.reference.interpreter.policy import judge
from tests.reference.interpreter.profile import words
from tests.reference.interpreter.recalls import recall_denied
from tests.reference.interpreter.records import Candidate, Happened, Instance, Placement, Told, Work
from tests.reference.interpreter.schedules import come, keep_schedules, scheduled
from tests.reference.interpreter.sequences import by_sequence, nothing_came
from tests.reference.interpreter.shared import tell_met
from tests.reference.interpreter.showing import count_shown, leave
from tests.reference.interpreter.steps import due, finish_if_over, run, touched
from tests.reference.interpreter.track import after

if TYPE_CHECKING:
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Track

MOST_ROUNDS = 8


class Moment:
    """What belongs to one moment: its time, what led to it, and what is still to be looked at."""

    def __init__(self, customer: Customer, at: int, led_at: int) -> None:
        customer.now = max(customer.now, at)
        self.customer = customer
        self.bundle = customer.bundle
        self.now = customer.now
        self.input_at = self.led_at = led_at
        self.candidates: list[Candidate] = []
        self.made: list[Happened] = []
        self.taken: dict[str, str] = {}

    def tell(self, what: str, scenario: str, step: str = "", reason: str = "", detail: str = "") -> None:
        self.customer.told.append(Told(self.now, what, scenario, step, reason, detail))

    def make(self, type_: str, **data: Any) -> None:
        """An event of the engine's own (5.4)."""
        self.customer.made += 1
        id_ = f"made/{self.customer.person}/{self.customer.made:09}"
        self.made.append(Happened(type_, "engine", id_, self.now, self.now, data, "engine"))


def arrives(customer: Customer, event: Happened, at: int, enters: bool = True) -> None:
    """An event arrives at `at`: what is due acts first (step 2), then the event has its moment.

    Without `enters` it names somebody else, and what it would start waits until they are one.
    """
    if any((one.source, one.id) == (event.source, event.id) for one in customer.accepted):
        return
    timers(customer, at)
    moment = Moment(customer, at, event.time)
    event.late = event.time < moment.now - customer.bundle.settings.lateness
    look_at_becomes(moment)
    through(moment, event, enters or event.late)
    rounds(moment)
    keep_schedules(customer)


def timers(customer: Customer, until: int) -> None:
    """Everything due up to `until`, each at its own time; what is due at one instant is one moment."""
    while (at := earliest(customer)) is not None and at <= until:
        moment = Moment(customer, at, at)
        look_at_becomes(moment)
        ready = _ready(customer, at)
        check_endings(moment, None)
        check_waits(moment, None)
        for _, _, step, one, track, standing in ready:
            if isinstance(one, Work):
                overdue(moment, one)
            elif isinstance(one, Instance) and isinstance(standing, Placement):
                leave(moment, one)
            elif one in customer.instances and step == "":
                too_old(moment, one)
            elif one in customer.instances and track is not None and track.standing is standing:
                due(moment, one, track)
        for _, scenario in sorted(moment.bundle.scenarios.items()):
            come(moment, scenario, at)
            nothing_came(moment, scenario, at)
        rounds(moment)


def _ready(customer: Customer, at: int) -> list[tuple[str, str, str, Any, Any, Any]]:
    """What is due at an instant, by scenario, key and step: steps, ends of instances, tasks."""
    return sorted(
        [
            (one.name, one.key, track.standing.step.id, one, track, track.standing)
            for one in customer.instances
            for track in one.tracks
            if track.standing is not None and track.standing.due is not None and track.standing.due <= at
        ]
        + [
            (one.name, one.key, placed.step.id, one, None, placed)
            for one in customer.instances
            for placed in one.placements
            if placed.until <= at
        ]
        + [(one.name, one.key, "", one, None, None) for one in customer.instances if one.ends_at <= at]
        + [
            (work.instance.name, work.instance.key, work.step.id, work, None, None)
            for work in customer.tasks
            if 0 < work.due <= at and not work.overdue
        ],
        key=lambda one: one[:3],
    )


def earliest(customer: Customer) -> int | None:
    times = [one.ends_at for one in customer.instances]
    times += [placed.until for one in customer.instances for placed in one.placements]
    standing = [track.standing for one in customer.instances for track in one.tracks if track.standing is not None]
    times += [one.due for one in standing if one.due is not None]
    times += scheduled(customer) + [absence.due for absence in customer.absences]
    times += [work.due for work in customer.tasks if work.due > 0 and not work.overdue]
    return min(times) if times else None


def through(moment: Moment, event: Happened, enters: bool = True) -> None:
    """Steps 3 to 7 for one event, the customer's or one that the engine made; what it enters may have to wait."""
    customer = moment.customer
    moment.led_at = event.time
    find_thread(moment, event)
    derive(moment, event)
    said = words(customer)
    customer.accepted.append(event)
    settle(customer, event)
    add_turn(moment, event)
    tell_met(customer, event)
    consent_changes(moment, said)
    follow_pauses(customer, moment.now)
    close_tasks(moment, event)
    check_endings(moment, event)
    count_shown(moment, event)
    check_waits(moment, event)
    if enters:
        enter_and_catch_up(moment, event)
    moment.led_at = moment.input_at


def enter_and_catch_up(moment: Moment, event: Happened) -> None:
    """Step 7, and what is known already of what happened since."""
    before = list(moment.customer.instances)
    check_entries(moment, event)
    for instance in [one for one in moment.customer.instances if one not in before]:
        catch_up(moment, instance)


def check_entries(moment: Moment, event: Happened) -> None:
    """Step 7: scenarios by name."""
    for name, scenario in sorted(moment.bundle.scenarios.items()):
        if scenario.entry.on and event.is_one_of(scenario.entry.on):
            if not event.late:
                by_event(moment, scenario, event)
            elif would_enter(moment, scenario, event):
                moment.tell("not_entered", name, "", "late_event")
        elif scenario.entry.sequence:
            by_sequence(moment, scenario, event)


def catch_up(moment: Moment, instance: Instance) -> None:
    """What is known already and happened after the event that started an instance counts for it: it came earlier."""
    known = [one for one in moment.customer.accepted if not one.made and one.time > instance.entry.time]
    for event in sorted(known, key=lambda one: (one.time, one.id)):
        if instance in moment.customer.instances:
            end_by_event(moment, instance, event)


def derive(moment: Moment, event: Happened) -> None:
    """Step 3: derived properties see the profile as it was."""
    for name in event.names[::-1]:
        declaration = moment.bundle.events.get(name)
        if declaration is not None:
            for property_, value in declaration.derive.items():
                event.data[property_] = value.evaluate(Scope(moment.customer, event))
            return


def consent_changes(moment: Moment, before: dict[tuple[str, str], tuple[int, bool]]) -> None:
    """What is on its way is recalled where somebody has said no since."""
    changed = [
        (channel, purpose, denied)
        for (channel, purpose), (_, denied) in words(moment.customer).items()
        if (channel, purpose) not in before or before[channel, purpose][1] != denied
    ]
    for channel, purpose, denied in changed:
        moment.make("consent_changed", channel=channel, purpose=purpose, granted=not denied)
    if any(denied for _, _, denied in changed):
        recall_denied(moment)


def follow_pauses(customer: Customer, now: int) -> None:
    """When a pause began, and when it was over."""
    for pause in customer.bundle.policy.pauses:
        if holds(pause.while_, Scope(customer), unknown=True):
            customer.pause_began.setdefault(pause.name, now)
        elif customer.pause_began.pop(pause.name, None) is not None:
            customer.pause_over[pause.name] = now


def check_waits(moment: Moment, event: Happened | None) -> None:
    """Step 6: every instance, by scenario and key; each track moves by at most one wait."""
    for instance in list(moment.customer.instances):
        standing: list[Track] = [track for track in instance.tracks if track.standing is not None]
        for track in standing:
            if instance in moment.customer.instances and track in instance.tracks:
                touched(moment, instance, track, event)


def _go_on(moment: Moment, candidate: Candidate) -> None:
    """Past the message; one that took the place of another moves nothing but the instance's end."""
    if candidate.track.beside:
        finish_if_over(moment, candidate.instance)
    else:
        after(candidate.track)
        run(moment, candidate.instance, candidate.track)


def rounds(moment: Moment) -> None:
    """Steps 8 and 9."""
    for _ in range(MOST_ROUNDS):
        moved = False
        waiting, moment.candidates = moment.candidates, []
        settled = judge(moment, waiting)
        for candidate in sorted(settled, key=lambda one: one.track.beside):
            if candidate.instance in moment.customer.instances:
                _go_on(moment, candidate)
            moved = True
        made, moment.made = moment.made, []
        for event in made:
            through(moment, event)
            moved = True
        moved = becomes_now(moment) or moved
        if not moved and not moment.candidates:
            return
    for candidate in list(moment.candidates):  # too deep: what is not judged by now never is
        if candidate.instance in moment.customer.instances:
            end(moment, candidate.instance, "lost", "too_deep")
