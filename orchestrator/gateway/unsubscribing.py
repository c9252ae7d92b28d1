"""One click ends messages (RFC 8058): a signed token becomes a channel event, as if the channel had told of it."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from orchestrator.gateway.buckets import TokenBucket
from orchestrator.gateway.intake import Intake
from orchestrator.gateway.observer import Observer
from orchestrator.gateway.refusals import Malformed, TooMany, Unavailable, Unknown
from orchestrator.gateway.tokens import Leaving
from orchestrator.model.ids import made_id

SOURCE: Final = "unsubscribe"
TYPE: Final = "unsubscribed"
RATE: Final = 200.0
BURST: Final = 2_000.0
"""Of all who unsubscribe at this gateway, a second: one link that is called over and over fills no topic."""
_RETRY: Final = 30.0

_encode: Final = msgspec.json.Encoder().encode


class LeavingTokens(Protocol):
    """Who verifies the tokens of unsubscribe links."""

    def leaving(self, token: str, now: int) -> Leaving | str:
        """Who wants no more of what, or why the token says nothing: `invalid`, `expired`."""
        ...


class Unsubscribing:
    """Takes customers at their word.

    What becomes of it is the bundle's (`consent: {on: unsubscribed, deny: ...}`), as for every other way on which
    somebody says so. The event's id is made from the message, so that a second click on the same link counts once.

    Args:
        intake: takes the event in.
        tokens: verifies what stands in links.
        observer: told of what happens.
        now: the wall clock, ms.
        clock: a monotonic clock, s.
    """

    def __init__(
        self,
        intake: Intake,
        tokens: LeavingTokens,
        observer: Observer,
        now: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._intake = intake
        self._tokens = tokens
        self._observer = observer
        self._now = now
        self._share = TokenBucket(RATE, BURST, clock)

    def known(self, token: str) -> Leaving:
        """Who a link is for; changes nothing.

        Raises:
            Unknown: it is no link of ours, or its time has passed.
        """
        found = self._tokens.leaving(token, self._now())
        if isinstance(found, Leaving):
            return found
        self._observer.token(found)
        raise Unknown("this link is not one of ours, or its time has passed")

    async def leave(self, token: str) -> None:
        """Write it down; returns when Kafka has acknowledged.

        Raises:
            Unknown: it is no link of ours, or its time has passed.
            TooMany: more come in than this gateway takes.
            Unavailable: it could not be written now; the same link works later.
        """
        leaving = self.known(token)
        wait = self._share.take(1)
        if wait > 0:
            raise TooMany("too many at once", retry_after=wait)
        event = {
            "id": made_id(SOURCE, leaving.message),
            "source": SOURCE,
            "type": TYPE,
            "channel": leaving.channel,
            "data": {leaving.namespace: leaving.value, "message": leaving.message},
        }
        try:
            ready = self._intake.judge([_encode(event)], leaving.tenant, batch=False, own=True)
        except Malformed as refusal:
            # The link is good, so the customer is right; what is wrong is that no release of ours can read it now.
            raise Unavailable("this cannot be written down at the moment", retry_after=_RETRY) from refusal
        await self._intake.write_for(leaving.tenant, ready)
