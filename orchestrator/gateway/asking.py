"""Asking the worker that owns a customer, within a deadline.

A worker answers, or says where the customer lives now (a forward), or that it is not the owner (421). The
asker follows forwards, waits for a new owner to announce itself where the old one is gone, and gives up at the
deadline, never later.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Final, Protocol

import aiohttp
import msgspec

from orchestrator.gateway.owners import Owner, Owners
from orchestrator.model.ids import node_key
from orchestrator.stream.asking_wire import (
    MAX_ANSWER_BYTES,
    MISDIRECTED,
    PATH,
    UNKEYED,
    Answer,
    Forward,
    Question,
    decode_reply,
)

MAX_HOPS: Final = 8
_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.32
_ASK_AGAIN: Final = frozenset({MISDIRECTED, 503})


class Transport(Protocol):
    """How a question reaches a worker."""

    async def post(self, owner: Owner, body: bytes, seconds: float) -> tuple[int, bytes]:
        """Status and body of the worker's reply.

        Raises:
            ConnectionError: it cannot be reached, or broke off.
            TimeoutError: it did not reply within `seconds`.
        """
        ...


class Asker:
    """Asks questions until they are answered or their time has passed.

    Args:
        owners: who knows the owners.
        transport: how a question reaches a worker.
        clock: a monotonic clock, s.
        limit: how many questions of one tenant may be under way at once; more wait, within their deadline.
        locked_out: told the name of a worker that does not take our key.
    """

    def __init__(
        self,
        owners: Owners,
        transport: Transport,
        clock: Callable[[], float],
        limit: int = 256,
        locked_out: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._owners = owners
        self._transport = transport
        self._clock = clock
        self._locked_out = locked_out
        self._room: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(limit))

    async def ask(self, question: Question, until: float) -> Answer | None:
        """The owner's answer, or None when there was none in time.

        Args:
            question: what to ask; its `deadline_ms` is set anew for every attempt.
            until: when to give up, on this asker's clock, in seconds.
        """
        try:
            async with asyncio.timeout(max(0.0, until - self._clock())), self._room[question.tenant]:
                return await self._pursue(question, until)
        except TimeoutError:
            return None

    async def _pursue(self, question: Question, until: float) -> Answer | None:
        seen: set[str] = set()
        while len(seen) <= MAX_HOPS:
            seen.add(question.identifier)
            reply = await self._from_owner(question, until)
            if not isinstance(reply, Forward):
                return reply
            if reply.forward in seen:  # a merge is under way and the two ends do not agree yet
                await asyncio.sleep(_PAUSE)
                seen.clear()
            question = msgspec.structs.replace(question, identifier=reply.forward)
        return None

    async def _from_owner(self, question: Question, until: float) -> Answer | Forward | None:
        """Ask whoever owns this identifier; a new owner is asked as soon as it is known. None: asking is in vain.

        The same owner is asked again after pauses that double: in an outage every question comes to that.
        """
        key = node_key(question.tenant, question.identifier)
        pause = _PAUSE
        while True:
            owner = self._owners.of(key)
            if owner is None:
                await self._owners.changed(key, None)
                continue
            status, body = await self._once(owner, question, until)
            if status == 200:
                return _decode(body)
            if status == UNKEYED:
                self._locked_out(owner.worker)
            if status not in _ASK_AGAIN:
                return None
            await self._pause(key, owner, pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _once(self, owner: Owner, question: Question, until: float) -> tuple[int, bytes]:
        left = until - self._clock()
        body = msgspec.json.encode(msgspec.structs.replace(question, deadline_ms=max(1, int(left * 1000))))
        try:
            return await self._transport.post(owner, body, left)
        except ConnectionError:
            return 503, b""

    async def _pause(self, key: bytes, owner: Owner, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._owners.changed(key, owner)
        except TimeoutError:
            return


class HttpTransport:
    """Questions over HTTP, on connections that are kept open: `per_worker` of them and no more.

    `key` is what the workers want presented, empty for none.
    """

    def __init__(self, key: str = "", per_worker: int = 64) -> None:
        self._per_worker = per_worker
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the pool; needs a running loop."""
        connector = aiohttp.TCPConnector(limit=0, limit_per_host=self._per_worker, keepalive_timeout=60)
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=None, sock_connect=1.0), trust_env=False
        )

    async def stop(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def post(self, owner: Owner, body: bytes, seconds: float) -> tuple[int, bytes]:
        if self._session is None:
            raise ConnectionError("the pool is not open")
        try:
            async with (
                asyncio.timeout(max(0.0, seconds)),
                self._session.post(
                    f"{_base(owner.address)}{PATH}",
                    data=body,
                    headers=self._headers,
                    allow_redirects=False,
                ) as response,
            ):
                return response.status, await _bounded(response)
        except (aiohttp.ClientError, OSError) as error:
            if type(error) is TimeoutError:  # ours; aiohttp's own mean that no connection came about
                raise
            raise ConnectionError("the worker cannot be reached") from error


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    body = await response.content.read(MAX_ANSWER_BYTES)
    while len(body) < MAX_ANSWER_BYTES and not response.content.at_eof():
        body += await response.content.read(MAX_ANSWER_BYTES - len(body))
    if not response.content.at_eof():
        raise ConnectionError("the worker's answer is too long")
    return body


def _base(address: str) -> str:
    return address.rstrip("/") if address.startswith(("http://", "https://")) else f"http://{address}"


def _decode(body: bytes) -> Answer | Forward | None:
    try:
        return decode_reply(body)
    except msgspec.DecodeError:
        return None
