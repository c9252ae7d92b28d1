"""An Apache Kafka that lets in only whom it knows: by certificate, or by user and password, over TLS or without."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from e2e_product import Cluster

from orchestrator.stream.broker import EmbeddedKafka, java, probe
from orchestrator.stream.broker.jars import fetch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.stream.broker.properties import Ports

TLS = Path(__file__).with_name("tls")
USER, PASSWORD = "orchestrator", "canary-kafka-password"
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
        user = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        more = (str(properties), "--cluster-id", "MkU3OEVBNTcwNTJENDM2Qk", "--add-scram", user)
        subprocess.run([*tool, *more], check=True, capture_output=True, env=java.environment())  # noqa: S603


@dataclass(frozen=True)
class SecuredCluster(Cluster):
    """A cluster that processes reach with these settings alone."""

    settings: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        return super().environment() | {f"ORCHESTRATOR_KAFKA__{name}": value for name, value in self.settings.items()}
