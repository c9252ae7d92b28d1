"""`send.fallback`: a message that is not delivered goes out on the next channel of its order: one message still.

The story goes on when the first was sent. Beside it a track of its own waits for what becomes of the newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.interpreter.records import Standing, Track
from tests.reference.interpreter.track import output

if TYPE_CHECKING:
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Candidate, Happened, Message

OUTCOMES = frozenset({"delivered", "bounced", "failed", "expired", "withdrawn"})
UNDELIVERED = frozenset({"bounced", "failed"})


def watch(moment: Moment, candidate: Candidate, message: Message) -> None:
    """The message was sent: wait for its delivery, if there is another way without it."""
    before, instance = candidate.standing, candidate.instance
    if candidate.track.beside:
        instance.tracks.remove(candidate.track)
    rule: Any = before.step.body.fallback  # type: ignore[union-attr]
    left = 0 if rule is None else before.left if before.messages else rule.times
    if left == 0:
        return
    beside = Track(candidate.track.root, [], beside=True)
    beside.standing = Standing(
        before.step, moment.now, moment.now + rule.after, content=before.content, decided=before.decided,
        messages=(*before.messages, message), left=left - 1, visit=before.visit,
    )  # fmt: skip
    instance.tracks.append(beside)


def replaced(moment: Moment, candidate: Candidate, message: Message) -> None:
    """The one before counts no more; it is withdrawn unless its fate is known. The newest speaks for the step."""
    before = candidate.standing.messages[-1]
    before.replaced = True
    if not before.settled:
        moment.customer.withdrawn.append((moment.now, before.id, "fallback"))
    step = candidate.standing.step
    if candidate.instance.outputs.get(step.id, {}).get("message") == before.id:
        ids = [one.id for one in (*candidate.standing.messages, message)]
        output(
            moment, candidate.instance, step, "sent", sent=True, channel=message.channel, reason="",
            message=message.id, messages=ids,
        )  # fmt: skip


def settle(customer: Customer, event: Happened) -> None:
    """Delivery says what became of a message."""
    if event.type in OUTCOMES:
        for message in customer.sent:
            if message.id == event.data.get("message"):
                message.settled = event.type


def is_outcome(standing: Standing, event: Happened) -> bool:
    """Whether an event tells what became of the newest message."""
    return event.type in OUTCOMES and event.data.get("message") == standing.messages[-1].id
