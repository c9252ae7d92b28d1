"""What every kind of trait can do.

A trait is a function of the *set* of accepted events, ordered by event time, then event id. A kind whose fold does
not care for order (first, last, count, sum, set, ledger ...) keeps only its state; one that does (score, basket)
keeps beside it the contributions of the bundle's lateness, so that an event that comes late finds its place.
"""

from typing import Any, Protocol


class Kind(Protocol):
    """How a kind of trait remembers. A state is plain data; None is that of a trait without events."""

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        """The state with one more contribution. `state` may be changed in place; use what is returned.

        Args:
            state: None where there is none yet.
            time: event time, ms.
            id_: the event's id.
            line: the line of the trait that matched.
            value: what that line made of the event.
        """

    def read(self, state: Any, now: int) -> Any:
        """The value at `now` (ms), or None where the trait has none and its default counts."""

    def join(self, one: Any, other: Any) -> Any:
        """The state as if the contributions to both had been one customer's."""


def join_states(kind: Kind, one: Any, other: Any) -> Any:
    """Join two states of which either may be absent."""
    if one is None:
        return other
    if other is None:
        return one
    return kind.join(one, other)
