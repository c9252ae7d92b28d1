"""What delivery tells those who watch it: numbers and words of bounded lists, never anything personal."""

from typing import Protocol


class Watch(Protocol):
    """Told what happens. Channel names come from the bundle, outcomes and reasons from bounded lists."""

    def attempted(self, channel: str, result: str, seconds: float) -> None:
        """An attempt ended: `delivered`, `bounced`, `failed` or `deferred`, after so long."""
        ...

    def settled(self, channel: str, outcome: str, reason: str, waited: int) -> None:
        """An action is over, `waited` ms after it was decided."""
        ...

    def rejected(self, reason: str) -> None:
        """A record went to dead-letter."""
        ...

    def waiting(self, partition: int, actions: int) -> None:
        """So many actions of a partition are pending; 0 when the partition is given up."""
        ...

    def broke(self, channel: str, error: str) -> None:
        """An attempt raised what nobody foresaw, an error of this class; the action is tried again."""
        ...

    def unrenderable(self, content: str, release: str, error: str) -> None:
        """A content's template cannot be used; the error says what is wrong with it, without any value."""
        ...


class Silent:
    """Nobody watches."""

    def attempted(self, channel: str, result: str, seconds: float) -> None: ...

    def settled(self, channel: str, outcome: str, reason: str, waited: int) -> None: ...

    def rejected(self, reason: str) -> None: ...

    def waiting(self, partition: int, actions: int) -> None: ...

    def broke(self, channel: str, error: str) -> None: ...

    def unrenderable(self, content: str, release: str, error: str) -> None: ...
