"""The product's processes as an operator starts them, on one broker: started, killed and asked by the tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.delivery import run as delivery
from orchestrator.model.partition import partition_of
from orchestrator.stream.broker import EmbeddedKafka, JarsError, JavaError
from orchestrator.stream.broker.probe import free_port
from orchestrator.stream.worker import APP_ID
from tests.consumer_groups import forget_the_dead, leave_out_what_waits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from e2e_sinks import Sinks

    from tests.slow_broker import ProxiedKafka

PARTITIONS = 4
ALL = frozenset(range(PARTITIONS))
PATIENCE = float(os.environ.get("E2E_PATIENCE", "150"))
"""Seconds that a test waits for what must come: long, because the machine may be busy with other things."""
TOPICS = Path(__file__).parents[2] / "topics"
BUNDLE = Path(__file__).with_name("bundle")
WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def start_or_skip(broker: EmbeddedKafka) -> None:
    """Start a broker. Where this machine cannot run one, what needs it is skipped, but never in CI."""
    try:
        broker.start()
    except (JarsError, JavaError) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@dataclass(frozen=True)
class Cluster:
    """A broker that is prepared, and where its files lie."""

    bootstrap: str
    folder: Path
    bundle: Path = BUNDLE
    broker: ProxiedKafka | None = None

    def environment(self) -> dict[str, str]:
        """What every process of the product is told."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        return inherited | {
            "ORCHESTRATOR_KAFKA__BOOTSTRAP": self.bootstrap,
            "ORCHESTRATOR_KAFKA__PARTITIONS": str(PARTITIONS),
            "ORCHESTRATOR_TOPICS_DIR": str(TOPICS),
            "ORCHESTRATOR_DATA_DIR": str(self.folder / "data"),
            "ORCHESTRATOR_LOG__STYLE": "json",
        }


