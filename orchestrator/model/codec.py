"""A node as bytes: a small head that recovery reads without decoding the customer, then the node as MessagePack.

Head, big-endian: codec version (1 byte), flags (1), ownership number of the writer (4), earliest due time in
milliseconds or 0 (8), length of the facts waited for (2), those facts as UTF-8 joined with newlines.
"""

import struct
from typing import Final

import msgspec

from orchestrator.model.customer import Customer, Entry, Node

VERSION: Final = 1
HAS_OUTBOX: Final = 1

_HEAD: Final = struct.Struct(">BBIqH")
_pack = _HEAD.pack
_unpack = _HEAD.unpack_from
_SIZE: Final = _HEAD.size
_WRITER: Final = struct.Struct(">I")

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Node).decode


class Head(msgspec.Struct, frozen=True, gc=False):
    """What recovery needs of a value: whose writing it is, when it is due, what it waits for, what is to be sent."""

    writer: int
    due: int
    has_outbox: bool
    facts: tuple[str, ...]


class _Sending(msgspec.Struct, array_like=True, gc=False):
    """A node as far as its outbox; the body, by far the largest part, is passed over."""

    to: str | None = None
    epoch: int = 0
    body: msgspec.Raw = msgspec.Raw()
    outbox: list[Entry] = []


_decode_sending = msgspec.msgpack.Decoder(_Sending).decode


class UnknownVersionError(ValueError):
    """A value was written by a newer release of this software: run that release, or a newer one."""


def encode_node(node: Node, writer: int, due: int, facts: str = "") -> bytes:
    """The value of a node. `facts` are the facts it waits for, joined with newlines."""
    flags = HAS_OUTBOX if node.outbox else 0
    if facts:
        waited = facts.encode()
        return _pack(VERSION, flags, writer, due, len(waited)) + waited + _encode(node)
    return _pack(VERSION, flags, writer, due, 0) + _encode(node)


def decode_head(value: bytes) -> Head:
    """Only the head.

    Raises:
        UnknownVersionError: the value is of a newer version.
    """
    version, flags, writer, due, length = _unpack(value)
    _check(version)
    facts = tuple(value[_SIZE : _SIZE + length].decode().split("\n")) if length else ()
    return Head(writer, due, bool(flags & HAS_OUTBOX), facts)


def writer_of(value: bytes) -> int:
    """The ownership number in a value's head."""
    return int(_WRITER.unpack_from(value, 2)[0])


def decode_node(value: bytes) -> Node:
    """The node of a value.

    Raises:
        UnknownVersionError: the value is of a newer version.
    """
    node = _decode(_behind_head(value))
    if isinstance(node.body, Customer):
        node.body.detach()
    return node


def decode_outbox(value: bytes) -> list[Entry]:
    """Only the outbox of a value's node.

    Raises:
        UnknownVersionError: the value is of a newer version.
    """
    return _decode_sending(_behind_head(value)).outbox


def _behind_head(value: bytes) -> memoryview:
    """The node of a value, as MessagePack."""
    version, _, _, _, length = _unpack(value)
    _check(version)
    return memoryview(value)[_SIZE + length :]


def _check(version: int) -> None:
    if version > VERSION:
        raise UnknownVersionError(f"a value of version {version} needs a newer worker than this one ({VERSION})")
