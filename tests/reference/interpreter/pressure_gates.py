"""Section 8: gates that ask how much the customer hears, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.interpreter.clock import is_between, local, midnight, next_time
from tests.reference.interpreter.conditions import Scope, holds
from tests.reference.interpreter.profile import read
from tests.reference.interpreter.records import Refusal

if TYPE_CHECKING:
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Candidate, Message

LOOKED_AT_EVERY = 6 * 3_600_000


def pauses(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    for pause in moment.bundle.policy.pauses:
        if pause.class_ not in {None, candidate.content.class_}:
            continue
        if pause.about and not set(pause.about) & set(candidate.about):
            continue
        paused, until = paused_until(moment, pause)
        if paused:
            return Refusal(pause.name) if pause.on_hit == "cancel" else Refusal(pause.name, True, until)
    return None


def paused_until(moment: Moment, pause: Any) -> tuple[bool, int]:
    """Whether a pause holds now, and when to look again: at its end where that is known, else every six hours."""
    customer = moment.customer
    if holds(pause.while_, Scope(customer), unknown=True):
        began = customer.pause_began.setdefault(pause.name, moment.now)
        if pause.longest and moment.now >= began + pause.longest:
            return False, 0
        again = moment.now + LOOKED_AT_EVERY
        return True, min(again, began + pause.longest) if pause.longest else again
    if customer.pause_began.pop(pause.name, None) is not None:  # time alone has ended it: it is over since one looks
        customer.pause_over[pause.name] = moment.now
    over = customer.pause_over.get(pause.name)
    if over is not None and moment.now < over + pause.and_then:
        return True, over + pause.and_then
    return False, 0


def preferred_topics(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    declared = read(moment.customer, "topics")
    if moment.bundle.policy.preferences.topics == "ignore" or not candidate.about or not declared:
        return None
    return None if set(declared) & set(candidate.about) else Refusal("not_preferred")


def caps(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    for cap in moment.bundle.policy.caps:
        mine = (candidate.content.class_, candidate.channel, candidate.topic, candidate.instance.name)
        wanted = (cap.class_, cap.channel, cap.topic, cap.scenario)
        if not _matches(wanted, mine):
            continue
        since = moment.now - cap.per.ms if cap.per.ms is not None else _period_start(moment, cap.per.calendar) - 1
        counted = [
            one.at
            for one in moment.customer.sent
            if one.at > since
            and _matches(wanted, (one.class_, one.channel, one.topic, one.scenario))
            and not _is_the_same(candidate, one)
        ]
        if len(counted) < cap.limit:
            continue
        if cap.on_hit == "hold" and cap.limit > 0:
            return Refusal("capped", True, _free_at(moment, cap, sorted(counted)))
        return Refusal("capped", next_channel=cap.on_hit == "next_channel" and cap.channel is not None)
    return None


def _is_the_same(candidate: Candidate, message: Message) -> bool:
    """A message on the next channel is still one message: it counts once, where it was sent last."""
    return message.replaced or message in candidate.standing.messages


def _matches(wanted: tuple[Any, ...], given: tuple[Any, ...]) -> bool:
    return all(one is None or one == other for one, other in zip(wanted, given, strict=True))


def _period_start(moment: Moment, calendar: str | None) -> int:
    """The local midnight that began this day, week or month."""
    wall = local(moment.now, moment.customer.zone)
    back = {"day": 0, "week": wall.weekday(), "month": wall.day - 1}[calendar or "day"]
    return midnight(moment.now, moment.customer.zone, -back)


def _free_at(moment: Moment, cap: Any, counted: list[int]) -> int:
    """When so many of them no longer count that one more may be sent."""
    if cap.per.ms is not None:
        return int(counted[len(counted) - cap.limit]) + int(cap.per.ms)
    day = 1
    start = _period_start(moment, cap.per.calendar)
    while True:
        at = midnight(start, moment.customer.zone, day)
        wall = local(at, moment.customer.zone)
        begins = {"day": True, "week": wall.weekday() == 0, "month": wall.day == 1}
        if begins[cap.per.calendar or "day"]:
            return at
        day += 1


def min_gap(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    for rule in moment.bundle.policy.min_gap:
        wanted = (rule.class_, rule.channel)
        if not _matches(wanted, (candidate.content.class_, candidate.channel)):
            continue
        times = [
            one.at
            for one in moment.customer.sent
            if _matches(wanted, (one.class_, one.channel)) and not _is_the_same(candidate, one)
        ]
        if times and moment.now < max(times) + rule.gap:
            if rule.on_hit == "hold":
                return Refusal("min_gap", True, max(times) + rule.gap)
            return Refusal("min_gap", next_channel=rule.on_hit == "next_channel")
    return None


def arbitration(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    class_ = candidate.content.class_
    taken = class_ in moment.bundle.policy.one_per_moment and class_ in moment.taken
    return Refusal("arbitration") if taken else None


def quiet_hours(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    zone = moment.customer.zone
    for quiet in moment.bundle.policy.quiet_hours:
        if candidate.content.class_ in quiet.except_ or (quiet.channels and candidate.channel not in quiet.channels):
            continue
        if is_between(moment.now, quiet.from_, quiet.to, zone):
            if quiet.on_hit == "skip":
                return Refusal("quiet_hours")
            return Refusal("quiet_hours", True, next_time(moment.now, quiet.to, zone))
    return None


def preferred_hours(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    """Declared hours are written `18-20`."""
    declared = str(read(moment.customer, "preferred_hours"))
    if moment.bundle.policy.preferences.hours == "ignore" or declared.count("-") != 1:
        return None
    begin, finish = (int(hour) * 60 for hour in declared.split("-"))
    zone = moment.customer.zone
    if is_between(moment.now, begin, finish, zone):
        return None
    return Refusal("preferred_hours", True, next_time(moment.now, begin, zone))


def browse_delay(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    entry = candidate.instance.entry
    declaration = moment.bundle.events.get(entry.names[1]) or moment.bundle.events.get(entry.type)
    if not moment.bundle.policy.browse_delay or candidate.channel not in {"push", "sms"}:
        return None
    if declaration is None or not declaration.browsing:
        return None
    due = entry.time + moment.bundle.policy.browse_delay
    return Refusal("browse_delay", True, due) if moment.now < due else None
