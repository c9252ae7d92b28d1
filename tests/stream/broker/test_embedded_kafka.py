"""The embedded broker: it starts, keeps what it was given over stops and kills, and never outlives us."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from orchestrator.stream.broker import EmbeddedKafka, StartError, probe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kafka


@pytest.fixture
def own(kafka: EmbeddedKafka, tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker that a test may stop and kill (the session's has shown that brokers run here at all)."""
    broker = EmbeddedKafka(tmp_path / "broker")
    yield broker
    broker.stop()


async def write(bootstrap: str, values: list[bytes]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for value in values:
            await producer.send_and_wait("kept", value)


async def read(bootstrap: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    async with consumer:
        partition = TopicPartition("kept", 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[bytes] = []
        while len(found) < end:
            found += [record.value for record in (await consumer.getmany(timeout_ms=500)).get(partition, [])]
        return found


def test_it_is_an_apache_kafka_that_makes_no_topic_by_itself(kafka: EmbeddedKafka) -> None:
    async def topics() -> list[str]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.describe_topics(["misspelt"])
            names: list[str] = await admin.list_topics()
            return names
        finally:
            await admin.close()

    assert "misspelt" not in asyncio.run(topics())
    assert kafka.pid is not None
    assert psutil.Process(kafka.pid).name() == "java"


def test_what_was_acknowledged_is_there_after_a_stop_and_after_a_kill_at_the_same_address(own: EmbeddedKafka) -> None:
    first = own.start()
    asyncio.run(write(first, [b"one", b"two"]))
    own.stop()
    assert not own.running
    assert own.start() == first
    assert asyncio.run(read(first)) == [b"one", b"two"]
    own.kill()
    assert own.pid is None
    assert own.start() == first
    assert asyncio.run(read(first)) == [b"one", b"two"]


def test_a_second_broker_on_the_same_folder_is_refused_and_the_first_goes_on(kafka: EmbeddedKafka) -> None:
    with pytest.raises(StartError, match="another broker runs on"):
        EmbeddedKafka(kafka.data_dir, start_timeout=0.2).start()
    assert probe.cluster_id(kafka.bootstrap) is not None


def test_a_port_that_is_taken_is_said_before_anything_is_started(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(
            StartError, match=f"port {port} of 127.0.0.1 is in use: end what uses it, or choose another"
        ):
            EmbeddedKafka(tmp_path / "broker", port).start()
    assert not (tmp_path / "broker").exists()


def test_a_data_folder_that_cannot_be_read_ends_in_one_sentence_and_no_process(own: EmbeddedKafka) -> None:
    own.start()
    own.stop()
    meta = own.data_dir / "logs" / "meta.properties"
    meta.write_text(meta.read_text("utf-8").replace("node.id=1", "node.id=7"), "utf-8")
    with pytest.raises(StartError, match=r"Kafka ended while it started: .*(see .*kafka\.log)"):
        own.start()
    assert not own.running


STARTER = """
import signal, sys
from orchestrator.stream.broker import EmbeddedKafka
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background inherits that it is ignored
broker = EmbeddedKafka(sys.argv[1])
broker.start()
print(broker.pid, flush=True)
sys.stdin.read()
"""


def ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_broker_ends_when_who_started_it_dies(
    kafka: EmbeddedKafka, tmp_path: Path, eventually: Any, how: signal.Signals
) -> None:
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", STARTER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as starter:
        assert starter.stdout is not None
        broker = int(starter.stdout.readline())
        assert not ended(broker)
        os.kill(starter.pid, how)
        starter.wait(10)
    eventually(lambda: ended(broker), timeout=20)


def test_the_broker_ends_when_its_guard_is_killed(own: EmbeddedKafka, eventually: Any) -> None:
    own.start()
    broker, guard = own.pid, own._guard
    assert broker is not None
    assert guard is not None
    guard.kill()
    eventually(lambda: ended(broker), timeout=20)


async def test_it_starts_and_stops_inside_an_event_loop_without_holding_it_up(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    beats = 0

    async def heart() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.05)
            beats += 1

    beating = asyncio.create_task(heart())
    async with EmbeddedKafka(tmp_path / "broker") as broker:
        await write(broker.bootstrap, [b"one"])
        assert await read(broker.bootstrap) == [b"one"]
    beating.cancel()
    assert beats > 10
    assert not broker.running


def test_a_free_port_that_another_takes_first_is_given_up_for_another(
    kafka: EmbeddedKafka, own: EmbeddedKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = int(kafka.bootstrap.rpartition(":")[2])
    free = probe.free_port
    offered = iter([taken])
    monkeypatch.setattr(probe, "port_is_free", lambda _port: False)
    monkeypatch.setattr(probe, "free_port", lambda: next(offered, None) or free())
    assert own.start() != kafka.bootstrap
    assert probe.cluster_id(own.bootstrap) not in {None, probe.cluster_id(kafka.bootstrap)}
