"""What the gateway needs of a tenant's release: which properties name a customer, what slots fall back to."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from orchestrator.gateway.declared import Undeclared


class ReleaseRules(Protocol):
    """The `identity`, `events` and `slot` documents of one tenant's current release, as far as the edge needs them.

    Implementations hold no connection and never block.
    """

    @property
    def identifiers(self) -> tuple[str, ...]:
        """The names of properties that are identifiers, strongest first."""
        ...

    @property
    def references(self) -> tuple[str, ...]:
        """The names of properties that are references (an order, a thread, a ticket)."""
        ...

    @property
    def naming(self) -> tuple[str, ...]:
        """Those of both that say whose an event is: an account alone is nobody."""
        ...

    @property
    def channels(self) -> frozenset[str]:
        """The channels that the release declares."""
        ...

    @property
    def redeem_once(self) -> bool:
        """Whether a signed link binds the first browser that opens it, and no other."""
        ...

    def node(self, name: str, value: object) -> str | None:
        """`NAMESPACE:VALUE`, normalised; None when the value cannot be one of this namespace, or there is none such."""
        ...

    def strongest(self, data: Mapping[str, Any]) -> str | None:
        """The node of the strongest identifier in `data`, else of its first reference, else None."""
        ...

    def of_customer(self, channel: str, event_type: str) -> bool:
        """Whether such an event belongs to a customer and so must name one; False for events of the brand."""
        ...

    def unnamed_rows(self, channel: str, event_type: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(path, message) for what such an event lacks to tell which rows of facts it changes."""
        ...

    def undeclared(self, channel: str, event_type: str, data: Mapping[str, Any]) -> tuple[Undeclared, ...]:
        """What of such an event neither a topic file nor the release declares."""
        ...

    def fallback(self, slot: str, channel: str, language: str) -> dict[str, Any]:
        """What a slot shows when nothing else can be told in time: its default, shaped as the owner would answer it.

        Args:
            slot: its name, one that is not declared included.
            channel: who asks.
            language: of the request; empty where the channel did not say.
        """
        ...


class Releases(Protocol):
    """Who knows the current release of each tenant."""

    def rules(self, tenant: str) -> ReleaseRules | None:
        """The rules of a tenant's current release; None as long as none has been published."""
        ...
