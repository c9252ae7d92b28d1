"""The newest entries of something, as one run of bytes.

A customer's record is touched once in a while and then as a whole, and what costs is not computing but fetching
hundreds of small objects from memory. So what is only appended to stays encoded: a ring is one object, appending
copies it, and only who reads it pays for decoding.

A ring is a count (1 byte), the newest time (8 bytes, ms, big-endian), then each entry, oldest first: length of the
payload (2 bytes), time (8 bytes), payload.
"""

import struct
from collections.abc import Iterable
from typing import Final

EMPTY: Final = b""
_START: Final = 9
_HEAD: Final = 10
_ring: Final = struct.Struct(">BQ").pack
_unpack: Final = struct.Struct(">BQ").unpack_from
_entry: Final = struct.Struct(">HQ").pack
_entry_head: Final = struct.Struct(">HQ").unpack_from


def append(ring: bytes, time: int, payload: bytes, keep: int) -> bytes:
    """The ring with one more entry in its place by time; only the newest `keep` (at most 255) stay.

    Payloads are at most 65,535 bytes long.
    """
    entry = _entry(len(payload), time) + payload
    if not ring:
        return _ring(1, time) + entry
    count, newest = _unpack(ring)
    if time < newest:
        return _insert(ring, time, entry, keep)
    if count < keep:
        return _ring(count + 1, time) + ring[_START:] + entry
    first = _START + _HEAD + int.from_bytes(ring[_START : _START + 2], "big")
    return _ring(keep, time) + ring[first:] + entry


def _insert(ring: bytes, time: int, entry: bytes, keep: int) -> bytes:
    """The ring with an entry that came late, behind those of its time; over `keep` the oldest goes, which it may be."""
    count, newest = _unpack(ring)
    first = at = _START
    while True:
        length, known = _entry_head(ring, at)
        if known > time:
            break
        at += _HEAD + length
    if count < keep:
        return _ring(count + 1, newest) + ring[first:at] + entry + ring[at:]
    if at == first:
        return ring
    first += _HEAD + int.from_bytes(ring[_START : _START + 2], "big")
    return _ring(count, newest) + ring[first:at] + entry + ring[at:]


def newest(ring: bytes) -> int:
    """The time (ms) of the newest entry, 0 where there is none."""
    return int.from_bytes(ring[1:_START], "big")


def entries(ring: bytes, after: int = -1) -> list[tuple[int, bytes]]:
    """Time (ms) and payload of each entry, oldest first; with `after` (ms) only of those of a later time."""
    found: list[tuple[int, bytes]] = []
    if newest(ring) <= after:
        return found
    at = _START
    while at < len(ring):
        length, time = _entry_head(ring, at)
        at += _HEAD + length
        if time > after:
            found.append((time, ring[at - length : at]))
    return found


def pack(sorted_entries: Iterable[tuple[int, bytes]], keep: int) -> bytes:
    """A ring of entries that are in order already."""
    kept = list(sorted_entries)[-keep:]
    if not kept:
        return EMPTY
    return _ring(len(kept), kept[-1][0]) + b"".join(_entry(len(payload), time) + payload for time, payload in kept)


def join(one: bytes, other: bytes, keep: int) -> bytes:
    """The newest entries of both; the same entry in both stays once. A join: order and grouping do not matter."""
    if not one or not other:
        return one or other
    return pack(sorted({*entries(one), *entries(other)}), keep)
