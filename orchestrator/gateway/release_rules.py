"""A release's documents as the gateway's `ReleaseRules`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from orchestrator.engine.identity.rules import BadIdentifierError, IdentityRules
from orchestrator.language.spec.content import Slot
from orchestrator.language.spec.ground import Events


class DocumentRules:
    """`ReleaseRules` from the documents of a bundle; the same rules that the engine resolves by.

    Args:
        identity: what the bundle says of identifiers.
        events: its `events` documents.
        slots: its `slot` documents.
    """

    def __init__(self, identity: IdentityRules, events: Iterable[Events], slots: Iterable[Slot]) -> None:
        self._identity = identity
        self._accounts = frozenset(identity.account)
        self._of_brand = frozenset(_names_of_brand(events))
        self._fallbacks = {name: slot.default for slot in slots for name in (slot.slot, *slot.also)}

    @property
    def identifiers(self) -> tuple[str, ...]:
        return (*self._identity.order, *self._identity.account)

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(self._identity.references)

    def node(self, name: str, value: object) -> str | None:
        if name in self._accounts:
            return f"{name}:{value}"
        try:
            return self._identity.node(name, value)
        except BadIdentifierError:
            return None

    def strongest(self, data: Mapping[str, Any]) -> str | None:
        try:
            named = self._identity.identifiers(data) or self._identity.referred(data)
        except BadIdentifierError:
            return None
        return named[0] if named else None

    def of_customer(self, channel: str, event_type: str) -> bool:
        return f"{channel}.{event_type}" not in self._of_brand

    def fallback(self, slot: str) -> str | None:
        return self._fallbacks.get(slot)


def _names_of_brand(events: Iterable[Events]) -> Iterator[str]:
    """`CHANNEL.TYPE` of every event that is the brand's; one declared as `CHANNEL.TYPE` goes before a plain type."""
    whose: dict[str, str] = {}
    apart: dict[str, str] = {}
    for document in events:
        for name, declared in document.define.items():
            if "." in name:
                apart[name] = declared.for_
            else:
                whose |= {f"{channel}.{name}": declared.for_ for channel in declared.channel}
    return (name for name, owner in (whose | apart).items() if owner == "brand")