def command(cluster: Cluster, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command of the product to its end, which must be `code`."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "orchestrator", *words], env=cluster.environment(), cwd=cluster.folder, timeout=PATIENCE,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, f"{words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


async def until(
    what: Callable[[], Any | Awaitable[Any]], seconds: float = PATIENCE, why: Callable[[], str] | None = None
) -> Any:
    """The first true answer; fails with what `why` then says (or the last answer) once the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = what()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return answer
        if time.monotonic() >= deadline:
            said = f"\n{why()}" if why is not None else ""
            raise AssertionError(f"waited {seconds:.0f} s in vain, the last answer was {answer!r}{said}")
        await asyncio.sleep(0.05)


@dataclass
class Process:
    """One process of the product; its log is JSON, a line an event."""

    name: str
    handle: asyncio.subprocess.Process
    log: Path
    ports: Mapping[str, int]
    _read: int = 0
    _lines: list[dict[str, Any]] = field(default_factory=list)

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far; what is not JSON (a traceback, for instance) stands under `text`."""
        with self.log.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._lines.append(_json_or_text(line))
        return self._lines

    def owned(self) -> frozenset[int]:
        """The partitions that a worker has recovered and not given away."""
        owned: set[int] = set()
        for line in self.lines():
            if line.get("event") == "partition_recovered":
                owned.add(line["partition"])
            elif line.get("event") == "partition_revoked":
                owned.discard(line["partition"])
        return frozenset(owned) if self.handle.returncode is None else frozenset()

    async def answering(self) -> int:
        """The port on which a worker answers questions, once it does."""
        line = await until(lambda: next((one for one in self.lines() if one.get("event") == "answering"), None))
        return int(line["port"])

    async def metrics(self) -> dict[str, float]:
        """The samples of its /metrics, labels beside the name: `orchestrator_x_total,channel=web`."""
        async with httpx.AsyncClient() as http:
            page = (await http.get(f"http://127.0.0.1:{self.ports['metrics']}/metrics")).raise_for_status().text
        return {
            sample.name + "".join(f",{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        }

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.handle.returncode is None:
            self.handle.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; the exit code, or the signal's number below 0."""
        return await asyncio.wait_for(self.handle.wait(), PATIENCE)

    def words(self) -> str:
        """The end of its log, for who looks at a failure."""
        return f"{self.name}:\n{self.log.read_text(errors='replace')[-3000:]}"


def _json_or_text(line: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(line)
    except ValueError:
        return {"text": line.decode(errors="replace")}
    return found


class Product:
    """The processes of one test, and a producer as any channel has one.

    Attributes:
        run: a word that no other test has, for the names of customers.
        processes: all that were started, in order.
    """

    def __init__(self, cluster: Cluster, folder: Path, run: str, bootstrap: str = "") -> None:
        """`bootstrap` is where the test's own producer gets in, where that is another listener."""
        self.cluster = cluster
        self._bootstrap = bootstrap or cluster.bootstrap
        self.folder = folder
        self.run = run
        self.processes: list[Process] = []
        self.producer: AIOKafkaProducer

    async def open(self) -> None:
        self.producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", linger_ms=2, max_request_size=2 << 20
        )
        await self.producer.start()

    async def close(self) -> None:
        """End what still runs, as gently as it lets us, and the producer."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                await asyncio.wait_for(process.handle.wait(), 60)
            except TimeoutError:
                process.kill()
                await process.ended()
        await self.producer.stop()

    # Processes.

    async def worker(self, crash_at: str = "", **settings: str) -> Process:
        ports = {"metrics": free_port()}
        more = {"CRASH_AT": crash_at, "ORCHESTRATOR_WORKER__METRICS_PORT": str(ports["metrics"]), **settings}
        return await self._start("worker", ("worker", "--port", "0"), more, ports)

    async def ready_worker(self, **settings: str) -> Process:
        """A worker that owns all partitions."""
        worker = await self.worker(**settings)
        await until(lambda: worker.owned() == ALL, why=worker.words)
        return worker

    async def forget_the_dead(self, group: str = APP_ID) -> None:
        """Once no worker runs (no delivery, for its group): who was killed leaves now, not after a session."""
        await forget_the_dead(self._bootstrap, group)

    async def leave_out_what_others_decided(self) -> None:
        """Delivery would first hand over thousands of messages that other tests did not wait for."""
        await leave_out_what_waits(self._bootstrap, delivery.APP_ID, "actions")

    async def deliverer(self, sinks: Sinks, **settings: str) -> Process:
        ports = {"metrics": free_port()}
        more = {
            "ORCHESTRATOR_DELIVERY__METRICS_PORT": str(ports["metrics"]),
            "ORCHESTRATOR_DELIVERY__FIRST_RETRY": "0.2",
            "ORCHESTRATOR_DELIVERY__SMTP__PORT": str(sinks.smtp_port),
            "ORCHESTRATOR_DELIVERY__SMTP__TLS": "never",
            "ORCHESTRATOR_DELIVERY__SMTP__SENDER": "Shop <hello@shop.example>",
            "ORCHESTRATOR_DELIVERY__WEBHOOKS__SMS__URL": f"http://127.0.0.1:{sinks.http_port}/",
            "ORCHESTRATOR_DELIVERY__WEBHOOKS__SMS__SECRET": WEBHOOK_SECRET,
            "ORCHESTRATOR_DELIVERY__WEBHOOKS__SMS__ALLOW_HOSTS": '["127.0.0.1"]',
            "ORCHESTRATOR_LINKS__KEY": "ab" * 32,
            **settings,
        }
        return await self._start("deliver", ("deliver", "--site-url", "https://shop.example"), more, ports)

    async def gateway(self, **settings: str) -> Process:
        """A gateway that is ready for requests."""
        port = free_port()
        process = await self._start(
            "gateway", ("gateway", "--port", str(port)), settings, {"http": port, "metrics": port}
        )

        async def ready() -> bool:
            assert process.handle.returncode is None, process.words()
            try:
                async with httpx.AsyncClient(timeout=5) as http:
                    return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        await until(ready, why=process.words)
        return process

    async def _start(
        self, name: str, words: tuple[str, ...], settings: Mapping[str, str], ports: Mapping[str, int]
    ) -> Process:
        log = self.folder / f"{name}-{len(self.processes)}.log"
        with log.open("wb") as out:
            handle = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "orchestrator", *words, stdout=out, stderr=out, cwd=self.folder,
                env={**self.cluster.environment(), "ORCHESTRATOR_DATA_DIR": str(self.folder / "data"), **settings},
            )  # fmt: skip
        process = Process(f"{name}-{len(self.processes)}", handle, log, ports)
        self.processes.append(process)
        return process

    # Events.

    async def send(self, events: Iterable[tuple[str, bytes | None, bytes]], per_second: float = 0) -> None:
        """Write topic, key and value of each as other producers do; all are acknowledged on return."""
        acks, began = [], time.monotonic()
        for number, (topic, key, value) in enumerate(events):
            where = partition_of(key, PARTITIONS) if key is not None else number % PARTITIONS
            acks.append(await self.producer.send(topic, value, key=key, partition=where))
            if per_second and number % 10 == 0:
                await asyncio.sleep(max(0.0, began + number / per_second - time.monotonic()))
        await asyncio.gather(*acks)

    def words(self) -> str:
        """The ends of all logs."""
        return "\n".join(process.words() for process in self.processes)
