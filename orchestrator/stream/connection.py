"""How every client reaches Kafka: addresses, protocol, certificates and credentials, made into arguments here alone."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

if TYPE_CHECKING:
    from pathlib import Path

TRIAL_SECONDS = 10.0


class Connection(Mapping[str, Any]):
    """What aiokafka's clients take to reach the cluster: `AIOKafkaProducer(**connection)`.

    A mapping that shows no secret, so that it may stand in what is printed or logged.

    Args:
        bootstrap: `HOST:PORT` of brokers, separated by commas.
        security: PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
        context: certificates, where the protocol has TLS; see `tls_context`.
        mechanism: of SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
        username: for SASL.
        password: for SASL.
    """

    def __init__(
        self,
        bootstrap: str,
        security: str = "PLAINTEXT",
        *,
        context: ssl.SSLContext | None = None,
        mechanism: str = "PLAIN",
        username: str = "",
        password: str = "",
    ) -> None:
        self.bootstrap = bootstrap
        self.security = security
        arguments: dict[str, Any] = {"bootstrap_servers": bootstrap, "security_protocol": security}
        if security.endswith("SSL"):
            arguments["ssl_context"] = context or ssl.create_default_context()
        if security.startswith("SASL"):
            arguments["sasl_mechanism"] = mechanism
            arguments["sasl_plain_username"] = username
            arguments["sasl_plain_password"] = password
        self._arguments = arguments

    def __getitem__(self, name: str) -> Any:
        return self._arguments[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arguments)

    def __len__(self) -> int:
        return len(self._arguments)

    def __repr__(self) -> str:
        return f"Connection({self.bootstrap!r}, {self.security!r})"

    def faust(self) -> dict[str, Any]:
        """The same for an application of Faust: its settings `broker` and `broker_credentials`."""
        from faust import SASLCredentials, SSLCredentials  # noqa: PLC0415  # most who connect do without Faust

        said = self._arguments
        credentials = None
        if self.security.startswith("SASL"):
            credentials = SASLCredentials(
                username=said["sasl_plain_username"],
                password=said["sasl_plain_password"],
                ssl_context=said.get("ssl_context"),
                mechanism=said["sasl_mechanism"],
            )
        elif self.security == "SSL":
            credentials = SSLCredentials(said["ssl_context"])
        brokers = ",".join(f"kafka://{each.strip()}" for each in self.bootstrap.split(","))
        return {"broker": brokers, "broker_credentials": credentials}


def tls_context(
    ca: Path | None = None, certificate: Path | None = None, key: Path | None = None, key_password: str | None = None
) -> ssl.SSLContext:
    """Whom to trust, and who we are. Brokers' certificates and names are always checked.

    Args:
        ca: certificates to trust instead of the system's (PEM).
        certificate: ours, with what signed it (PEM); None where the broker wants none.
        key: its private key (PEM); None where it stands in `certificate`.
        key_password: what the key is encrypted with; an encrypted key without one is refused, never asked for.

    Raises:
        ValueError: a file cannot be read or used; the message names the setting.
    """
    try:
        context = ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"kafka.ca: {ca} holds no certificates that can be read ({_words(error)})") from None
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, key, lambda: key_password or "")
        except (OSError, ssl.SSLError) as error:
            raise ValueError(
                f"kafka.certificate and kafka.key: {certificate} and {key or 'the key in it'} cannot be used "
                f"({_words(error)}): both must be PEM, belong together, and kafka.key_password must open the key"
            ) from None
    return context


async def why_refused(connection: Connection, seconds: float = TRIAL_SECONDS) -> str | None:
    """Why no broker of the list lets us in, with what to do about it; None where one does.

    A client tells no more than that it could not start: what the broker said it only logs.

    Args:
        connection: how we try.
        seconds: how long one broker may take.
    """
    said = None
    for host, port, _ in collect_hosts(connection.bootstrap, randomize=False):
        try:
            async with asyncio.timeout(seconds):
                await _enter(connection, host, port, seconds)
        except (KafkaError, OSError, TimeoutError) as error:
            said = said or f"{host}:{port} {_reason(error, connection)}"
        else:
            return None
    return said


async def _enter(connection: Connection, host: str, port: int, seconds: float) -> None:
    arguments = {name: value for name, value in connection.items() if name != "bootstrap_servers"}
    broker = await create_conn(host, port, request_timeout_ms=round(seconds * 1000), **arguments)
    try:
        await broker.send(MetadataRequest([]))
    finally:
        broker.close()


def _reason(error: BaseException, connection: Connection) -> str:
    if isinstance(error, SaslAuthenticationFailed | UnsupportedSaslMechanismError | IllegalSaslStateError):
        return _sasl_reason(error, connection)
    if isinstance(error, ssl.SSLError):
        return _tls_reason(error)
    if isinstance(error, KafkaConnectionError | EOFError | ConnectionResetError):
        tls = "ssl_context" in connection
        wanted = "it may want a certificate of ours (kafka.certificate, kafka.key), or " if tls else ""
        other = f"this listener may not be one for {connection.security} (kafka.security)"
        return f"breaks the connection off: {wanted}{other}"
    if isinstance(error, KafkaError):
        return f"refuses: {error}"
    return f"does not answer ({_words(error)}): start one with `orchestrator kafka`, or name one with --bootstrap"


def _sasl_reason(error: KafkaError, connection: Connection) -> str:
    user, mechanism = connection["sasl_plain_username"], connection["sasl_mechanism"]
    if isinstance(error, IllegalSaslStateError):
        return f"asks for no user: kafka.security is {connection.security}, but this listener has no SASL"
    if isinstance(error, UnsupportedSaslMechanismError):
        return f"does not take {mechanism}: set kafka.mechanism to what this listener offers"
    return (
        f"does not let user {user!r} in: the password is wrong, or there is no such user for {mechanism}; "
        "see kafka.username, kafka.password and kafka.mechanism"
    )


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"shows a certificate that is not trusted ({error.verify_message.rstrip('.')}): name who signed it with "
            "kafka.ca, and the broker as its certificate does"
        )
    return (
        f"refuses TLS ({_words(error)}): it may want a certificate of ours (kafka.certificate, kafka.key), or another"
    )


def _words(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    if isinstance(error, socket.gaierror):
        return "nobody knows this name"
    number = getattr(error, "errno", None)
    return os.strerror(number) if number and number > 0 else type(error).__name__
