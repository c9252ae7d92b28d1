"""Sections 6 and 8, and step 8 of a moment: which message leaves, on which channel, and why another does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.language.cel import CelError
from tests.reference.interpreter.clock import local, midnight, minutes_of_day, next_time, within
from tests.reference.interpreter.conditions import Scope, holds
from tests.reference.interpreter.endings import end
from tests.reference.interpreter.profile import denied, granted, read
from tests.reference.interpreter.records import Candidate, Message
from tests.reference.interpreter.steps import action_id, output

if TYPE_CHECKING:
    from orchestrator.language.spec.content import Content
    from tests.reference.interpreter.moment import Moment


LOOKED_AT_EVERY = 6 * 3_600_000


class Refusal(NamedTuple):
    """Suppressed, or held until a time."""

    reason: str
    held: bool = False
    until: int = 0
    next_channel: bool = False


def judge(moment: Moment, candidates: list[Candidate]) -> list[Candidate]:
    """Sort and judge; gives those that are sent or suppressed."""
    order = moment.bundle.policy.rank
    for candidate in candidates:
        candidate.score = _score(moment, candidate)
    candidates.sort(
        key=lambda one: (
            order.index(one.content.class_), -one.instance.scenario.priority, -one.score, one.instance.name,
            one.instance.key, one.standing.step.id,
        )
    )  # fmt: skip
    settled = []
    for candidate in candidates:
        if candidate.instance not in moment.customer.instances:
            continue
        refusal = _refusal(moment, candidate, [])
        if refusal is None:
            refusal = _send(moment, candidate)
        if refusal is None:
            settled.append(candidate)
        elif refusal.held:
            _hold(moment, candidate, refusal)
        else:
            _suppress(moment, candidate, refusal.reason)
            settled.append(candidate)
    return settled


def _scope(moment: Moment, candidate: Candidate) -> Scope:
    return Scope(moment.customer, None, candidate.instance)


def _score(moment: Moment, candidate: Candidate) -> float:
    score = candidate.instance.scenario.score
    try:
        return 0.0 if score is None else float(score.evaluate(_scope(moment, candidate)))
    except CelError:
        return 0.0


def _hold(moment: Moment, candidate: Candidate, refusal: Refusal) -> None:
    """Until its time, but not longer than it is valid."""
    candidate.standing.due = min(candidate.valid_until, refusal.until)
    candidate.standing.held_by = refusal.reason
    candidate.standing.valid_until = candidate.valid_until
    _told(moment, candidate, "held", refusal.reason)


def _suppress(moment: Moment, candidate: Candidate, reason: str) -> None:
    instance, step = candidate.instance, candidate.standing.step
    _told(moment, candidate, "suppressed", reason)
    output(moment, instance, step, "suppressed", sent=False, reason=reason, channel="", message="")
    moment.make(
        "contact_suppressed", content=candidate.content.content, channel=candidate.channel, reason=reason,
        scenario=instance.name,
    )  # fmt: skip
    if step.body.on_unsent == "exit":  # type: ignore[union-attr]
        end(moment, instance, "lost", reason)


def _told(moment: Moment, candidate: Candidate, what: str, reason: str = "") -> None:
    name = candidate.content.content
    moment.tell(what, candidate.instance.name, candidate.standing.step.id, reason, f"{name}/{candidate.channel}")


def _send(moment: Moment, candidate: Candidate) -> Refusal | None:
    instance, step, content = candidate.instance, candidate.standing.step, candidate.content
    scope = _scope(moment, candidate)
    try:
        values = {name: value.evaluate(scope) for name, value in content.with_.items()}
        values |= {name: value.evaluate(scope) for name, value in step.body.with_.items()}  # type: ignore[union-attr]
    except CelError:
        return Refusal("error")
    id_ = action_id(moment, instance, step)
    moment.customer.sent.append(
        Message(
            moment.now, id_, content.content, candidate.channel, content.class_, content.purpose, candidate.topic,
            instance.name, instance.key, step.id, candidate.address, candidate.about, values, candidate.valid_until,
        )
    )  # fmt: skip
    moment.taken.setdefault(content.class_, instance.name)
    output(moment, instance, step, "sent", sent=True, channel=candidate.channel, reason="", message=id_)
    _told(moment, candidate, "sent")
    moment.make(
        "contact_sent", content=content.content, channel=candidate.channel, reason="", message=id_,
        scenario=instance.name, topic=candidate.topic,
    )  # fmt: skip
    return None


# The chain.


def _refusal(moment: Moment, candidate: Candidate, full: list[str], last: str = "") -> Refusal | None:
    """The first gate that refuses. `full` are channels that were given up; `last` is the last gate to look at."""
    for name, gate in _CHAIN:
        if not _concerns(moment, candidate, name):
            continue
        refusal: Refusal | None = gate(moment, candidate, full)
        if refusal is not None and refusal.next_channel and not last:
            return _elsewhere(moment, candidate, full, refusal)
        if refusal is not None:
            return refusal
        if name == last:
            return None
    return None


def _elsewhere(moment: Moment, candidate: Candidate, full: list[str], refusal: Refusal) -> Refusal | None:
    """The channel is full: the next one, from the top; where none is free the first reason stands."""
    kept = (candidate.channel, candidate.address)
    tried = [*full, candidate.channel]
    while True:
        again = _refusal(moment, candidate, tried, "min_gap")
        if again is None:
            return _after_min_gap(moment, candidate)
        if not again.next_channel:
            candidate.channel, candidate.address = kept
            return refusal
        tried.append(candidate.channel)


def _after_min_gap(moment: Moment, candidate: Candidate) -> Refusal | None:
    names = [name for name, _ in _CHAIN]
    for name, gate in _CHAIN[names.index("min_gap") + 1 :]:
        if _concerns(moment, candidate, name):
            refusal: Refusal | None = gate(moment, candidate, [])
            if refusal is not None:
                return refusal
    return None


def _concerns(moment: Moment, candidate: Candidate, gate: str) -> bool:
    """Whether a policy holds for the class of a message at all."""
    class_ = candidate.content.class_
    if gate in {"preferred_topics", "preferred_hours"}:
        return class_ == "marketing" and not _exempt(moment, class_, "preferences")
    if gate in {"expired", "owned", "channel", "suitable", "once"}:
        return True
    return not _exempt(moment, class_, gate)


def _exempt(moment: Moment, class_: str, policy: str) -> bool:
    free = moment.bundle.policy.exempt.get(class_, ())
    return "all" in free or policy in free


def _expired(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    content = candidate.content
    candidate.valid_until = candidate.standing.since + content.valid_for
    if content.valid_until is not None:
        try:
            candidate.valid_until = content.valid_until.evaluate(_scope(moment, candidate)).ms
        except CelError:
            return Refusal("expired")
    return Refusal("expired") if moment.now >= candidate.valid_until else None


def _owned(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    """While another instance lives that owns what this is about, marketing about it comes from there."""
    content, scope = candidate.content, _scope(moment, candidate)
    candidate.about = tuple(str(name.name or name.expr.evaluate(scope)) for name in content.about)  # type: ignore[union-attr]
    topic = content.topic
    candidate.topic = content.content if topic is None else str(topic.name or topic.expr.evaluate(scope))  # type: ignore[union-attr]
    if content.class_ != "marketing":
        return None
    for other in moment.customer.instances:
        foreign = other.mode == "live" and other.name != candidate.instance.name
        if foreign and set(other.scenario.owns) & set(candidate.about):
            return Refusal("owned")
    return None


def _channel(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    reason = "no_address"
    candidate.channel = candidate.address = ""
    for name in _order(moment, candidate):
        known = moment.bundle.channels.get(name)
        if known is None or known.sends != "push" or not known.enabled:
            continue
        if name not in candidate.content.variants or name in full:
            continue
        address = moment.customer.ids.get(known.address or "", "")
        if not address:
            continue
        if not _consented(moment, candidate.content, name):
            reason = "no_consent"
            continue
        candidate.channel, candidate.address = name, address
        return None
    return Refusal(reason)


def _order(moment: Moment, candidate: Candidate) -> list[str]:
    """The step's channels in their order, with the two words spelled out."""
    policy, content = moment.bundle.policy, candidate.content
    given = candidate.standing.step.body.channel  # type: ignore[union-attr]
    found: list[str] = []
    for name in [given] if isinstance(given, str) else given or ("preferred",):
        if name == "last_used":
            found += _last_used(moment)
        elif name == "preferred":
            declared = read(moment.customer, "preferred_channel")
            if declared and (policy.preferences.channel == "respect" or content.class_ != "marketing"):
                found.append(declared)
            if content.class_ == "service":
                found += _last_used(moment)
            found += policy.preferred_order
        else:
            found.append(name)
    return found


