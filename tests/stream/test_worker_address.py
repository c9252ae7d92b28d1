"""A worker whose address is taken cannot start as it is set up, and says so in one line."""

import asyncio
import socket

import pytest

from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.worker import _listening as listening


class Server:
    """Listens where it is told to."""

    def __init__(self) -> None:
        self.stopped = False

    async def start(self, host: str, port: int) -> int:
        server = await asyncio.start_server(lambda *_: None, host, port)
        server.close()
        return port

    async def stop(self) -> None:
        self.stopped = True


def test_a_port_that_is_taken_is_named_with_the_setting_that_chooses_another() -> None:
    server = Server()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            LaneError, match=rf"on 127\.0\.0\.1:{port}: Address already in use; choose another: worker\.port"
        ):
            asyncio.run(listening(server, "127.0.0.1", port))  # type: ignore[arg-type]
    assert server.stopped
