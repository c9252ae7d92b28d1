"""The newest entries of something, as one run of bytes.

A customer's record is touched once in a while and then as a whole, and what costs is not computing but fetching
hundreds of small objects from memory. So what is only appended to stays encoded: a ring is one object, appending
copies it, and only who reads it pays for decoding.

A ring is a count (1 byte), the newest time (8 bytes, ms, big-endian), then each entry, oldest first: length of the
payload (2 bytes), time (8 bytes), payload.
"""

from collections.abc import Iterable
from typing import Final

EMPTY: Final = b""
_START: Final = 9
_HEAD: Final = 10
MOST: Final = 255


def append(ring: bytes, time: int, payload: bytes, keep: int) -> bytes:
    """The ring with one more entry in its place by time; only the newest `keep` (at most 255) stay.

    Payloads are at most 65,535 bytes long.
    """
    at = time.to_bytes(8, "big")
    length = len(payload).to_bytes(2, "big")
    if not ring:
        return b"".join((b"\x01", at, length, at, payload))
    if at < ring[1:_START]:
        return pack(sorted([*entries(ring), (time, payload)], key=lambda entry: entry[0]), keep)
    count = ring[0] + 1
    first = _START
    if count > keep:
        first += _HEAD + int.from_bytes(ring[_START : _START + 2], "big")
        count -= 1
    return b"".join((count.to_bytes(1, "big"), at, ring[first:], length, at, payload))


def entries(ring: bytes) -> list[tuple[int, bytes]]:
    """Time (ms) and payload of each entry, oldest first."""
    found = []
    at = _START
    while at < len(ring):
        end = at + _HEAD + int.from_bytes(ring[at : at + 2], "big")
        found.append((int.from_bytes(ring[at + 2 : at + _HEAD], "big"), ring[at + _HEAD : end]))
        at = end
    return found


def pack(sorted_entries: Iterable[tuple[int, bytes]], keep: int) -> bytes:
    """A ring of entries that are in order already."""
    kept = list(sorted_entries)[-keep:]
    if not kept:
        return EMPTY
    head = bytes([len(kept)]) + kept[-1][0].to_bytes(8, "big")
    return head + b"".join(
        len(payload).to_bytes(2, "big") + time.to_bytes(8, "big") + payload for time, payload in kept
    )


def join(one: bytes, other: bytes, keep: int) -> bytes:
    """The newest entries of both; the same entry in both stays once."""
    return pack(sorted({*entries(one), *entries(other)}), keep)
