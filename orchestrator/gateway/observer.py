"""What the gateway tells of itself: a port, so that the routes know no metrics library."""

from collections.abc import Sequence
from typing import Protocol


class Observer(Protocol):
    """Takes note of what happened. Words come from closed lists; nothing here names a customer or holds a value."""

    def requested(self, route: str, status: int, seconds: float) -> None:
        """A request to the route template `route` was answered."""
        ...

    def accepted(self, channel: str, event_type: str) -> None:
        """An event was acknowledged by the broker. `event_type` is a declared one, else `undeclared`."""
        ...

    def undeclared(self, channel: str, code: str) -> None:
        """An accepted event has something that nobody declares: `undeclared_type`, `undeclared_property`."""
        ...

    def refused(self, reason: str) -> None:
        """A request was refused; `reason` is a `Refusal`'s."""
        ...

    def token(self, outcome: str) -> None:
        """A signed link token: `linked`, `invalid`, `expired`, `conflict`."""
        ...

    def asked(self, outcome: str, seconds: float) -> None:
        """A question to an owner: `answered` or `fallback`."""
        ...

    def acknowledged(self, seconds: float) -> None:
        """A write was acknowledged after so long."""
        ...

    def renewed(self) -> None:
        """The producer had broken down for good and is being replaced."""
        ...

    def release_taken(self, release: str, scenarios: int) -> None:
        """A tenant's requests are judged by this release from now on."""
        ...

    def signs_links(self, tenant: str, channels: Sequence[str]) -> None:
        """A tenant's release signs the links of its messages on these channels (at least one)."""
        ...

    def release_refused(self, release: str, errors: int, code: str, place: str) -> None:
        """A release has errors, the first of which is `code` at `place`; the one before stays."""
        ...

    def left_aside(self, topic: str) -> None:
        """A record of a topic of ours could not be read and was left aside."""
        ...

    def failed(self, request_id: str, error: BaseException) -> None:
        """A request met an error of ours and was answered with 500."""
        ...
