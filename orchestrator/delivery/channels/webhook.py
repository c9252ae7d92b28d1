"""Sending by webhook: sms, push, social, or whatever else listens for it, signed after Standard Webhooks."""

import asyncio
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from orchestrator.delivery.channels.guard import (
    BlockedAddressError,
    Resolve,
    UnknownHostError,
    resolve_name,
    safe_address,
)
from orchestrator.delivery.channels.signing import sign
from orchestrator.delivery.decide import Deferred, Delivered, Refused, Result
from orchestrator.delivery.ledger import Outcome
from orchestrator.stream.clock import wall_clock

MAX_PAYLOAD: Final = 20 * 1024
MAX_RETRY_AFTER: Final = 24 * 3_600_000
_CONNECT_TIMEOUT: Final = 10.0
_GONE: Final = 410
_OVERLOADED: Final = frozenset({429, 503})
_MESSAGE_REFUSED: Final = frozenset({400, 413, 415, 422})


class WebhookSender:
    """Posts payloads to one URL. Never follows a redirect, never reads a proxy from the environment."""

    def __init__(
        self,
        url: str,
        keys: Sequence[bytes],
        *,
        timeout: float = 20.0,
        connections: int = 8,
        allow_hosts: Sequence[str] = (),
        resolve: Resolve = resolve_name,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], int] = wall_clock,
    ) -> None:
        """A sender to `url`.

        Args:
            url: http or https.
            keys: signing keys, the current one first.
            timeout: seconds for the whole attempt.
            connections: at most so many at once.
            allow_hosts: hosts (or `HOST:PORT`) that may be reached although they are not public.
            resolve: the name service.
            transport: instead of the network, for tests.
            clock: ms since the epoch.
        """
        self._url = httpx.URL(url)
        self._keys = keys
        self._allowed = frozenset(host.lower() for host in allow_hosts)
        self._resolve = resolve
        self._clock = clock
        self._timeout = timeout
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_TIMEOUT)),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            follow_redirects=False,
            trust_env=False,
            transport=transport,
        )

    async def send(self, message_id: str, payload: bytes) -> Result:
        """One attempt. The id is the same on every attempt, so that the receiver can tell a copy."""
        if len(payload) > MAX_PAYLOAD:
            return Refused(Outcome.FAILED, "too_large")
        port = self._url.port or {"http": 80, "https": 443}[self._url.scheme]
        address = ""
        try:
            async with asyncio.timeout(self._timeout):
                address = await safe_address(self._url.host, port, self._allowed, self._resolve)
                return await self._post(message_id, payload, address)
        except BlockedAddressError:
            return Refused(Outcome.FAILED, "address_not_allowed")
        except UnknownHostError:
            return Deferred("unreachable", channel_wide=True)
        except TimeoutError:
            return Deferred("timeout") if address else Deferred("unreachable", channel_wide=True)

    async def close(self) -> None:
        await self._client.aclose()

    async def _post(self, message_id: str, payload: bytes, address: str) -> Result:
        timestamp = self._clock() // 1000
        headers = {
            "host": self._url.netloc.decode(),
            "content-type": "application/json",
            "user-agent": "orchestrator",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(message_id, timestamp, payload, self._keys),
        }
        # The connection goes to the address that was checked; the certificate is checked against the name.
        target = self._url.copy_with(host=address)
        try:
            async with self._client.stream(
                "POST", target, content=payload, headers=headers, extensions={"sni_hostname": self._url.host}
            ) as response:
                return answer(response.status_code, response.headers.get("retry-after"), self._clock())
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Deferred("unreachable", channel_wide=True)
        except httpx.TimeoutException:
            return Deferred("timeout")
        except (httpx.TransportError, httpx.InvalidURL):
            return Deferred("connection_lost")


def answer(status: int, retry_after: str | None, now: int) -> Result:
    """What a status says about the message.

    A redirect is not followed and, like a wrong credential or a path that is not there, is the operator's to
    mend: it is tried again until the message's time is over.
    """
    if 200 <= status < 300:
        return Delivered()
    if status == _GONE:
        return Refused(Outcome.FAILED, "gone")
    if status in _MESSAGE_REFUSED:
        return Refused(Outcome.FAILED, f"http_{status}")
    wait = wait_asked_for(retry_after, now)
    return Deferred(f"http_{status}", retry_after=wait, channel_wide=status in _OVERLOADED)


def wait_asked_for(retry_after: str | None, now: int) -> int:
    """The wait in ms that a Retry-After asks for, in seconds or as a date; 0 where there is none that makes sense."""
    if not retry_after:
        return 0
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * 1000, MAX_RETRY_AFTER)
    try:
        until = parsedate_to_datetime(text)
        return min(max(0, int(until.timestamp() * 1000) - now), MAX_RETRY_AFTER)
    except (ValueError, OverflowError, OSError):
        return 0
