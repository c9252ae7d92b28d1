"""Values that CEL has and Python has not."""

from __future__ import annotations

from typing import Final

import msgspec

NS_PER_MS: Final = 1_000_000
NS_PER_SECOND: Final = 1_000_000_000


class UInt(int):
    """An unsigned 64-bit integer; equal to an int of the same value, but it does not mix in arithmetic."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{int(self)}u"


class Timestamp(msgspec.Struct, frozen=True, order=True, gc=False):
    """An instant: nanoseconds since 1970-01-01T00:00:00Z, years 1 to 9999."""

    ns: int

    @classmethod
    def of_ms(cls, ms: int) -> Timestamp:
        return cls(ms * NS_PER_MS)

    @property
    def ms(self) -> int:
        """Milliseconds since the epoch, rounded down."""
        return self.ns // NS_PER_MS


class Duration(msgspec.Struct, frozen=True, order=True, gc=False):
    """A length of time in nanoseconds, signed, up to about 10,000 years."""

    ns: int

    @classmethod
    def of_ms(cls, ms: int) -> Duration:
        return cls(ms * NS_PER_MS)

    @property
    def ms(self) -> int:
        """Milliseconds, rounded down."""
        return self.ns // NS_PER_MS


class TypeValue(msgspec.Struct, frozen=True, gc=False):
    """What `type(x)` gives; `int`, `string`, ... name such values in expressions."""

    name: str


TIMESTAMP_MIN: Final = -62_135_596_800 * NS_PER_SECOND
TIMESTAMP_MAX: Final = 253_402_300_800 * NS_PER_SECOND - 1
DURATION_MAX: Final = 315_576_000_000 * NS_PER_SECOND

TYPE_NAMES: Final[dict[type, str]] = {
    bool: "bool", int: "int", UInt: "uint", float: "double", str: "string", bytes: "bytes", type(None): "null_type",
    list: "list", tuple: "list", dict: "map", Timestamp: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration", TypeValue: "type",
}  # fmt: skip


def type_name(value: object) -> str:
    """The CEL name of a value's type; a subclass of dict or list counts as such."""
    name = TYPE_NAMES.get(type(value))
    if name is not None:
        return name
    for base in (dict, list, tuple, str, float, int):
        if isinstance(value, base):
            return TYPE_NAMES[base]
    return type(value).__name__
