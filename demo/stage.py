"""The parts of the demo as processes: an embedded Apache Kafka, and `orchestrator run` on it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import httpx

from demo.bundle import demo_files
from orchestrator.stream.broker import EmbeddedKafka
from orchestrator.stream.broker.probe import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

HERE: Final = Path(__file__).parent
SITE: Final = "https://lumo.example"
PARTITIONS: Final = 8
READY_WITHIN: Final = 180.0
END_WITHIN: Final = 60.0
LOOK_EVERY: Final = 0.25


class StageError(Exception):
    """A part did not start, or ended by itself. The text says which, and where its log is."""


@dataclass(frozen=True)
class Ports:
    """Where the parts listen on 127.0.0.1."""

    gateway: int
    worker: int
    worker_metrics: int
    delivery_metrics: int

    @classmethod
    def free(cls) -> Ports:
        """Four ports that nobody uses at this moment."""
        found: set[int] = set()
        while len(found) < 4:
            found.add(free_port())
        return cls(*found)


class Stage:
    """Everything that the story needs to run, in a folder of its own; all of it ends with the `async with` block.

    Attributes:
        folder: data, logs, the bundle and the mailbox.
        ports: where the parts listen.
        log: what `orchestrator run` and its processes say.
    """

    def __init__(self, folder: Path, smtp_port: int, told: Callable[[str], None]) -> None:
        """Nothing is started yet.

        Args:
            folder: made if it is not there.
            smtp_port: where delivery hands mails over.
            told: called with what is being started, for who waits.
        """
        self.folder = folder
        self.ports = Ports.free()
        self.log = folder / "orchestrator.log"
        self._smtp_port = smtp_port
        self._told = told
        self._kafka = EmbeddedKafka(folder / "kafka")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def gateway(self) -> str:
        """The gateway's address, for clients."""
        return f"http://127.0.0.1:{self.ports.gateway}"

    @property
    def bootstrap(self) -> str:
        """Kafka's address, for clients."""
        return self._kafka.bootstrap

    @property
    def bundle(self) -> Path:
        """The scenarios that are played: the shipped ones with short waits."""
        return self.folder / "scenarios"

    @property
    def kafka_log(self) -> Path:
        """What Kafka says."""
        return self._kafka.log_file

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def ended(self) -> None:
        """Returns when a part has ended by itself.

        Raises:
            StageError: always then.
        """
        if self._process is not None:
            await self._process.wait()
        raise StageError(f"the orchestrator ended by itself; it said last:\n{self._last_words()}")

    async def _start(self) -> None:
        self._write_bundle()
        self._told("Starting Apache Kafka (the first start on a machine fetches 45 MB)")
        await self._kafka.start_async()
        self._told("Starting the orchestrator: topics, bundle, worker, delivery, gateway")
        command = ("-m", "orchestrator", "run", str(self.bundle), "--bootstrap", self.bootstrap, "--no-watch")
        with self.log.open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, *command, stdout=log, stderr=log, env=self._environment(), cwd=HERE.parent,
                start_new_session=True,  # a Ctrl-C at the terminal reaches us, and we decide
            )  # fmt: skip
        await self._until_ready()

    async def _end(self) -> None:
        self._told("Ending every process")
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(END_WITHIN):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        await self._kafka.stop_async()

    def _write_bundle(self) -> None:
        """The shipped scenarios with the demo's short waits, as a folder that can be looked at and published."""
        for name, content in demo_files(HERE.parent / "scenarios", HERE / "scenarios").items():
            path = self.bundle / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def _environment(self) -> dict[str, str]:
        settings = {
            "DATA_DIR": self.folder,
            "TOPICS_DIR": HERE.parent / "topics",
            "WORKER__PORT": self.ports.worker,
            "WORKER__METRICS_PORT": self.ports.worker_metrics,
            "DELIVERY__METRICS_PORT": self.ports.delivery_metrics,
            "DELIVERY__SMTP__PORT": self._smtp_port,
            "DELIVERY__SMTP__TLS": "never",
            "DELIVERY__SMTP__SENDER": "Lumo <bonjour@lumo.example>",
            "DELIVERY__SITE_URL": SITE,
            "GATEWAY__PORT": self.ports.gateway,
            "LINKS__KEY": secrets.token_hex(32),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        return inherited | {f"ORCHESTRATOR_{name}": str(value) for name, value in settings.items()}

    async def _until_ready(self) -> None:
        """Until every partition has an owner that answers questions, and delivery serves its metrics."""
        until = time.monotonic() + READY_WITHIN
        async with httpx.AsyncClient(timeout=5.0) as http:
            while not await self._ready(http):
                if self._process is None or self._process.returncode is not None:
                    raise StageError(f"the orchestrator ended while it started; it said last:\n{self._last_words()}")
                if time.monotonic() > until:
                    raise StageError(f"not ready after {READY_WITHIN:.0f} s; its log is {self.log}")
                await asyncio.sleep(LOOK_EVERY)

    async def _ready(self, http: httpx.AsyncClient) -> bool:
        try:
            (await http.get(f"http://127.0.0.1:{self.ports.delivery_metrics}/metrics")).raise_for_status()
            (await http.get(f"{self.gateway}/readyz")).raise_for_status()
            answers = [await self._owner_answers(http, number) for number in range(4 * PARTITIONS)]
        except httpx.HTTPError:
            return False
        return all(answers)

    async def _owner_answers(self, http: httpx.AsyncClient, number: int) -> bool:
        """Whether a question about a customer who does not exist is answered by a worker; it leaves no trace."""
        question = {"identifier": f"anonymous_id:probe-{number}", "channel": "web", "slots": ["web.lp.cta"]}
        answer = await http.post(f"{self.gateway}/v1/decide", json=question)
        return answer.status_code == httpx.codes.OK and answer.json()["version"] is not None

    def _last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join([*lines[-20:], f"(the whole log is {self.log})"])
