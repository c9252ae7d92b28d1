"""Trait states at rest: each trait's state stays encoded until an event touches it or a condition reads it.

So a customer's record is a few objects, however much is known: writing it fetches no more memory than it must.
"""

from typing import Any, Final

import msgspec

pack: Final = msgspec.msgpack.Encoder().encode
"""A state as bytes."""

unpack: Final = msgspec.msgpack.Decoder().decode
"""A state of plain data."""

unpack_keyed: Final = msgspec.msgpack.Decoder(dict[str, msgspec.Raw]).decode
"""A keyed trait: key -> [state, event time of the newest contribution], each still encoded."""


def as_entry(entry: list[Any]) -> msgspec.Raw:
    """A key's [state, event time of its newest contribution], encoded."""
    return msgspec.Raw(pack(entry))
