"""Connections of real clients: how long one may take, and what it is told when it takes too long."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import msgspec
import pytest

from orchestrator.gateway.app import create_app
from orchestrator.gateway.connections import Connection
from orchestrator.gateway.server import _Server, _uvicorn

Event = dict[str, Any]
House = Any
ASKED = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"


class Hasty(Connection):
    """As in production, but for the patience."""

    head_seconds = 0.2


@contextlib.asynccontextmanager
async def served(house: House) -> AsyncIterator[Callable[[], Any]]:
    """The gateway on a port of this machine; yields what opens a connection to it."""
    config = _uvicorn(create_app(house.gateway))
    assert config.http is Connection
    config.http, config.timeout_keep_alive = Hasty, 1
    listener = socket.create_server(("127.0.0.1", 0))
    server = _Server(config)
    running = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield lambda: asyncio.open_connection(*listener.getsockname())
    finally:
        server.should_exit = True
        await running
        listener.close()


def posted(length: int) -> bytes:
    return (
        b"POST /v1/events HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer key-everything-0123456789\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % length
    )


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that still comes until the server closes the connection."""
    async with asyncio.timeout(5):
        return await reader.read()


@pytest.mark.parametrize("said", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nHost: gateway\r\nX-Slow: "])
async def test_a_head_that_does_not_arrive_is_given_up(house: House, said: bytes) -> None:
    """Also that of a connection on which nothing was ever asked, though it may rest as long as a kept one."""
    async with served(house) as connect:
        reader, writer = await connect()
        writer.write(said)
        assert await rest(reader) == b""
        writer.close()


async def test_a_head_that_trickles_in_is_given_up_as_well(house: House) -> None:
    async with served(house) as connect:
        reader, writer = await connect()
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        ended = asyncio.create_task(rest(reader))
        while not ended.done():
            writer.write(b"x: y\r\n")
            await asyncio.wait([ended], timeout=0.02)
        with contextlib.suppress(ConnectionError):  # our last line may have met a closed door
            assert await ended == b""
        writer.close()


async def test_a_kept_connection_may_rest_and_every_head_on_it_has_its_own_time(house: House) -> None:
    async with served(house) as connect:
        reader, writer = await connect()
        for _ in range(2):
            writer.write(ASKED)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            assert await reader.readexactly(14) == b'{"alive":true}'
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.read(1), 2 * Hasty.head_seconds)
        writer.write(ASKED[:10])
        assert await rest(reader) == b""
        writer.close()


async def test_a_long_answer_is_not_cut_short(house: House, page_read: Event) -> None:
    """The time is the head's: what is asked in time may take as long as it takes."""
    body = msgspec.json.encode(page_read)
    house.log.gate.clear()
    async with served(house) as connect:
        reader, writer = await connect()
        writer.write(posted(len(body)) + body)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 2 * Hasty.head_seconds)
        house.log.gate.set()
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 202")
        writer.close()


async def test_a_body_that_does_not_arrive_ends_its_connection(make_house: Callable[..., House]) -> None:
    """What still comes would be the body that nobody waits for any more; the client is told so (RFC 9110, 15.5.9)."""
    async with served(make_house(body_seconds=0.1)) as connect:
        reader, writer = await connect()
        writer.write(posted(100) + b"{")
        answer = await rest(reader)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"\r\nconnection: close\r\n" in answer.lower()
        writer.close()


async def test_offering_another_protocol_is_nothing_to_warn_of(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """Java's client offers HTTP/2 with its requests, and goes on with what it is answered in."""
    async with served(house) as connect:
        reader, writer = await connect()
        writer.write(ASKED[:-2] + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.close()
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == []
