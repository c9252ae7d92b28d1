"""An Apache Kafka that lets in only whom it knows: by certificate, or by user and password, over TLS or without."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest
from e2e_product import Cluster

from orchestrator.stream.broker import EmbeddedKafka, java, probe
from orchestrator.stream.broker.jars import fetch

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.stream.broker.properties import Ports

TLS = Path(__file__).with_name("tls")
USER, PASSWORD = "orchestrator", "canary-kafka-password"
PROCESSES = ("worker", "delivery", "gateway")
"""Users with the same password, and with the rights that the guide for operators gives to these processes."""
PROTOCOLS = {"TLS": "SSL", "USERS": "SASL_SSL", "CLEAR": "SASL_PLAINTEXT"}
"""Listener -> its protocol: TLS asks for a client's certificate, the others for a user (SCRAM-SHA-512 or PLAIN)."""
_LOGIN = "org.apache.kafka.common.security"


class SecuredKafka(EmbeddedKafka):
    """The embedded broker with a listener of each protocol beside the plain one, which stays the broker's own."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.ports = {name: probe.free_port() for name in PROTOCOLS}

    def at(self, listener: str) -> str:
        return f"127.0.0.1:{self.ports[listener]}"

    def _write_properties(self, ports: Ports) -> Path:
        path = super()._write_properties(ports)
        keys = self.data_dir / "broker.pem"
        keys.write_text((TLS / "broker-key.pem").read_text() + (TLS / "broker.pem").read_text())
        with path.open("a") as file:
            file.writelines(f"{name}={value}\n" for name, value in self._secured(ports, keys).items())
        if self._cluster_id() is None:
            self._format(path)
        return path

    def _secured(self, ports: Ports, keys: Path) -> dict[str, str]:
        clients = {"CLIENT": f"127.0.0.1:{ports.client}", **{name: self.at(name) for name in PROTOCOLS}}
        where = ",".join(f"{name}://{address}" for name, address in clients.items())
        kinds = {"CLIENT": "PLAINTEXT", "CONTROLLER": "PLAINTEXT", **PROTOCOLS}
        said = {
            "listeners": f"{where},CONTROLLER://127.0.0.1:{ports.controller}",
            "advertised.listeners": where,
            "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in kinds.items()),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(keys),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(TLS / "ca.pem"),
            "listener.name.tls.ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS;User:CN=client",
        }
        for name in ("users", "clear"):
            prefix = f"listener.name.{name}"
            said[f"{prefix}.sasl.enabled.mechanisms"] = "SCRAM-SHA-512,PLAIN"
            said[f"{prefix}.scram-sha-512.sasl.jaas.config"] = f"{_LOGIN}.scram.ScramLoginModule required;"
            said[f"{prefix}.plain.sasl.jaas.config"] = (
                f'{_LOGIN}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
            )
        return said

    def _format(self, properties: Path) -> None:
        """As the broker's own first start does, with a user for SCRAM besides."""
        tool = java.command(
            java.executable(), fetch(lambda *_: None), 128, "kafka.tools.StorageTool", "format", "--config"
        )
        users = [f"SCRAM-SHA-512=[name={name},password={PASSWORD}]" for name in (USER, *PROCESSES)]
        asked = (word for user in users for word in ("--add-scram", user))
        more = (str(properties), "--cluster-id", "MkU3OEVBNTcwNTJENDM2Qk", *asked)
        subprocess.run([*tool, *more], check=True, capture_output=True, env=java.environment())  # noqa: S603


_TOPIC, _GROUP, _LITERAL, _PREFIXED, _ALLOW = 2, 3, 3, 4, 3
_RIGHTS = {"READ": 3, "WRITE": 4, "DESCRIBE": 8, "DESCRIBE_CONFIGS": 10}


def documented_rights() -> Iterator[tuple[str, int, str, str]]:
    """User, kind of resource, its name and the right, as the guide for operators tells its readers to grant them."""
    guide = (Path(__file__).parents[2] / "docs" / "guide" / "operators.md").read_text("utf-8")
    for user in PROCESSES:
        (row,) = re.findall(rf"^\| {user} \| (`.*) \|$", guide, re.MULTILINE)
        read, write, group = (re.findall(r"`([\w.*-]+)`", cell) for cell in row.split(" | "))
        yield from ((user, _TOPIC, name, "READ") for name in read)
        yield from ((user, _TOPIC, name, "WRITE") for name in write)
        yield from ((user, _GROUP, name, "READ") for name in group)
        yield from ((user, _TOPIC, "*", right) for right in ("DESCRIBE", "DESCRIBE_CONFIGS"))


async def grant_documented_rights(bootstrap: str) -> None:
    """Grant them, by the listener where everybody may do everything."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for user, kind, name, right in documented_rights():
            prefixed = name.endswith(".*")
            pattern = _PREFIXED if prefixed else _LITERAL
            whom = (name.removesuffix("*") if prefixed else name, pattern, f"User:{user}", "*")
            answer = await admin._send_request(CreateAclsRequest(kind, *whom, _RIGHTS[right], _ALLOW))
            assert [code for code, _ in answer.creation_responses] == [0]
    finally:
        await admin.close()


@dataclass(frozen=True)
class SecuredCluster(Cluster):
    """A cluster that processes reach with these settings alone."""

    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        return super().environment() | {f"ORCHESTRATOR_KAFKA__{name}": value for name, value in self.settings.items()}
