"""Section 8, and step 8 of a moment: which of several messages leave, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError
from tests.reference.interpreter.chain import refusal_of
from tests.reference.interpreter.endings import end
from tests.reference.interpreter.fallback import replaced, watch
from tests.reference.interpreter.records import Message, Refusal
from tests.reference.interpreter.shared import tell_sent
from tests.reference.interpreter.track import action_id, named, output, scope_of

if TYPE_CHECKING:
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Candidate


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
        refusal = refusal_of(moment, candidate, candidate.standing.tried)
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


def _score(moment: Moment, candidate: Candidate) -> float:
    score = candidate.instance.scenario.score
    try:
        return 0.0 if score is None else float(score.evaluate(scope_of(moment, candidate.instance)))
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
    if candidate.standing.messages:  # the first was sent: for the story nothing has changed
        instance.tracks.remove(candidate.track)
        return
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
    instance, step = candidate.instance, candidate.standing.step
    try:
        message = _message(moment, candidate)
    except CelError:
        return Refusal("error")
    moment.customer.sent.append(message)
    moment.taken.setdefault(message.class_, instance.name)
    if candidate.standing.messages:
        message.first = candidate.standing.messages[0]
        replaced(moment, candidate, message)
    else:
        tell_sent(moment.customer, instance.scenario, message)
        output(moment, instance, step, "sent", sent=True, channel=message.channel, reason="", message=message.id)
    watch(moment, candidate, message)
    _told(moment, candidate, "sent")
    moment.make(
        "contact_sent", content=message.content, channel=message.channel, reason="", message=message.id,
        scenario=instance.name, topic=message.topic,
    )  # fmt: skip
    return None


def _message(moment: Moment, candidate: Candidate) -> Message:
    """What leaves.

    Raises:
        CelError: a value is unknown, and nothing is sent half filled.
    """
    instance, standing, content = candidate.instance, candidate.standing, candidate.content
    body: Any = standing.step.body
    scope = scope_of(moment, instance)
    values = {name: value.evaluate(scope) for name, value in [*content.with_.items(), *body.with_.items()]}
    return Message(
        moment.now, action_id(moment, instance, standing.step, standing.visit, len(standing.messages)),
        content.content, candidate.channel, content.class_, content.purpose, candidate.topic, instance.name,
        instance.key, standing.step.id, candidate.address, candidate.about, values, candidate.valid_until,
        "" if body.thread is None else str(body.thread.evaluate(scope)),
        "" if body.sender is None else named(body.sender, scope),
    )  # fmt: skip
