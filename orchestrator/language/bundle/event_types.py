"""Which declared events a name means, and the type of such an event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.language.cel import DYN, STRING, Type, nullable, record
from orchestrator.language.spec.scope import ENGINE_EVENTS, META

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestrator.language.bundle.schemas import EventSchemas
    from orchestrator.language.spec.ground import EventDeclaration


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared event: its name as declared, its type, and the channels it comes from."""

    name: str
    type: str
    channels: tuple[str, ...]
    declaration: EventDeclaration | None


class EventTypes:
    """The events of a bundle.

    Args:
        declarations: Event type, or `CHANNEL.TYPE`, to its declaration.
        channels: Declared channels.
        schemas: Types of properties from the topics.
        identifiers: Names of identifiers, which every event may carry.
    """

    def __init__(
        self,
        declarations: Mapping[str, EventDeclaration],
        channels: Iterable[str],
        schemas: EventSchemas,
        identifiers: Iterable[str],
    ) -> None:
        self.schemas = schemas
        self.identifiers = {name: nullable(STRING) for name in identifiers}
        self.channels = frozenset(channels)
        self.declared = {name: self._declared(name, one) for name, one in declarations.items()}
        self.by_type: dict[str, list[Declared]] = {}
        for one in self.declared.values():
            self.by_type.setdefault(one.type, []).append(one)

    def _declared(self, name: str, declaration: EventDeclaration) -> Declared:
        channel, dot, type_ = name.partition(".")
        if dot and channel in self.channels:
            return Declared(name, type_, declaration.channel, declaration)
        return Declared(name, name, declaration.channel, declaration)

    def named(self, name: str) -> list[Declared]:
        """The declared events that `on: name` means; empty when there is none."""
        if name in ENGINE_EVENTS:
            return [Declared(name, name, (), None)]
        if name in self.declared:
            return [self.declared[name]]
        channel, dot, type_ = name.partition(".")
        if not dot:
            return []
        found = [one for one in self.by_type.get(type_, ()) if one.name == type_ and channel in one.channels]
        return [Declared(one.name, type_, (channel,), one.declaration) for one in found]

    def apart(self, name: str) -> list[str]:
        """The names under which a bare type is declared apart by channel, when it is only so."""
        if name in self.declared:
            return []
        return [one.name for one in self.by_type.get(name, ())]

    def properties(self, event: Declared, derived: Callable[[Declared, str], Type]) -> tuple[dict[str, Type], bool]:
        """The properties of one event, and whether it may have others (no topic has a schema for it)."""
        if event.declaration is None:
            return dict(ENGINE_EVENTS[event.type]), False
        schemas = self.schemas.properties
        known = [schemas[channel, event.type] for channel in event.channels if (channel, event.type) in schemas]
        found = union([dict(one) for one in known])
        for name in event.declaration.derive:
            type_ = derived(event, name)
            found[name] = found[name] if name in found and type_.kind == "dyn" else nullable(type_.plain)
        return found, len(known) < len(event.channels) or not known

    def record_of(self, names: Iterable[str], derived: Callable[[Declared, str], Type]) -> Type:
        """The type of `event` where any of these may have come."""
        each = [self.properties(event, derived) for name in names for event in self.named(name)]
        fields = {**self.identifiers, **union([properties for properties, _ in each]), "meta": META}
        return record("event", fields, open=not each or any(is_open for _, is_open in each))


def union(each: list[dict[str, Type]]) -> dict[str, Type]:
    """Properties of any of several events: null where one lacks it, `dyn` where their types differ."""
    if len(each) == 1:
        return each[0]
    found: dict[str, Type] = {}
    for name in dict.fromkeys(name for properties in each for name in properties):
        types = [properties[name] for properties in each if name in properties]
        plain = {type_.plain for type_ in types}
        common = plain.pop() if len(plain) == 1 else DYN
        optional = len(types) < len(each) or any(type_.nullable for type_ in types)
        found[name] = nullable(common) if optional else common
    return found
