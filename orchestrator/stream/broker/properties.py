"""The broker's server.properties: one node that is broker and controller, small, for one machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NODE_ID = 1

_FIXED = {
    "process.roles": "broker,controller",
    "node.id": str(NODE_ID),
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "CLIENT",
    # Topics are declared, never made by a typing error.
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # One broker holds the only copy; few internal partitions start faster.
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    # Fits a heap of 256 MB: the cleaner's default buffer alone would take half of it.
    "log.cleaner.dedupe.buffer.size": str(8 * 2**20),
    "log.cleaner.io.buffer.size": str(128 * 2**10),
    "log.segment.bytes": str(256 * 2**20),
    "log.index.size.max.bytes": str(2**20),
    "metadata.log.segment.bytes": str(32 * 2**20),
    "num.network.threads": "2",
    "num.io.threads": "4",
    "num.recovery.threads.per.data.dir": "2",
    "background.threads": "2",
    # After a kill the controller refuses the broker for this long, taking the dead one for alive (9 s by default). Not
    # shorter: a broker that misses it because the disk stood still loses the lead of all its partitions for a moment.
    "broker.session.timeout.ms": "6000",
    "broker.heartbeat.interval.ms": "1000",
}


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the broker listens, on 127.0.0.1: for clients, and for itself as its own controller."""

    client: int
    controller: int


def server_properties(ports: Ports, log_dir: Path) -> str:
    """The text of server.properties for these ports and this folder of logs."""
    client, controller = f"127.0.0.1:{ports.client}", f"127.0.0.1:{ports.controller}"
    values = {
        **_FIXED,
        "listeners": f"CLIENT://{client},CONTROLLER://{controller}",
        "advertised.listeners": f"CLIENT://{client}",
        "controller.quorum.voters": f"{NODE_ID}@{controller}",
        "log.dirs": str(log_dir),
    }
    return "".join(f"{key}={_escaped(value)}\n" for key, value in values.items())


def _escaped(value: str) -> str:
    # Java reads a properties file as Latin-1 with \\uXXXX escapes, and a backslash as the start of one.
    return "".join(char if char.isascii() and char != "\\" else f"\\u{ord(char):04x}" for char in value)
