"""Section 8: gates that ask what is said, to whom, and on which channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.cel import CelError
from tests.reference.interpreter.conditions import holds
from tests.reference.interpreter.profile import read
from tests.reference.interpreter.recalls import consented
from tests.reference.interpreter.records import Refusal
from tests.reference.interpreter.track import scope_of

if TYPE_CHECKING:
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Candidate


def expired(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    content = candidate.content
    candidate.valid_until = candidate.standing.decided + content.valid_for
    if content.valid_until is not None:
        try:
            candidate.valid_until = content.valid_until.evaluate(scope_of(moment, candidate.instance)).ms
        except CelError:
            return Refusal("expired")
    return Refusal("expired") if moment.now >= candidate.valid_until else None


def stopped(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    """Until a person reopens the scenario."""
    return Refusal("stopped") if moment.customer.shared.stopped(candidate.instance.scenario) else None


def owned(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    """While another instance lives that owns what this is about, marketing about it comes from there."""
    content, scope = candidate.content, scope_of(moment, candidate.instance)
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


def channel(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
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
        if not consented(moment, candidate.content.class_, name, candidate.content.purpose):
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


def suitable(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    """`instead` once, where `requires` is false; if it fails too, the first reason stands."""
    refusal = _unfit(moment, candidate)
    content = candidate.content
    if refusal is None or refusal.reason == "not_suited" or content.instead is None:
        return refusal
    kept = (candidate.channel, candidate.address, candidate.topic, candidate.about, candidate.valid_until)
    candidate.content = moment.bundle.contents[content.instead]
    passes = all(gate(moment, candidate, full) is None for gate in (expired, owned, channel))
    if passes and _unfit(moment, candidate) is None:
        return None
    candidate.content = content
    candidate.channel, candidate.address, candidate.topic, candidate.about, candidate.valid_until = kept
    return refusal


def _unfit(moment: Moment, candidate: Candidate) -> Refusal | None:
    scope = scope_of(moment, candidate.instance)
    if not holds(candidate.content.suits, scope):
        return Refusal("not_suited")
    return None if holds(candidate.content.requires, scope) else Refusal(candidate.content.reason)


def once(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
    once = candidate.content.once
    return Refusal("already_seen") if once is not None and holds(once, scope_of(moment, candidate.instance)) else None


def redundancy(moment: Moment, candidate: Candidate, full: list[str]) -> Refusal | None:
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
        and one not in candidate.standing.messages
    ]
    return Refusal("redundant") if said else None
