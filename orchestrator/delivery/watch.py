"""What delivery tells those who watch it. They show numbers and names from the bundle, never anything personal."""

from collections.abc import Mapping
from typing import Protocol

from orchestrator.delivery.decide import Result
from orchestrator.delivery.ledger import Settled
from orchestrator.model.effect import Action
from orchestrator.stream.lane.records import Record


class Watch(Protocol):
    """Told what happens, in the event loop's thread; must not block."""

    def attempted(self, channel: str, result: Result, seconds: float) -> None:
        """An attempt ended after so long."""
        ...

    def held(self, channel: str, reason: str) -> None:
        """An action waits though its channel has room: it would disturb."""
        ...

    def paused(self, channel: str, reason: str, wait: int) -> None:
        """A channel is taken for down; the next attempt on it is made after `wait` ms."""
        ...

    def settled(self, action: Action, settled: Settled, attempts: int) -> None:
        """An action is over after so many attempts."""
        ...

    def repeated(self, channel: str) -> None:
        """A record came again after its action was over."""
        ...

    def rejected(self, record: Record, reason: str) -> None:
        """A record went to dead-letter."""
        ...

    def waiting(self, partition: int, actions: Mapping[str, int]) -> None:
        """Channel -> actions of a partition that are pending; empty when the partition is given up."""
        ...

    def broke(self, channel: str, error: str) -> None:
        """An attempt raised what nobody foresaw, an error of this class; the action is tried again."""
        ...

    def unrenderable(self, content: str, release: str, error: str) -> None:
        """A content's template cannot be used; the error says what is wrong with it, without any value."""
        ...

    def unsigned(self, channel: str) -> None:
        """A message on this channel waits, because its links cannot be signed without a key."""
        ...


class Silent:
    """Nobody watches."""

    def attempted(self, channel: str, result: Result, seconds: float) -> None: ...

    def held(self, channel: str, reason: str) -> None: ...

    def paused(self, channel: str, reason: str, wait: int) -> None: ...

    def settled(self, action: Action, settled: Settled, attempts: int) -> None: ...

    def repeated(self, channel: str) -> None: ...

    def rejected(self, record: Record, reason: str) -> None: ...

    def waiting(self, partition: int, actions: Mapping[str, int]) -> None: ...

    def broke(self, channel: str, error: str) -> None: ...

    def unrenderable(self, content: str, release: str, error: str) -> None: ...

    def unsigned(self, channel: str) -> None: ...
