"""The clock: quiet hours, hours that the customer declared, and a decent delay after browsing."""

from typing import TYPE_CHECKING, Final

from orchestrator.engine.gates.verdict import Verdict, hold
from orchestrator.engine.local_time import minutes_of_day, next_time, within, zone
from orchestrator.model.reason import BROWSE_DELAY, PREFERRED_HOURS, QUIET_HOURS

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment

INTRUSIVE: Final = ("push", "sms")
SPAN_PARTS: Final = 2


def quiet_hours(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """In the customer's zone: held until the end, or skipped."""
    policy = moment.program.policy
    if policy is None or not policy.quiet_hours:
        return None
    where = zone(moment.scope.zone_name(), moment.program.zone)
    for quiet in policy.quiet_hours:
        if candidate.class_ in quiet.except_ or (quiet.channels and candidate.channel not in quiet.channels):
            continue
        minutes = minutes_of_day(moment.now, where)
        if within(minutes, quiet.from_, quiet.to):
            detail = {"clock": _clock(minutes), "quiet": f"{_clock(quiet.from_)}-{_clock(quiet.to)}"}
            if quiet.on_hit == "skip":
                return Verdict(QUIET_HOURS, detail=detail)
            return hold(QUIET_HOURS, next_time(moment.now, quiet.to, where), detail)
    return None


def preferred_hours(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Marketing waits for the hours the customer declared, written `18-20` or `18:30-20:00`."""
    policy = moment.program.policy
    if policy is None or candidate.class_ != "marketing" or policy.preferences.hours == "ignore":
        return None
    span = hours_of(str(moment.scope.profile["preferred_hours"]))
    if span is None:
        return None
    where = zone(moment.scope.zone_name(), moment.program.zone)
    minutes = minutes_of_day(moment.now, where)
    if within(minutes, *span):
        return None
    detail = {"clock": _clock(minutes), "hours": f"{_clock(span[0])}-{_clock(span[1])}"}
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
        hours, _, minutes = part.strip().partition(":")
        if not hours.isdigit() or not (minutes or "0").isdigit():
            return None
        span.append(int(hours) * 60 + int(minutes or 0))
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
