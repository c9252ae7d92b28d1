"""Serves metrics and health of a process that has no web server of its own."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from wsgiref.simple_server import WSGIServer
    from wsgiref.types import StartResponse, WSGIEnvironment

    from orchestrator.telemetry.recorder import Recorder

_ANSWERS = {200: "200 OK", 404: "404 Not Found", 503: "503 Service Unavailable"}


class Health:
    """Whether this process can do its work, as far as it knows. Asked from another thread than the one that works."""

    def __init__(self) -> None:
        self._look: Callable[[], Mapping[str, bool]] = dict

    def watch(self, look: Callable[[], Mapping[str, bool]]) -> None:
        """Has `look` tell which parts must stand, and which do; until then none does."""
        self._look = look

    def parts(self) -> Mapping[str, bool]:
        """The parts that must stand, and whether each does; empty while the process is starting."""
        return self._look()


class MetricsServer:
    """Answers `GET /metrics`, `/healthz` and `/readyz` in threads of its own until it is closed.

    `/healthz` says that the process is alive (one whose loop is stuck is ended by its watchdog), `/readyz` whether it
    does its work: 200, or 503, with the parts that must stand.
    """

    def __init__(self, recorder: Recorder, port: int, host: str, health: Health | None = None) -> None:
        metrics, known = make_wsgi_app(recorder.registry), health or Health()

        def answer(environment: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            path = environment.get("PATH_INFO", "")
            if path == "/healthz":
                return _json(start, 200, {"alive": True})
            if path == "/readyz":
                parts = dict(known.parts())
                ready = bool(parts) and all(parts.values())
                return _json(start, 200 if ready else 503, {"ready": ready, "parts": parts})
            if path == "/metrics":
                page: Iterable[bytes] = metrics(environment, start)
                return page
            return _json(start, 404, {"detail": "there are /metrics, /healthz and /readyz"})

        self._server: WSGIServer = make_server(host, port, answer, ThreadingWSGIServer, handler_class=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, name="metrics", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on: the one asked for, or the one that the system chose for 0."""
        return self._server.server_port

    def close(self) -> None:
        """Stops answering and waits for the thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """A line for each look at the metrics would be noise."""


def _json(start: StartResponse, status: int, body: Mapping[str, Any]) -> Iterable[bytes]:
    raw = json.dumps(body).encode()
    start(_ANSWERS[status], [("Content-Type", "application/json"), ("Content-Length", str(len(raw)))])
    return [raw]
