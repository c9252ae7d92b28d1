"""Names of things: node keys, and the ids that the product makes itself.

An id that we make is the first 16 bytes, in hex, of SHA-256 over a JSON list, so that a replay makes the same one.
"""

import hashlib
from typing import Final

import msgspec

_encode = msgspec.json.Encoder().encode
_sha256 = hashlib.sha256

EVENT_HASH_BYTES: Final = 8


def made_id(*parts: str | float | None) -> str:
    """32 hex digits that depend on nothing but `parts`."""
    return _sha256(_encode(parts)).hexdigest()[:32]


def event_hash(source: str, event_id: str) -> bytes:
    """8 bytes that stand for one event in a dedupe window; `source` and `id` together name an event."""
    return _sha256(f"{source}\n{event_id}".encode()).digest()[:EVENT_HASH_BYTES]


def node_key(tenant: str, node: str) -> bytes:
    """The record key of a node: `TENANT/NAMESPACE:VALUE` in UTF-8. `node` is `NAMESPACE:VALUE`, normalised."""
    return f"{tenant}/{node}".encode()


def split_key(key: bytes) -> tuple[str, str]:
    """The tenant and the node of a record key.

    Raises:
        ValueError: the key is no node key.
    """
    tenant, slash, node = key.decode().partition("/")
    if not slash or ":" not in node:
        raise ValueError("a record key must read TENANT/NAMESPACE:VALUE")
    return tenant, node


def action_id(tenant: str, person: str, scenario: str, key: str, ordinal: int, step: str, visit: int) -> str:
    """The id of what a step does, the same in every replay: no event id and no clock is in it."""
    return made_id(tenant, person, scenario, key, ordinal, step, visit)


def person_id(tenant: str, node: str, epoch: int, wiped: int) -> str:
    """A person's id, minted at a root's first event; the order in which events arrive does not show in it."""
    return made_id("person", tenant, node, epoch, wiped)


def erasure_id(tenant: str, request: str) -> str:
    """The id of an erasure's receipt: made of the request's token, which it does not give away."""
    return made_id("erasure", tenant, request)


def erasure_mark(tenant: str, request: str, node: str) -> str:
    """What stands for a node in the receipt of an erasure: who holds the token can tell whether a node is listed."""
    return made_id("erased", tenant, request, node)


def draw(tenant: str, salt: str, person: str) -> float:
    """A sticky number in [0, 100) for holdouts, experiments and `percent`: SHA-256 modulo 10,000, in hundredths."""
    digest = _sha256(_encode((tenant, salt, person))).digest()
    return int.from_bytes(digest[:8], "big") % 10_000 / 100
