"""What a topic file says: the name, the key, how it is kept, and the events that it carries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt, model_validator

if TYPE_CHECKING:
    from collections.abc import Mapping

CHANNEL_PREFIX: Final = "channel."
INPUTS: Final = "inputs"
_RESERVED: Final = {"meta", "item"}  # what conditions call the envelope, and the element of a list
_TYPES: Final = ("string", "number", "integer", "boolean", "array", "object")
_DURATION: Final = {"h": 3_600_000, "d": 86_400_000}
_SIZE: Final = {"kB": 1024, "MB": 1024 * 1024}


def _quantity(units: Mapping[str, int], example: str) -> BeforeValidator:
    def parse(value: object) -> int:
        match = re.fullmatch(r"(\d+)([A-Za-z]+)", value) if isinstance(value, str) else None
        if match is None or match[2] not in units:
            raise ValueError(f"write it as a whole number and a unit ({', '.join(units)}), such as {example}")
        return int(match[1]) * units[match[2]]

    return BeforeValidator(parse)


def _checked_schema(schema: dict[str, Any], where: str = "") -> dict[str, Any]:
    """The schema itself, if it is one that producers, the gateway and conditions can all work with.

    Raises:
        ValueError: a type that JSON does not know, a reserved name, or a required property that is not declared.
    """
    kind = schema.get("type")
    if kind not in _TYPES:
        raise ValueError(f"{where or 'the schema'}: type is {kind!r}; write one of {', '.join(_TYPES)}")
    properties = schema.get("properties") or {}
    for name in schema.get("required") or ():
        if name not in properties:
            raise ValueError(f"{where or 'the schema'}: {name!r} is required but not declared under properties")
    for name, child in properties.items():
        _checked_schema(child, f"{where}.{name}" if where else name)
    if isinstance(items := schema.get("items"), dict):
        _checked_schema(items, f"{where}[]")
    return schema


def _checked_event(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.get("type") != "object":
        raise ValueError("type must be object: the schema is that of the event's data")
    if taken := _RESERVED & set(schema.get("properties") or {}):
        raise ValueError(
            f"a property may not be called {' or '.join(sorted(taken))}: conditions use the name otherwise"
        )
    return _checked_schema(schema)


EventSchema = Annotated[dict[str, Any], AfterValidator(_checked_event)]
"""JSON Schema of an event's data."""


class TopicDeclaration(BaseModel):
    """One topic file. Times in milliseconds, sizes in bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    topic: Annotated[str, Field(pattern=r"^[a-zA-Z0-9._-]{1,249}$")]
    key: Annotated[str, Field(min_length=1)]
    partitions: Literal["inputs"] | PositiveInt
    cleanup: Literal["delete", "compact"]
    description: Annotated[str, Field(min_length=1)]
    retention: Annotated[int, _quantity(_DURATION, "7d")] | None = None
    record_time: Literal["broker", "producer"] = "producer"
    max_message: Annotated[int, _quantity(_SIZE, "2MB")] = 2 * _SIZE["MB"]
    config: dict[str, str] = {}
    events: dict[str, EventSchema] = {}
    example: dict[str, Any] | None = None

    @property
    def channel(self) -> str | None:
        """The channel whose events it carries; None for what is not a channel's topic."""
        return self.topic.removeprefix(CHANNEL_PREFIX) if self.topic.startswith(CHANNEL_PREFIX) else None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.retention is None) != (self.cleanup == "compact"):
            raise ValueError("give retention with cleanup: delete, and leave it out with cleanup: compact")
        if self.channel is not None and (self.partitions != INPUTS or self.record_time != "broker"):
            raise ValueError("a channel's topic has partitions: inputs and record_time: broker")
        if bool(self.events) != (self.channel is not None):
            raise ValueError("events belong to the topics of channels, and only to them")
        return self

    def partition_count(self, inputs: int) -> int:
        """How many partitions it has where input topics have `inputs`."""
        return inputs if self.partitions == "inputs" else self.partitions

    def settings(self) -> dict[str, str]:
        """Its settings on the broker, under Kafka's names."""
        kept = {"delete.retention.ms": str(7 * _DURATION["d"])}  # a consumer may be away for a week and see tombstones
        if self.retention is not None:
            kept = {"retention.ms": str(self.retention)}
        return {
            "cleanup.policy": self.cleanup,
            "message.timestamp.type": "LogAppendTime" if self.record_time == "broker" else "CreateTime",
            "max.message.bytes": str(self.max_message),
            **kept,
            **self.config,
        }