def _last_used(moment: Moment) -> list[str]:
    """Channels that the customer used, newest first; a message of ours in service counts as a use of both."""
    used: dict[str, int] = {}
    for event in moment.customer.accepted:
        channel = moment.bundle.channels.get(event.channel)
        outcome = event.type in {"delivered", "bounced", "failed", "expired", "withdrawn"}
        if channel is not None and channel.sends == "push" and moment.customer.is_activity(event) and not outcome:
            used[event.channel] = max(event.time, used.get(event.channel, 0))
    for message in moment.customer.sent:
        if message.class_ == "service":
            used[message.channel] = max(message.at, used.get(message.channel, 0))
    return sorted(used, key=lambda name: (-used[name], name))


def _consented(moment: Moment, content: Content, channel: str) -> bool:
    if content.class_ == "marketing":
        return granted(moment.customer, channel, content.purpose)
    return content.class_ == "transactional" or not denied(moment.customer, channel)


def _suitable(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    """`instead` once, where `requires` is false; if it fails too, the first reason stands."""
    refusal = _unfit(moment, candidate)
    content = candidate.content
    if refusal is None or refusal.reason == "not_suited" or content.instead is None:
        return refusal
    kept = (candidate.channel, candidate.address, candidate.topic, candidate.about, candidate.valid_until)
    candidate.content = moment.bundle.contents[content.instead]
    passes = all(gate(moment, candidate, full) is None for gate in (_expired, _owned, _channel))
    if passes and _unfit(moment, candidate) is None:
        return None
    candidate.content = content
    candidate.channel, candidate.address, candidate.topic, candidate.about, candidate.valid_until = kept
    return refusal


def _unfit(moment: Moment, candidate: Candidate) -> Refusal | None:
    scope = _scope(moment, candidate)
    if not holds(candidate.content.suits, scope):
        return Refusal("not_suited")
    return None if holds(candidate.content.requires, scope) else Refusal(candidate.content.reason)


def _once(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    once = candidate.content.once
    return Refusal("already_seen") if once is not None and holds(once, _scope(moment, candidate)) else None


def _redundancy(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    rule = moment.bundle.policy.redundancy
    if rule is None or candidate.content.class_ in rule.except_:
        return None
    if rule.channels and candidate.channel not in rule.channels:
        return None
    said = [
        one
        for one in moment.customer.sent
        if one.topic == candidate.topic
        and one.at > moment.now - rule.for_
        and (not rule.channels or one.channel in rule.channels)
    ]
    return Refusal("redundant") if said else None


def _pauses(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
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
    over = customer.pause_over.get(pause.name)
    if over is not None and moment.now < over + pause.and_then:
        return True, over + pause.and_then
    return False, 0


def _preferred_topics(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    declared = read(moment.customer, "topics")
    if moment.bundle.policy.preferences.topics == "ignore" or not candidate.about or not declared:
        return None
    return None if set(declared) & set(candidate.about) else Refusal("not_preferred")


def _caps(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    for cap in moment.bundle.policy.caps:
        mine = (candidate.content.class_, candidate.channel, candidate.topic, candidate.instance.name)
        wanted = (cap.class_, cap.channel, cap.topic, cap.scenario)
        if not _matches(wanted, mine):
            continue
        since = moment.now - cap.per.ms if cap.per.ms is not None else _period_start(moment, cap.per.calendar) - 1
        counted = [
            one.at
            for one in moment.customer.sent
            if one.at > since and _matches(wanted, (one.class_, one.channel, one.topic, one.scenario))
        ]
        if len(counted) < cap.limit:
            continue
        if cap.on_hit == "hold" and cap.limit > 0:
            return Refusal("capped", True, _free_at(moment, cap, sorted(counted)))
        return Refusal("capped", next_channel=cap.on_hit == "next_channel" and cap.channel is not None)
    return None


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


def _min_gap(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    for rule in moment.bundle.policy.min_gap:
        wanted = (rule.class_, rule.channel)
        if not _matches(wanted, (candidate.content.class_, candidate.channel)):
            continue
        times = [one.at for one in moment.customer.sent if _matches(wanted, (one.class_, one.channel))]
        if times and moment.now < max(times) + rule.gap:
            if rule.on_hit == "hold":
                return Refusal("min_gap", True, max(times) + rule.gap)
            return Refusal("min_gap", next_channel=rule.on_hit == "next_channel")
    return None


def _arbitration(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    class_ = candidate.content.class_
    taken = class_ in moment.bundle.policy.one_per_moment and class_ in moment.taken
    return Refusal("arbitration") if taken else None


def _quiet_hours(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    zone = moment.customer.zone
    for quiet in moment.bundle.policy.quiet_hours:
        if candidate.content.class_ in quiet.except_ or (quiet.channels and candidate.channel not in quiet.channels):
            continue
        if within(minutes_of_day(moment.now, zone), quiet.from_, quiet.to):
            if quiet.on_hit == "skip":
                return Refusal("quiet_hours")
            return Refusal("quiet_hours", True, next_time(moment.now, quiet.to, zone))
    return None


def _preferred_hours(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    """Declared hours are written `18-20`."""
    declared = str(read(moment.customer, "preferred_hours"))
    if moment.bundle.policy.preferences.hours == "ignore" or declared.count("-") != 1:
        return None
    begin, finish = (int(hour) * 60 for hour in declared.split("-"))
    zone = moment.customer.zone
    if within(minutes_of_day(moment.now, zone), begin, finish):
        return None
    return Refusal("preferred_hours", True, next_time(moment.now, begin, zone))


def _browse_delay(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    entry = candidate.instance.entry
    declaration = moment.bundle.events.get(entry.names[1]) or moment.bundle.events.get(entry.type)
    if not moment.bundle.policy.browse_delay or candidate.channel not in {"push", "sms"}:
        return None
    if declaration is None or not declaration.browsing:
        return None
    due = entry.time + moment.bundle.policy.browse_delay
    return Refusal("browse_delay", True, due) if moment.now < due else None


_CHAIN: tuple[tuple[str, Any], ...] = (
    ("expired", _expired),
    ("owned", _owned),
    ("channel", _channel),
    ("suitable", _suitable),
    ("once", _once),
    ("redundancy", _redundancy),
    ("pauses", _pauses),
    ("preferred_topics", _preferred_topics),
    ("caps", _caps),
    ("min_gap", _min_gap),
    ("one_per_moment", _arbitration),
    ("quiet_hours", _quiet_hours),
    ("preferred_hours", _preferred_hours),
    ("browse_delay", _browse_delay),
)
