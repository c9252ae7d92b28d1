"""`send.fallback`: a message that is not delivered in time goes to the next channel in its order.

The story goes on when the message was sent; beside it the instance stands at the send and waits for what becomes of
it. Such a standing names in `data` the `messages` sent so far and the channels `tried`, how many are `left`, and the
`visit` of the step that sent the first.
"""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.journey import Journey, finish_if_over
from orchestrator.engine.recalls import withdrawal
from orchestrator.model import reason
from orchestrator.model.customer import Contact, Standing

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.model.event import Event

UNDELIVERED: Final = frozenset({"failed", "bounced"})


def is_fallback(standing: Standing) -> bool:
    """Whether a standing waits for what becomes of a message, and is no first attempt."""
    return isinstance(standing.data, dict) and "messages" in standing.data


def watch(journey: Journey, candidate: "Candidate", message: str) -> None:
    """A message was sent: wait for its delivery, if the step says what to do without it."""
    rule, data, now = candidate.step.body.fallback, candidate.standing.data, journey.moment.now
    left = data.get("left", rule.times) if rule is not None else 0
    if rule is None or left < 1:
        return
    waiting = {
        "content": data["content"],
        "decided": data["decided"],
        "tried": [*data.get("tried", ()), candidate.channel],
        "messages": [*data.get("messages", ()), message],
        "left": left - 1,
        "visit": data.get("visit", journey.visit(candidate.step)),
    }
    standing = Standing(candidate.step.id, now, now + rule.after, waiting, candidate.standing.branch)
    journey.instance.standing.append(standing)


def replace(journey: Journey, candidate: "Candidate") -> None:
    """The message goes out on another channel: the one before counts no more, and is not to be sent any more."""
    moment, before = journey.moment, candidate.standing.data["messages"][-1]
    for contact in moment.customer.contacts:
        if contact.id == before and not contact.settled:
            moment.effects.append(withdrawal(moment, contact, reason.FALLBACK))
    moment.customer.change_contact(before, replaced=True)


def is_needed(journey: Journey, standing: Standing) -> bool:
    """Whether the newest message has not been delivered, nor ended in a way that needs no other channel."""
    contact = _contact(journey, standing)
    return contact is not None and (not contact.settled or contact.settled in UNDELIVERED)


def fits(standing: Standing, event: "Event") -> bool:
    """Whether an outcome is that of the message waited for."""
    return bool(event.data.get("message") == standing.data["messages"][-1])


def drop(journey: Journey, standing: Standing) -> None:
    """Nothing is waited for any more; a story that was only waiting for this is over."""
    if standing in journey.instance.standing:
        journey.instance.standing.remove(standing)
    finish_if_over(journey)


def _contact(journey: Journey, standing: Standing) -> Contact | None:
    message: Any = standing.data["messages"][-1]
    return next((contact for contact in reversed(journey.moment.customer.contacts) if contact.id == message), None)
