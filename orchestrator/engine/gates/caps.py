"""How many messages are enough: caps are exact, they count what was sent in their window."""

from typing import TYPE_CHECKING

from orchestrator.engine.gates.verdict import Verdict, hold
from orchestrator.engine.local_time import DAY, start_of_day, start_of_month, start_of_week, zone
from orchestrator.model.reason import CAPPED

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment
    from orchestrator.language.spec.policy import Cap
    from orchestrator.language.spec.values import Per
    from orchestrator.model.customer import Contact

_STARTS = {"day": start_of_day, "week": start_of_week, "month": start_of_month}
_INTO_NEXT = {"day": 3 * DAY // 2, "week": 15 * DAY // 2, "month": 32 * DAY}
_LONGEST = {"day": 2 * DAY, "week": 8 * DAY, "month": 32 * DAY}


def caps(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """All caps that match apply; the first that is full decides."""
    policy = moment.program.policy
    if policy is None or not policy.caps:
        return None
    for cap in policy.caps:
        if not _concerns(cap, candidate):
            continue
        since = start_of(cap.per, moment)
        counted = [c for c in moment.customer.contacts if c.at > since and _counts(cap, c, candidate)]
        if len(counted) >= cap.limit:
            return _full(cap, candidate, moment, counted)
    return None


def _concerns(cap: "Cap", candidate: "Candidate") -> bool:
    """Whether a cap speaks of such a message. Only marketing has a purpose."""
    return (
        cap.class_ in {None, candidate.class_}
        and cap.channel in {None, candidate.channel}
        and cap.purpose in {None, candidate.purpose}
        and cap.topic in {None, candidate.topic}
        and cap.scenario in {None, candidate.plan.name}
    )


def _counts(cap: "Cap", contact: "Contact", candidate: "Candidate") -> bool:
    if contact.replaced or contact.id in candidate.messages:
        return False
    return (
        cap.class_ in {None, contact.class_}
        and cap.channel in {None, contact.channel}
        and cap.purpose in {None, contact.purpose}
        and cap.topic in {None, contact.topic}
        and cap.scenario in {None, contact.scenario}
    )


def start_of(per: "Per", moment: "Moment") -> int:
    """The moment (ms) after which something counts: a rolling window, or the customer's day, week or month."""
    if per.ms is not None:
        return moment.now - per.ms
    where = zone(moment.scope.zone_name(), moment.program.zone)
    return _STARTS[per.calendar or "day"](moment.now, where) - 1


def _full(cap: "Cap", candidate: "Candidate", moment: "Moment", counted: "list[Contact]") -> Verdict | None:
    detail = {"limit": cap.limit, "sent": len(counted), "on": cap.channel or "any"}
    if cap.on_hit == "hold" and cap.limit > 0:
        oldest = sorted(contact.at for contact in counted)[-cap.limit]
        return hold(CAPPED, _free_at(cap, moment, oldest), detail)
    if cap.on_hit == "next_channel" and cap.channel is not None:
        from orchestrator.engine.gates.next_channel import next_channel  # noqa: PLC0415 - it runs the chain again

        return next_channel(candidate, moment, Verdict(CAPPED, detail=detail))
    return Verdict(CAPPED, detail=detail)


def _free_at(cap: "Cap", moment: "Moment", oldest: int) -> int:
    if cap.per.ms is not None:
        return oldest + cap.per.ms
    where = zone(moment.scope.zone_name(), moment.program.zone)
    start = _STARTS[cap.per.calendar or "day"]
    return start(start(moment.now, where) + _INTO_NEXT[cap.per.calendar or "day"], where)


def horizon(cap: "Cap") -> int:
    """How long (ms) a contact matters to this cap."""
    return cap.per.ms if cap.per.ms is not None else _LONGEST[cap.per.calendar or "day"]
