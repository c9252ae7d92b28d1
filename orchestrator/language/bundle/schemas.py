"""Types of event properties, from the JSON Schemas in the topic declarations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    Type,
    list_of,
    map_of,
    nullable,
    record,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PREFIX: Final = "channel."
_SCALARS: Final[dict[str, Type]] = {"string": STRING, "number": DOUBLE, "integer": INT, "boolean": BOOL}
RESERVED: Final = frozenset({"meta", "item"})
"""Property names that would collide with the envelope."""


@dataclass(frozen=True)
class EventSchemas:
    """What is known of the properties of events.

    Attributes:
        properties: (channel, event type) → property → type; nullable where the schema does not require it.
        required: (channel, event type) → what an event must bring: without it, it is refused wherever it comes from.
    """

    properties: Mapping[tuple[str, str], Mapping[str, Type]] = field(default_factory=dict)
    required: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    @classmethod
    def from_topics(cls, topics: Iterable[Mapping[str, Any]]) -> EventSchemas:
        """Read the `events` of topic declarations, as plain data.

        Args:
            topics: Parsed `topics/*.yaml`; those of no channel are passed over.

        Raises:
            ValueError: A property has a name that is reserved for the envelope.
        """
        found: dict[tuple[str, str], dict[str, Type]] = {}
        required: dict[tuple[str, str], frozenset[str]] = {}
        for topic in topics:
            name = str(topic.get("topic", ""))
            if not name.startswith(_PREFIX):
                continue
            channel = name.removeprefix(_PREFIX)
            for event, schema in (topic.get("events") or {}).items():
                found[channel, str(event)] = _properties(f"{channel}.{event}", schema)
                required[channel, str(event)] = frozenset(schema.get("required") or ())
        return cls(found, required)

    def channels_of(self, event: str) -> tuple[str, ...]:
        """The channels whose topic has a schema for this event type."""
        return tuple(channel for channel, name in self.properties if name == event)


def _properties(event: str, schema: Mapping[str, Any]) -> dict[str, Type]:
    required = frozenset(schema.get("required") or ())
    types = {}
    for name, declared in (schema.get("properties") or {}).items():
        if name in RESERVED:
            raise ValueError(f"the property `{name}` of {event} collides with the event's envelope: rename it")
        type_ = type_of(declared, f"event.{name}")
        types[name] = type_ if name in required else nullable(type_)
    return types


def type_of(schema: Mapping[str, Any], name: str) -> Type:
    """The CEL type of a JSON Schema: scalars, arrays, objects, and what may also be null; else `dyn`."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kinds = [one for one in kind if one != "null"]
        inner = type_of({**schema, "type": kinds[0]}, name) if len(kinds) == 1 else DYN
        return nullable(inner) if "null" in kind else inner
    if kind == "array":
        return list_of(type_of(schema.get("items") or {}, f"{name}[]"))
    if kind == "object":
        return _object(schema, name)
    return _SCALARS.get(str(kind), DYN)


def _object(schema: Mapping[str, Any], name: str) -> Type:
    declared = schema.get("properties")
    if not declared:
        more = schema.get("additionalProperties")
        return map_of(STRING, type_of(more, f"{name}[]") if isinstance(more, dict) else DYN)
    required = frozenset(schema.get("required") or ())
    fields = {}
    for one, inner in declared.items():
        type_ = type_of(inner, f"{name}.{one}")
        fields[one] = type_ if one in required else nullable(type_)
    return record(name, fields, open=schema.get("additionalProperties") is not False)
