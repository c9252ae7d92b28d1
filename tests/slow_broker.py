"""A broker that answers slowly: beside the usual way to it there is one by a proxy that keeps every answer back."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from orchestrator.stream.broker import EmbeddedKafka, probe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from orchestrator.stream.broker.properties import Ports


class ProxiedKafka(EmbeddedKafka):
    """The embedded broker with a second listener, which sends its clients to `by_proxy` for everything."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self._behind = 0
        self._door = socket.socket()
        self._door.bind(("127.0.0.1", 0))  # held for good: the broker sends its clients there

    @property
    def by_proxy(self) -> str:
        """Where clients connect while `answering_late` holds."""
        return f"127.0.0.1:{self._door.getsockname()[1]}"

    def _write_properties(self, ports: Ports) -> Path:
        path = super()._write_properties(ports)
        self._behind = probe.free_port()
        client = f"CLIENT://127.0.0.1:{ports.client}"
        with path.open("a") as file:
            file.writelines(
                (
                    f"listeners={client},PROXIED://127.0.0.1:{self._behind},CONTROLLER://127.0.0.1:{ports.controller}\n",
                    f"advertised.listeners={client},PROXIED://{self.by_proxy}\n",
                    "listener.security.protocol.map=CLIENT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT\n",
                )
            )
        return path

    @asynccontextmanager
    async def answering_late(self, seconds: float) -> AsyncIterator[str]:
        """Who comes by `by_proxy`, which this gives, waits so long for every answer; questions pass at once."""

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            answers, questions = await asyncio.open_connection("127.0.0.1", self._behind)
            await asyncio.gather(_pass_on(reader, questions, 0.0), _pass_on(answers, writer, seconds))

        async with await asyncio.start_server(connected, sock=self._door.dup()):
            yield self.by_proxy


async def _pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter, seconds: float) -> None:
    """Byte by byte as it comes, so much later: a long way, which is not a narrow one."""
    loop = asyncio.get_running_loop()
    try:
        while data := await source.read(1 << 16):
            loop.call_later(seconds, target.write, data)
    except ConnectionError:
        pass  # whoever was killed hangs up without a word
    finally:
        loop.call_later(seconds, target.close)
