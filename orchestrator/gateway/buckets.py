"""How much may be in hand: a share per key over time, and a bound on what waits for the broker."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from orchestrator.gateway.refusals import Unavailable


class TokenBucket:
    """Lets `rate` things a second through on average, and up to `burst` at once.

    A request for more than `burst` is let through when the bucket is full, and leaves it in debt.
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError("a rate must be above 0 and a burst at least 1")
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._level = burst
        self._at = clock()

    def take(self, count: float) -> float:
        """Take `count` out.

        Returns:
            0 when they may pass; else the seconds after which it is worth asking again (nothing was taken).
        """
        now = self._clock()
        self._level = min(self._burst, self._level + max(0.0, now - self._at) * self._rate)
        self._at = now
        needed = min(count, self._burst)
        if self._level >= needed:
            self._level -= count
            return 0.0
        return (needed - self._level) / self._rate


class InHand:
    """Bounds the bytes in memory: bodies that are being read, and events that wait for the broker.

    One tenant may hold half of it at most where there are several, so that its flood leaves room for the others.
    """

    def __init__(self, limit: int, tenants: int) -> None:
        self._limit = limit
        self._share = limit if tenants <= 1 else limit // 2
        self._total = 0
        self._by_tenant: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """Bytes in hand now."""
        return self._total

    @contextmanager
    def holding(self, tenant: str, size: int = 0) -> Iterator["Held"]:
        """Hold `size` bytes of `tenant`, and what is added to them, while the block runs.

        Raises:
            Unavailable: that would be too much.
        """
        held = Held(self, tenant)
        held.grow(size)
        try:
            yield held
        finally:
            self._take(tenant, -held.size)

    def _take(self, tenant: str, size: int) -> None:
        if size > 0 and (self._total + size > self._limit or self._by_tenant[tenant] + size > self._share):
            raise Unavailable("too much is in hand", retry_after=1.0)
        self._total += size
        self._by_tenant[tenant] += size
        if not self._by_tenant[tenant]:
            del self._by_tenant[tenant]


class Held:
    """Some bytes in hand."""

    def __init__(self, hand: InHand, tenant: str) -> None:
        self._hand = hand
        self._tenant = tenant
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold so many bytes more.

        Raises:
            Unavailable: that would be too much.
        """
        self._hand._take(self._tenant, size)  # noqa: SLF001 - two halves of one thing
        self.size += size
