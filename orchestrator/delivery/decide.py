"""What to do with an action, and with what an attempt to send it gave. Pure: no clock, no randomness, no I/O.

Everything that delivery decides about one action is decided here, from the record, the ledger's entry and `now`;
the shell does the attempts. So a simulator can drive the very decisions that run in production.
"""

from typing import Final

import msgspec

from orchestrator.delivery.backoff import Backoff
from orchestrator.delivery.contents import Quiet
from orchestrator.delivery.ledger import Entry, Outcome, Pending, Settled, forget_at
from orchestrator.model.effect import Action, Withdrawal
from orchestrator.model.reason import QUIET_HOURS


class Delivered(msgspec.Struct, frozen=True):
    """The channel has taken the message."""


class Refused(msgspec.Struct, frozen=True):
    """The message will never be taken: `bounced` (the address was refused) or `failed` (anything else)."""

    outcome: Outcome
    reason: str


class Deferred(msgspec.Struct, frozen=True):
    """Not now; it is tried again.

    Attributes:
        reason: a word of a bounded list, for ledger, outcome and metrics.
        retry_after: the wait that the other side asked for, ms.
        channel_wide: not this message's fault: the next one would fare the same (unreachable, overloaded).
        attempted: whether the channel was asked at all; what never left us does not count as an attempt.
    """

    reason: str
    retry_after: int = 0
    channel_wide: bool = False
    attempted: bool = True


Result = Delivered | Refused | Deferred


class Attempt(msgspec.Struct, frozen=True):
    """Send it now, or as soon as its channel has room."""


class Repeat(msgspec.Struct, frozen=True):
    """It is over already, and the record came again: tell its outcome again, under the same event id."""

    entry: Settled


class Nothing(msgspec.Struct, frozen=True):
    """Nothing is to be done: it is pending already, or too late to matter."""


ATTEMPT: Final = Attempt()
NOTHING: Final = Nothing()
NO_LONGER_WANTED: Final = "withdrawn"
OUT_OF_TIME: Final = "out_of_time"

Due = Attempt | Settled | Pending
Received = Due | Repeat | Nothing


def on_send(entry: Entry | None, action: Action, now: int, quiet: Quiet | None = None) -> Received:
    """An action came from the topic; `entry` is what the ledger knows of its id."""
    if isinstance(entry, Settled):
        return Repeat(entry)
    if isinstance(entry, Pending):
        return NOTHING
    return on_due(Pending(action, now), now, quiet)


def on_due(pending: Pending, now: int, quiet: Quiet | None = None) -> Due:
    """A pending action's time has come. Never sent after `valid_until`, nor while it would disturb (`quiet`).

    It was no quiet hour when the message was decided; since then it has waited, for a worker, a receiver or a rate
    limit. It waits on until the quiet hours are over; where it is not valid for so long, it is over now.
    """
    if pending.withdrawn:
        return settle(pending.action, Outcome.WITHDRAWN, pending.withdrawn, now)
    if now > pending.action.valid_until:
        return settle(pending.action, Outcome.EXPIRED, pending.reason or OUT_OF_TIME, now)
    if quiet is None:
        return ATTEMPT
    if quiet.skip or quiet.until > pending.action.valid_until:
        return settle(pending.action, Outcome.EXPIRED, QUIET_HOURS, now)
    return msgspec.structs.replace(pending, next_at=quiet.until, reason=QUIET_HOURS)


def on_withdraw(
    entry: Entry | None, withdrawal: Withdrawal, now: int, *, under_way: bool = False
) -> Pending | Settled | Nothing:
    """An action is not to be sent any more.

    Of an id never seen it is remembered, so that a send that comes (again) later finds it. What is over stays
    as it was. Where an attempt is under way, its result decides: see `after_attempt`.
    """
    if isinstance(entry, Settled):
        return NOTHING
    if under_way and entry is not None:
        return msgspec.structs.replace(entry, withdrawn=withdrawal.reason or NO_LONGER_WANTED)
    until = entry.action.valid_until if entry else 0
    return Settled(Outcome.WITHDRAWN, now, forget_at(now, until), withdrawal.reason)


def after_attempt(pending: Pending, result: Result, now: int, draw: float, backoff: Backoff) -> Entry:
    """What the ledger says after an attempt.

    Args:
        pending: the action, with the attempts before this one. Where it was withdrawn while the attempt was
            under way, what was delivered stays delivered; anything else is not tried again.
        result: what the attempt gave.
        now: ms.
        draw: a random number in [0, 1).
        backoff: the schedule of retries.
    """
    action = pending.action
    if isinstance(result, Delivered):
        return settle(action, Outcome.DELIVERED, "", now)
    if pending.withdrawn:
        return settle(action, Outcome.WITHDRAWN, pending.withdrawn, now)
    if isinstance(result, Refused):
        return settle(action, result.outcome, result.reason, now)
    return _again(pending, result, now, draw, backoff)


def _again(pending: Pending, result: Deferred, now: int, draw: float, backoff: Backoff) -> Entry:
    attempts = pending.attempts + result.attempted
    next_at = now + backoff.wait(max(attempts, 1), draw, at_least=result.retry_after)
    if next_at > pending.action.valid_until:
        # No further attempt is possible, so whoever waits for the outcome may know it now.
        return settle(pending.action, Outcome.EXPIRED, result.reason, now)
    return Pending(pending.action, next_at, attempts, result.reason)


def settle(action: Action, outcome: Outcome, reason: str, now: int) -> Settled:
    """The ledger's entry for an action that ended in this way."""
    return Settled(outcome, now, forget_at(now, action.valid_until), reason)
