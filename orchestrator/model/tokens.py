"""Signed link tokens: a link in a message says whose it is, and cannot be made or changed by anyone else.

A token names a customer's node, so an address may be in it, and links end up in logs, histories and referrers.
It is therefore not only signed but unreadable: a synthetic-IV construction (Rogaway and Shrimpton, 2006, with
HMAC-SHA256 as its only primitive). The tag is the HMAC of the claims and at the same time the nonce of the
stream that hides them; whoever opens a token recomputes the tag, so a token that was changed does not open.
The same claims under the same key give the same token, so a message that is sent again is the same message.

Pure: keys and `now` are arguments. All times are milliseconds since the epoch, UTC.
"""

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

KEY_BYTES: Final = 32
MAX_LENGTH: Final = 1024
CLOCK_SKEW: Final = 300_000

_PREFIX: Final = "t1."
_TAG_BYTES: Final = 16
_BLOCK_BYTES: Final = hashlib.sha256().digest_size


Use = Literal["link", "unsubscribe"]


class TokenError(ValueError):
    """A token that counts for nothing. Its text never repeats the token."""


class ForgedTokenError(TokenError):
    """Not a token of ours: malformed, changed, or made with a key that we do not have."""


class ExpiredTokenError(TokenError):
    """A token of ours whose time has passed."""


class Claims(msgspec.Struct, frozen=True, array_like=True):
    """What a token says.

    Attributes:
        node: the record key of the customer's identifier, `TENANT/NAMESPACE:VALUE`.
        issued_at: when it was made, ms.
        expires_at: the first ms at which it no longer counts.
        token_id: names this token, so that "redeem once" can be told; the same for all links of one message.
        use: `link` binds the browser that opens it; `unsubscribe` does nothing but that.
        channel: whose messages are unwanted, for `unsubscribe`; "" in tokens from before it was said, all of e-mail.
    """

    node: str
    issued_at: int
    expires_at: int
    token_id: str
    use: Use = "link"
    channel: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Claims).decode


def sign(claims: Claims, key: bytes) -> str:
    """The token of these claims: URL-safe text without padding.

    Raises:
        ValueError: the key is shorter than `KEY_BYTES`.
    """
    signing, hiding = _subkeys(key)
    plain = _encode(claims)
    tag = _mac(signing, plain)[:_TAG_BYTES]
    return _PREFIX + urlsafe_b64encode(tag + _hide(plain, hiding, tag)).rstrip(b"=").decode()


def verify(token: str, keys: Sequence[bytes], now: int, *, use: Use = "link") -> Claims:
    """The claims of a token, if it is ours, meant for `use` and its time has not passed.

    Args:
        token: as it came; anything may be in it.
        keys: the keys that count, the current one first; a key that was replaced stays here until the
            last token made with it has expired.
        now: ms.
        use: what the caller wants to do with it.

    Raises:
        ForgedTokenError: not made by a holder of one of the keys, meant for something else, or from the future.
        ExpiredTokenError: `now` is at or after its expiry.
        ValueError: a key is shorter than `KEY_BYTES`.
    """
    tag, hidden = _parts(token)
    for key in keys:
        claims = _open(tag, hidden, key)
        if claims is not None:
            return _checked(claims, now, use)
    raise ForgedTokenError("the token was not made with a key of ours, or was changed")


def _checked(claims: Claims, now: int, use: Use) -> Claims:
    if claims.use != use:
        raise ForgedTokenError(f"the token is not meant for this: it is for {claims.use!r}, not for {use!r}")
    if claims.issued_at > now + CLOCK_SKEW:
        raise ForgedTokenError("the token says that it was made in the future")
    if now >= claims.expires_at:
        raise ExpiredTokenError("the token's time has passed")
    return claims


def _parts(token: str) -> tuple[bytes, bytes]:
    if not token.startswith(_PREFIX) or len(token) > MAX_LENGTH or not token.isascii():
        raise ForgedTokenError("this is not a token")
    text = token[len(_PREFIX) :]
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise ForgedTokenError("this is not a token") from None
    # The decoder is lenient (foreign characters, loose last bits): only the one spelling that we make counts.
    if len(raw) <= _TAG_BYTES or urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise ForgedTokenError("this is not a token")
    return raw[:_TAG_BYTES], raw[_TAG_BYTES:]


def _open(tag: bytes, hidden: bytes, key: bytes) -> Claims | None:
    signing, hiding = _subkeys(key)
    plain = _hide(hidden, hiding, tag)
    if not hmac.compare_digest(_mac(signing, plain)[:_TAG_BYTES], tag):
        return None
    return _decode(plain)


def _subkeys(key: bytes) -> tuple[bytes, bytes]:
    if len(key) < KEY_BYTES:
        raise ValueError(f"a token key needs at least {KEY_BYTES} bytes, this one has {len(key)}")
    return _mac(key, b"link token: sign"), _mac(key, b"link token: hide")


def _hide(data: bytes, key: bytes, nonce: bytes) -> bytes:
    """`data` XOR a stream of HMAC(key, nonce, counter) blocks; applying it twice gives `data` back."""
    blocks = -(-len(data) // _BLOCK_BYTES)
    stream = b"".join(_mac(key, nonce + count.to_bytes(4, "big")) for count in range(blocks))
    size = len(data)
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream[:size], "big")).to_bytes(size, "big")


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.digest(key, data, "sha256")
