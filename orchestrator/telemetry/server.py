"""Serves the metrics page of a process that has no web server of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import start_http_server

if TYPE_CHECKING:
    import threading
    from wsgiref.simple_server import WSGIServer

    from orchestrator.telemetry.recorder import Recorder


class MetricsServer:
    """Answers `GET /metrics` in a thread of its own until it is closed."""

    def __init__(self, recorder: Recorder, port: int, host: str) -> None:
        server, thread = start_http_server(port, host, recorder.registry)
        self._server: WSGIServer = server
        self._thread: threading.Thread = thread

    @property
    def port(self) -> int:
        """The port it listens on: the one asked for, or the one that the system chose for 0."""
        return self._server.server_port

    def close(self) -> None:
        """Stops answering and waits for the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
