"""One place makes the arguments of every client, shows no secret, and says which file of a certificate is at fault."""

from __future__ import annotations

import ast
import ssl
from pathlib import Path

import pytest

from orchestrator.stream.connection import Connection, tls_context, why_refused

PRODUCT = Path(__file__).parents[2] / "orchestrator"
TLS = Path(__file__).parents[1] / "e2e" / "tls"
CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient"}
OWN_BROKER = "stream/broker/probe.py"
"""Looks only at the embedded broker, by the listener that this broker has for us."""


def made_clients() -> dict[str, list[ast.Call]]:
    """Module -> where it makes a client of Kafka."""
    found: dict[str, list[ast.Call]] = {}
    for path in sorted(PRODUCT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CLIENTS:
                found.setdefault(path.relative_to(PRODUCT).as_posix(), []).append(node)
    return found


def test_every_client_in_the_product_takes_the_connection_whole() -> None:
    made = made_clients()
    assert len(made) >= 5
    for module, calls in made.items():
        for call in calls:
            spread = {ast.unparse(each.value) for each in call.keywords if each.arg is None}
            assert spread == {"connection"} or module == OWN_BROKER, f"{module}:{call.lineno}"


@pytest.mark.parametrize(
    ("security", "context", "names"),
    [
        ("PLAINTEXT", None, set()),
        ("SSL", tls_context(), {"ssl_context"}),
        ("SASL_PLAINTEXT", None, {"sasl_mechanism", "sasl_plain_username", "sasl_plain_password"}),
        (
            "SASL_SSL",
            tls_context(),
            {"ssl_context", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password"},
        ),
    ],
)
def test_faust_and_the_other_clients_get_the_same(
    security: str, context: ssl.SSLContext | None, names: set[str]
) -> None:
    from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth  # noqa: PLC0415  # slow to import

    connection = Connection("a:1,b:2", security, context=context, mechanism="SCRAM-SHA-512", username="u", password="p")
    others = {name: value for name, value in connection.items() if name != "bootstrap_servers"}
    assert set(others) == names | {"security_protocol"}
    faust = connection.faust()
    assert faust["broker"] == "kafka://a:1,kafka://b:2"
    told = credentials_to_aiokafka_auth(faust["broker_credentials"], None)
    assert {name: value for name, value in told.items() if value is not None} == others


def test_it_shows_no_secret() -> None:
    connection = Connection("a:1", "SASL_PLAINTEXT", username="u", password="canary")
    assert repr(connection) == str(connection) == "Connection('a:1', 'SASL_PLAINTEXT')"
    assert "canary" not in repr([connection.faust()])


def test_names_and_certificates_of_brokers_are_always_checked() -> None:
    for context in (tls_context(), tls_context(TLS / "ca.pem"), Connection("a:1", "SSL")["ssl_context"]):
        assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)


@pytest.mark.parametrize(
    ("ca", "certificate", "key", "password", "told"),
    [
        ("none.pem", None, None, None, "kafka.ca: {0}/none.pem holds no certificates that can be read (No such file"),
        ("client-key.pem", None, None, None, "kafka.ca: {0}/client-key.pem holds no certificates that can be read"),
        (
            "ca.pem",
            "client.pem",
            "broker-key.pem",
            None,
            "kafka.certificate and kafka.key: {0}/client.pem and {0}/brok",
        ),
        (
            "ca.pem",
            "client.pem",
            None,
            None,
            "kafka.certificate and kafka.key: {0}/client.pem and the key in it cannot",
        ),
        ("ca.pem", "client.pem", "client-key-encrypted.pem", None, "kafka.certificate and kafka.key: {0}/client.pem"),
        (
            "ca.pem",
            "client.pem",
            "client-key-encrypted.pem",
            "wrong",
            "kafka.certificate and kafka.key: {0}/client.pem",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told_with_its_setting(
    ca: str, certificate: str | None, key: str | None, password: str | None, told: str
) -> None:
    ours = [TLS / each if each else None for each in (certificate, key)]
    with pytest.raises(ValueError, match=r"^kafka\.") as caught:
        tls_context(TLS / ca, ours[0], ours[1], password)
    assert str(caught.value).startswith(told.format(TLS))


def test_an_encrypted_key_is_opened_by_its_password() -> None:
    tls_context(TLS / "ca.pem", TLS / "client.pem", TLS / "client-key-encrypted.pem", "open-sesame")


async def test_who_does_not_answer_is_told_with_the_first_address() -> None:
    told = await why_refused(Connection("127.0.0.1:1,127.0.0.1:2"))
    assert told is not None
    assert told.startswith("127.0.0.1:1 does not answer (Connection refused): start one with `orchestrator kafka`")
