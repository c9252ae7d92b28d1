"""A real Apache Kafka, started and ended by us: one node in KRaft mode, by pip alone, without Java on the machine."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Self

from orchestrator.stream.broker import java, probe
from orchestrator.stream.broker.errors import StartError
from orchestrator.stream.broker.guard import FOLDER_IN_USE
from orchestrator.stream.broker.jars import fetch
from orchestrator.stream.broker.progress import fetch_progress
from orchestrator.stream.broker.properties import Ports, server_properties

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from orchestrator.stream.broker.jars import Progress

_GUARD = Path(__file__).with_name("guard.py")
_PORT_ATTEMPTS = 3


class EmbeddedKafka:
    """One Apache Kafka broker with a data folder of its own, listening on 127.0.0.1 only.

    The broker ends with `stop`, with the `with` block, and when our process dies, however it dies. What it holds stays
    in the data folder: start again on the same folder (the same object keeps its port, so clients find it again).

    Not safe to use from several threads at once.
    """

    def __init__(
        self, data_dir: Path | str, port: int | None = None, *, heap_mb: int = 256, start_timeout: float = 90.0
    ) -> None:
        """Nothing is started or written yet.

        Args:
            data_dir: the broker's folder; made if it is not there.
            port: where clients connect; a free one unless given.
            heap_mb: upper limit of the Java heap, MB.
            start_timeout: seconds that a start may take, the first fetch of the jars not counted.
        """
        self.data_dir = Path(data_dir).resolve()
        self._port = port
        self._port_is_chosen = port is not None
        self._heap_mb = heap_mb
        self._start_timeout = start_timeout
        self._guard: subprocess.Popen[bytes] | None = None
        self._pid: int | None = None

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients.

        Raises:
            StartError: the port is not known before the first start.
        """
        if self._port is None:
            raise StartError("the embedded Kafka has no port before it is started")
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """Process id of the broker itself; None if it does not run."""
        return self._pid if self.running else None

    @property
    def running(self) -> bool:
        """Whether the broker's process is alive."""
        return self._guard is not None and self._guard.poll() is None

    @property
    def log_file(self) -> Path:
        """What the broker writes to its log, warnings and worse; the log of the start before lies beside it."""
        return self.data_dir / "kafka.log"

    def start(self, progress: Progress | None = None) -> str:
        """Starts the broker, and returns where clients connect once it has answered a metadata call.

        Args:
            progress: told how far the fetch of the jars is, at the first start on a machine; shown on standard error
                unless given.

        Raises:
            BrokerError: it cannot be started; the message says why and what to do. Nothing is left running.
        """
        if self.running:
            return self.bootstrap
        runtime = java.executable()
        jars = self._jars(progress)
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._choose_port()
            try:
                self._launch(runtime, jars)
                self._await_ready()
            except BaseException as error:
                taken = self._port_was_taken()
                self.stop(timeout=5.0)
                if not (isinstance(error, StartError) and taken and attempt < _PORT_ATTEMPTS):
                    raise
            else:
                break
        return self.bootstrap

    def stop(self, timeout: float = 30.0) -> None:
        """Ends the broker by SIGTERM and waits until it is gone; by SIGKILL after `timeout` seconds."""
        guard, self._guard = self._guard, None
        if guard is None:
            return
        guard.terminate()
        try:
            guard.wait(timeout)
        except subprocess.TimeoutExpired:
            self._kill_broker()
            guard.wait()
        _close_pipes(guard)

    def kill(self) -> None:
        """Ends the broker by SIGKILL, as a power cut would, and waits until it is gone."""
        self._kill_broker()
        if self._guard is not None:
            self._guard.wait()
            _close_pipes(self._guard)
            self._guard = None

    async def start_async(self, progress: Progress | None = None) -> str:
        """`start`, without holding up the running event loop."""
        return await asyncio.to_thread(self.start, progress)

    async def stop_async(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109  # handed on to the waiting thread
        """`stop`, without holding up the running event loop."""
        await asyncio.to_thread(self.stop, timeout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.start_async()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_async()

    def _jars(self, progress: Progress | None) -> list[Path]:
        if progress is not None:
            return fetch(progress)
        with fetch_progress() as shown:
            return fetch(shown)

    def _choose_port(self) -> None:
        if self._port is not None and probe.port_is_free(self._port):
            return
        if self._port_is_chosen:
            raise StartError(
                f"port {self._port} of 127.0.0.1 is in use: end what uses it, or choose another port for the broker"
            )
        self._port = probe.free_port()

    def _launch(self, runtime: str, jars: Sequence[Path]) -> None:
        assert self._port is not None  # noqa: S101  # chosen just before
        properties = self._write_properties(Ports(self._port, probe.free_port()))
        if self._cluster_id() is None:
            java.format_storage(runtime, jars, properties, _new_cluster_id())
        if self.log_file.exists():
            self.log_file.replace(self.log_file.with_suffix(".log.1"))
        broker = java.command(runtime, jars, self._heap_mb, "kafka.Kafka", str(properties))
        guard = [sys.executable, "-I", "-S", str(_GUARD), str(self.data_dir / "guard.lock"), str(self._start_timeout)]
        with self.log_file.open("wb") as log:
            self._guard = subprocess.Popen(  # noqa: S603
                [*guard, *broker],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=java.environment(),
                start_new_session=True,  # a Ctrl-C at the terminal reaches us, and we decide
            )
        self._pid = self._read_pid(self._guard)

    def _write_properties(self, ports: Ports) -> Path:
        path = self.data_dir / "server.properties"
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            path.write_text(server_properties(ports, self.data_dir / "logs"), "ascii")
        except OSError as error:
            raise StartError(
                f"cannot write to {self.data_dir}: {error.strerror}; choose another data folder"
            ) from error
        return path

    def _read_pid(self, guard: subprocess.Popen[bytes]) -> int:
        assert guard.stdout is not None  # noqa: S101  # asked for as a pipe
        line = guard.stdout.readline()
        if line:
            return int(line)
        if guard.wait() == FOLDER_IN_USE:
            raise StartError(f"another broker runs on {self.data_dir}: end it, or choose another data folder")
        raise StartError(f"the broker's process could not be started{self._last_words()}")

    def _await_ready(self) -> None:
        deadline = time.monotonic() + self._start_timeout
        assert self._port is not None  # noqa: S101  # chosen before the launch
        while time.monotonic() < deadline:
            if not self.running:
                raise StartError(f"Kafka ended while it started{self._last_words()}")
            # Another broker may hold the port, and ours be about to end over it.
            if probe.listens(self._port) and probe.cluster_id(self.bootstrap) == self._cluster_id():
                return
            time.sleep(0.05)
        raise StartError(
            f"Kafka was not ready after {self._start_timeout:.0f} s{self._last_words()}; is the machine out of memory?"
        )

    def _cluster_id(self) -> str | None:
        with contextlib.suppress(FileNotFoundError):
            for line in (self.data_dir / "logs" / "meta.properties").read_text("utf-8").splitlines():
                if line.startswith("cluster.id="):
                    return line.partition("=")[2].strip()
        return None

    def _port_was_taken(self) -> bool:
        return not self._port_is_chosen and "Address already in use" in self._log_tail()

    def _last_words(self) -> str:
        said = [
            line for line in self._log_tail().splitlines() if "ERROR" in line or "Exception" in line or "rror:" in line
        ]
        return f": {said[-1].strip()} (see {self.log_file})" if said else f" (see {self.log_file})"

    def _log_tail(self) -> str:
        try:
            return self.log_file.read_bytes()[-16_384:].decode(errors="replace")
        except OSError:  # no log, no last words: the error that made us look is told all the same
            return ""

    def _kill_broker(self) -> None:
        if self.running and self._pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)


def _close_pipes(guard: subprocess.Popen[bytes]) -> None:
    for pipe in (guard.stdin, guard.stdout):
        if pipe is not None:
            pipe.close()


def _new_cluster_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode("ascii")
