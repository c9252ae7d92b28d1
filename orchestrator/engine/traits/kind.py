"""What every kind of trait can do.

A trait is a function of the *set* of accepted events, ordered by event time, then event id. A kind whose fold does
not care for order (first, last, count, sum, set, ledger ...) keeps only its state; one that does (score, basket)
keeps beside it the contributions of the bundle's lateness, so that an event that comes late finds its place.
"""

from typing import Any, NamedTuple, Protocol


class Contribution(NamedTuple):
    """What one event adds to a trait: event time (ms), event id, the line of the trait that matched, its value."""

    time: int
    id: str
    line: int
    value: Any


class Kind(Protocol):
    """How a kind of trait remembers. A state is plain data (MessagePack); None is the state of a trait without events."""

    def add(self, state: Any, new: Contribution) -> Any:
        """The state with one more contribution. `state` may be changed in place; use what is returned."""

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
