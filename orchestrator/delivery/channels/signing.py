"""Signatures of webhooks after Standard Webhooks: HMAC-SHA256 over `id.timestamp.payload`. Pure."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Final

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  the format's prefix, not a secret
MIN_KEY_BYTES: Final = 24
MAX_KEY_BYTES: Final = 64
TOLERANCE_SECONDS: Final = 300


class SignatureError(ValueError):
    """A webhook that was not made by a holder of the key, or is too old."""


def read_secret(secret: str) -> bytes:
    """The key of a secret, `whsec_` and base64.

    Raises:
        ValueError: it is no such secret, or its key is not of 24 to 64 bytes. The text does not repeat it.
    """
    try:
        key = b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("a webhook secret must be base64, with whsec_ in front") from None
    if not MIN_KEY_BYTES <= len(key) <= MAX_KEY_BYTES:
        raise ValueError(f"a webhook secret must hold {MIN_KEY_BYTES} to {MAX_KEY_BYTES} bytes, this has {len(key)}")
    return key


def sign(message_id: str, timestamp: int, payload: bytes, keys: Sequence[bytes]) -> str:
    """The value of `webhook-signature`: one signature per key, so that a receiver may change its key in peace.

    Args:
        message_id: the `webhook-id`; stable over all attempts.
        timestamp: the `webhook-timestamp`, seconds since the epoch; of this attempt.
        payload: the body's bytes.
        keys: the current key first.
    """
    return " ".join(f"v1,{b64encode(_mac(message_id, timestamp, payload, key)).decode()}" for key in keys)


def verify(message_id: str, timestamp: str, payload: bytes, signature: str, keys: Sequence[bytes], now: int) -> None:
    """The receiver's side, for tests and for webhooks that come to us.

    Args:
        message_id: the header `webhook-id`.
        timestamp: the header `webhook-timestamp`.
        payload: the body's bytes.
        signature: the header `webhook-signature`.
        keys: any of them may have signed.
        now: seconds since the epoch.

    Raises:
        SignatureError: no signature is right, or the timestamp is more than five minutes away.
    """
    if not timestamp.isascii() or not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureError("the webhook's timestamp is missing, or too far from now")
    for part in signature.split(" "):
        version, _, given = part.partition(",")
        for key in keys if version == "v1" else ():
            right = b64encode(_mac(message_id, int(timestamp), payload, key))
            if hmac.compare_digest(right, given.encode()):
                return
    raise SignatureError("no signature of the webhook is right")


def _mac(message_id: str, timestamp: int, payload: bytes, key: bytes) -> bytes:
    return hmac.digest(key, f"{message_id}.{timestamp}.".encode() + payload, "sha256")
