"""A webhook goes to the address that was checked: no variable of the environment sends it by somebody else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from orchestrator.delivery.channels.webhook import WebhookSender
from orchestrator.delivery.decide import Delivered

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ANSWER = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"


class Listener:
    """A server that takes whatever is said to it, and says that it is well."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader.readuntil(b"\r\n"))
        writer.write(ANSWER)
        await writer.drain()
        writer.close()


@pytest.fixture
async def listeners() -> AsyncIterator[tuple[Listener, Listener]]:
    """The receiver of the webhook, and a proxy that the environment names."""
    both = Listener(), Listener()
    servers = [await asyncio.start_server(each.serve, "127.0.0.1", 0) for each in both]
    for each, server in zip(both, servers, strict=True):
        each.port = server.sockets[0].getsockname()[1]
    yield both
    for server in servers:
        server.close()


async def at_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
async def test_no_proxy_of_the_environment_hears_of_it(
    name: str, listeners: tuple[Listener, Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, proxy = listeners
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    hook = WebhookSender(
        f"http://hook.example:{receiver.port}/push", [b"k" * 32], allow_hosts=["hook.example"], resolve=at_loopback
    )
    assert await hook.send("0" * 32, b"{}") == Delivered()
    await hook.close()
    assert receiver.heard == [b"POST /push HTTP/1.1\r\n"]
    assert proxy.heard == []
