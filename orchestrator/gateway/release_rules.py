"""A release's documents as the gateway's `ReleaseRules`."""

from collections.abc import Mapping
from typing import Any

from orchestrator.engine.identity.rules import BadIdentifierError, IdentityRules
from orchestrator.language.bundle import Bundle
from orchestrator.language.spec.ground import EventDeclaration, Identity


class BundleRules:
    """`ReleaseRules` from a checked bundle; identifiers are read by the very rules that the engine resolves by.

    Raises:
        ValueError: the bundle has no `identity` document, so nobody could be told from anybody.
    """

    def __init__(self, bundle: Bundle) -> None:
        if bundle.identity is None:
            raise ValueError("the bundle has no identity document")
        self._identity = identity_rules(bundle.identity)
        self._accounts = frozenset(self._identity.account)
        self._of_brand = _names_of_brand(bundle.events)
        self._slots = bundle.slots

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
        found = self._slots.get(slot)
        return found.default if found is not None else None


def identity_rules(document: Identity) -> IdentityRules:
    """The rules that an `identity` document declares."""
    kinds = {name: namespace.is_ for name, namespace in document.namespaces.items()}
    return IdentityRules(
        unique=tuple(name for name, kind in kinds.items() if kind == "unique"),
        shared=tuple(name for name, kind in kinds.items() if kind == "shared"),
        most={name: each.max for name, each in document.namespaces.items() if each.max is not None},
        references={name: frozenset(events) for name, events in (document.references or {}).items()},
        normalise=document.normalise,
        region=document.region,
        account=tuple(name for name, kind in kinds.items() if kind == "account"),
    )


def _names_of_brand(declared: Mapping[str, EventDeclaration]) -> frozenset[str]:
    """`CHANNEL.TYPE` of every event that is the brand's; one declared as `CHANNEL.TYPE` goes before a plain type."""
    whose: dict[str, str] = {}
    for name in sorted(declared, key=lambda name: "." in name):
        channels = declared[name].channel
        names = [name] if "." in name else [f"{channel}.{name}" for channel in channels]
        whose |= dict.fromkeys(names, declared[name].for_)
    return frozenset(name for name, owner in whose.items() if owner == "brand")
