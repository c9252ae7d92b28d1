"""How much a channel may send right now: slots, the policy's rate, and a pause while the other side is down.

Pure. Without the pause an hour's outage would mean that every waiting message knocks on its own schedule, and
that the last of them leaves long after the channel is back. With it one message at a time finds out, and when
it gets through the whole queue follows.
"""

from collections import deque
from typing import Final

from orchestrator.delivery.backoff import Backoff
from orchestrator.delivery.decide import Deferred, Result

OUTAGE: Final = Backoff(first=1_000, longest=60_000)


class Rate:
    """The policy's `rate_limit` of a channel: never more than `limit` sends in any `per`.

    The limit counts over everyone, while each process sees its own partitions only; so each takes the `share`
    of the limit that its partitions are of all. What was sent before a restart is not known after it.
    """

    def __init__(self, limit: int, per: int, share: float, earlier: "Rate | None" = None) -> None:
        """At most `limit` * `share` sends in `per` ms, less than one of them being one in so much longer.

        Args:
            limit: at least 1.
            per: ms.
            share: in (0, 1].
            earlier: the rate in force until now, whose sends still count.
        """
        mine = limit * share
        self._window = per if mine >= 1 else per / mine
        sent = earlier.sent if earlier else ()
        self.sent: deque[int] = deque(sent, maxlen=max(1, int(mine)))

    def room(self, now: int) -> bool:
        return len(self.sent) < (self.sent.maxlen or 0) or now >= self.sent[0] + self._window

    def take(self, now: int) -> None:
        self.sent.append(now)

    def set_back(self, by: int) -> None:
        """The clock was set back by so many ms."""
        self.sent = deque((each - by for each in self.sent), maxlen=self.sent.maxlen)


class Gate:
    """One channel's gate. The caller asks `room`, says `enter` for each attempt, and `leave` with its result."""

    def __init__(self, slots: int) -> None:
        """A gate that lets at most `slots` attempts be under way at once."""
        self._slots = slots
        self._under_way = 0
        self._failures = 0
        self._paused_until = 0
        self._seen_at = 0
        self._rate: Rate | None = None

    @property
    def rate(self) -> Rate | None:
        return self._rate

    @property
    def under_way(self) -> int:
        return self._under_way

    @property
    def paused_until(self) -> int:
        """The channel is taken for down until then; in the past when it is not."""
        return self._paused_until

    def limit(self, rate: Rate | None) -> None:
        """Set the rate from here on; None lifts it."""
        self._rate = rate

    def opens(self, now: int) -> bool:
        """Whether one more attempt may start at `now`."""
        self._follow(now)
        if self._under_way >= self._slots or now < self._paused_until:
            return False
        if self._failures and self._under_way:
            return False  # after a failure of the channel one attempt at a time finds out whether it is back
        return self._rate is None or self._rate.room(now)

    def enter(self, now: int) -> None:
        self._follow(now)
        self._under_way += 1
        if self._rate is not None:
            self._rate.take(now)

    def leave(self, result: Result, now: int, draw: float) -> None:
        """An attempt is over; `draw` is a random number in [0, 1)."""
        self._follow(now)
        self._under_way -= 1
        if not isinstance(result, Deferred):
            self._failures = 0
            return
        if result.channel_wide:
            self._failures += 1
            pause = OUTAGE.wait(self._failures, draw, at_least=result.retry_after)
            self._paused_until = max(self._paused_until, now + pause)

    def _follow(self, now: int) -> None:
        """A clock that is set back makes nobody wait for the time that it shows again."""
        back = self._seen_at - now
        if back > 0:
            self._paused_until -= back
            if self._rate is not None:
                self._rate.set_back(back)
        self._seen_at = now
