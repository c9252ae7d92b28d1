"""How long to wait before trying again: exponential, with full jitter, so that retries never come in step."""

from typing import Final

import msgspec

_MAX_DOUBLINGS: Final = 32


class Backoff(msgspec.Struct, frozen=True):
    """A schedule of waits, in ms.

    Attributes:
        first: the ceiling of the wait after the first failure; it doubles with every further one.
        longest: no ceiling is above this.
    """

    first: int = 5_000
    longest: int = 15 * 60_000

    def ceiling(self, failures: int) -> int:
        """The longest wait after so many failures (at least 1) in a row."""
        return min(self.longest, self.first << min(failures - 1, _MAX_DOUBLINGS))

    def wait(self, failures: int, draw: float, *, at_least: int = 0) -> int:
        """The wait after so many failures in a row.

        Args:
            failures: at least 1.
            draw: a random number in [0, 1), given by the caller.
            at_least: what the other side asked for (Retry-After); the jitter comes on top of it, so that
                those whom it asked the same thing do not all come back at the same instant.
        """
        return at_least + int(self.ceiling(failures) * draw)
