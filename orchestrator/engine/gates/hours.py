"""The clock: quiet hours, hours that the customer declared, and a decent delay after browsing."""

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.engine.gates.verdict import Verdict, hold
from orchestrator.engine.local_time import minutes_gone, minutes_of_day, next_time, within, zone
from orchestrator.model.reason import BROWSE_DELAY, PREFERRED_HOURS, QUIET_HOURS

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment
    from orchestrator.language.spec.policy import Policy, QuietHours

INTRUSIVE: Final = ("push", "sms")
SPAN_PARTS: Final = 2
_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-4])(?::([0-5][0-9]))?")
"""An o'clock of a span that a customer declared, up to 24."""


class Disturbance(NamedTuple):
    """A message would disturb: by which rule, at what o'clock (minutes after midnight), and until when (ms)."""

    rule: "QuietHours"
    clock: int
    until: int


def quiet_at(policy: "Policy", class_: str, channel: str, now: int, where: "ZoneInfo") -> Disturbance | None:
    """Whether a message of a class would disturb on a channel at `now` (ms) in a customer's zone: the first rule.

    Engine and delivery ask the same question, one when it decides, the other when the message leaves.
    """
    for rule in policy.quiet_hours:
        if class_ in rule.except_ or (rule.channels and channel not in rule.channels):
            continue
        if within(minutes_gone(now, where), rule.from_, rule.to):
            return Disturbance(rule, minutes_of_day(now, where), next_time(now, rule.to, where))
    return None


def quiet_hours(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """In the customer's zone: held until the end, or skipped."""
    policy = moment.program.policy
    if policy is None or not policy.quiet_hours:
        return None
    where = zone(moment.scope.zone_name(), moment.program.zone)
    quiet = quiet_at(policy, candidate.class_, candidate.channel, moment.now, where)
    if quiet is None:
        return None
    rule = quiet.rule
    detail = {"clock": _clock(quiet.clock), "quiet": f"{_clock(rule.from_)}-{_clock(rule.to)}"}
    if rule.on_hit == "skip":
        return Verdict(QUIET_HOURS, detail=detail)
    return hold(QUIET_HOURS, quiet.until, detail)


def preferred_hours(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Marketing waits for the hours the customer declared, written `18-20` or `18:30-20:00`."""
    policy = moment.program.policy
    if policy is None or candidate.class_ != "marketing" or policy.preferences.hours == "ignore":
        return None
    span = hours_of(str(moment.scope.profile["preferred_hours"]))
    if span is None:
        return None
    where = zone(moment.scope.zone_name(), moment.program.zone)
    if within(minutes_gone(moment.now, where), *span):
        return None
    detail = {"clock": _clock(minutes_of_day(moment.now, where)), "hours": f"{_clock(span[0])}-{_clock(span[1])}"}
    return hold(PREFERRED_HOURS, next_time(moment.now, span[0], where), detail)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def hours_of(text: str) -> tuple[int, int] | None:
    """Declared hours as minutes after midnight; None where there are none, or none that can be read."""
    parts = text.split("-")
    if len(parts) != SPAN_PARTS:
        return None
    span = []
    for part in parts:
        clock = _CLOCK.fullmatch(part.strip())
        if clock is None:
            return None
        span.append(int(clock[1]) * 60 + int(clock[2] or 0))
    return span[0], span[1]


def browse_delay(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Push and SMS about what somebody just looked at would feel like being watched."""
    policy = moment.program.policy
    if policy is None or candidate.channel not in INTRUSIVE:
        return None
    meta = candidate.instance.entry["meta"]
    if not moment.program.event_plan(meta["type"], meta["channel"]).browsing:
        return None
    due = candidate.instance.entry_time + policy.browse_delay
    if moment.now >= due:
        return None
    return hold(BROWSE_DELAY, due, {"event": meta["type"], "delay": policy.browse_delay})
