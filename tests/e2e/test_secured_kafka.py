"""On a Kafka that asks who comes: every process gets in by one set of settings, and who does not is told why."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from e2e_books import opened
from e2e_product import Product, command, start_or_skip, until
from e2e_secured import (
    PASSWORD,
    PROCESSES,
    PROTOCOLS,
    TLS,
    USER,
    SecuredCluster,
    SecuredKafka,
    grant_documented_rights,
)
from e2e_sinks import listening

from orchestrator.stream.connection import Connection, tls_context, why_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from e2e_product import Process

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

ASK_KEY = "canary-of-workers-and-gateways"
CA = TLS / "ca.pem"
USER_SETTINGS = {"USERNAME": USER, "MECHANISM": "SCRAM-SHA-512"}


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """The broker, with the topics and the bundle, both brought there over TLS by a client's certificate."""
    folder = tmp_path_factory.mktemp("secured")
    broker = SecuredKafka(folder / "kafka")
    start_or_skip(broker)
    try:
        by_certificate = SecuredCluster(
            broker.at("TLS"), folder,
            settings={
                "SECURITY": "SSL", "CA": str(CA), "CERTIFICATE": str(TLS / "client.pem"),
                "KEY": str(TLS / "client-key-encrypted.pem"), "KEY_PASSWORD": "open-sesame",
            },
        )  # fmt: skip
        command(by_certificate, "topics", "apply")
        command(by_certificate, "publish", str(by_certificate.bundle))
        yield broker
    finally:
        broker.stop()


async def is_ready(process: Process) -> bool:
    """Whether a probe would call the process ready: its group knows it, and its partitions are recovered."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{process.ports['metrics']}", timeout=5) as http:
        try:
            answer = await http.get("/readyz")
        except httpx.TransportError:
            return False
    assert set(answer.json()["parts"]) <= {"group", "partitions"}
    return answer.status_code == httpx.codes.OK


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(f"{text}\n")
    return str(folder / name)


async def test_worker_delivery_and_gateway_work_with_a_user_over_tls_that_has_the_rights_of_the_guide_and_no_others(
    secured: SecuredKafka, tmp_path: Path, unique: Callable[[str], str]
) -> None:
    await grant_documented_rights(secured.bootstrap)
    by_user = {
        "SECURITY": "SASL_SSL", "CA": str(CA), "MECHANISM": "SCRAM-SHA-512",
        "PASSWORD_FILE": written(tmp_path, "password", PASSWORD),
    }  # fmt: skip
    own = {
        name: {
            "ORCHESTRATOR_KAFKA__USERNAME_FILE": written(tmp_path, f"{name}-user", name),
            "ORCHESTRATOR_WORKER__ASK_KEY_FILE": written(tmp_path, "ask-key", ASK_KEY),
        }
        for name in PROCESSES
    }
    product = Product(
        SecuredCluster(secured.at("USERS"), tmp_path, settings=by_user), tmp_path, unique("t"), secured.bootstrap
    )
    await product.open()
    try:
        async with listening() as sinks, opened(secured.bootstrap, "channel.email") as books:
            worker = await product.ready_worker(**own["worker"])
            for process in (worker, await product.deliverer(sinks, **own["delivery"])):
                await until(partial(is_ready, process), why=product.words)
            gateway = await product.gateway(**own["gateway"])
            amy = f"{product.run}@example.com"
            event = {"id": f"{product.run}-1", "source": "shop", "type": "faq_viewed", "channel": "web",
                     "data": {"email": amy, "phone": "+33612000000", "topic": "t"}}  # fmt: skip
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.ports['http']}", timeout=20) as http:
                taken = await http.post("/v1/events", json=event)
                assert taken.status_code == httpx.codes.ACCEPTED, taken.text
                known = await http.get(f"/v1/customers/email:{amy}/context", params={"deadline_ms": 10_000})
                assert known.raise_for_status().json()["person"]

            async def delivered() -> bool:
                found = [json.loads(each.value) for each in (await books.read()).of("channel.email")]
                return any(each["type"] == "delivered" and each["data"]["email"] == amy for each in found)

            await until(delivered, why=product.words)
        assert PASSWORD not in product.words()
        assert ASK_KEY not in product.words()
    finally:
        await product.close()
    assert [await process.ended() for process in product.processes] == [0, 0, 0], product.words()


async def test_each_protocol_lets_in_who_brings_what_it_asks_for(secured: SecuredKafka) -> None:
    tls, ours = tls_context(CA), tls_context(CA, TLS / "client.pem", TLS / "client-key.pem")
    user: dict[str, Any] = {"username": USER, "password": PASSWORD}
    for connection in (
        Connection(secured.bootstrap),
        Connection(secured.at("TLS"), "SSL", context=ours),
        Connection(secured.at("USERS"), "SASL_SSL", context=tls, mechanism="SCRAM-SHA-512", **user),
        Connection(secured.at("USERS"), "SASL_SSL", context=tls, mechanism="PLAIN", **user),
        Connection(secured.at("CLEAR"), "SASL_PLAINTEXT", mechanism="SCRAM-SHA-512", **user),
        Connection(f"127.0.0.1:1,{secured.bootstrap}"),
    ):
        assert await why_refused(connection) is None, connection


@pytest.mark.parametrize(
    ("listener", "settings", "told"),
    [
        pytest.param(
            "USERS", {"CA": CA, **USER_SETTINGS, "PASSWORD": "canary-wrong"},
            f"does not let user '{USER}' in: the password is wrong, or there is no such user for SCRAM-SHA-512; "
            "see kafka.username, kafka.password and kafka.mechanism",
            id="wrong password",
        ),
        pytest.param(
            "USERS", {"CA": CA, "USERNAME": "nobody", "PASSWORD": "canary-wrong", "MECHANISM": "PLAIN"},
            "does not let user 'nobody' in: the password is wrong, or there is no such user for PLAIN; "
            "see kafka.username, kafka.password and kafka.mechanism",
            id="no such user",
        ),
        pytest.param(
            "CLEAR", {**USER_SETTINGS, "PASSWORD": "canary-wrong", "MECHANISM": "SCRAM-SHA-256"},
            "does not take SCRAM-SHA-256: set kafka.mechanism to what this listener offers",
            id="another mechanism",
        ),
        pytest.param(
            "USERS", {"CA": TLS / "other-ca.pem", **USER_SETTINGS, "PASSWORD": "canary-wrong"},
            "shows a certificate that is not trusted (unable to get local issuer certificate): name who signed it with "
            "kafka.ca, and the broker as its certificate does",
            id="an authority that we do not trust",
        ),
        pytest.param(
            "TLS", {"CA": CA, "SECURITY": "SSL"},
            "it may want a certificate of ours (kafka.certificate, kafka.key), or",
            id="no certificate of ours",
        ),
        pytest.param(
            "TLS", {"SECURITY": "PLAINTEXT"},
            "breaks the connection off: this listener may not be one for PLAINTEXT (kafka.security)",
            id="no TLS where it is wanted",
        ),
        pytest.param(
            "CLEAR", {"SECURITY": "SSL", "CA": CA},
            "this listener may not be one for SSL (kafka.security)",
            id="TLS where there is none",
        ),
    ],
)  # fmt: skip
def test_who_is_not_let_in_is_told_why_in_one_line(
    secured: SecuredKafka, tmp_path: Path, listener: str, settings: dict[str, Any], told: str
) -> None:
    said = {"SECURITY": PROTOCOLS[listener], **{name: str(value) for name, value in settings.items()}}
    cluster = SecuredCluster(secured.at(listener), tmp_path, settings=said)
    done = command(cluster, "topics", "check", code=2)
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: cannot use Kafka: {secured.at(listener)} ")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "canary" not in done.stderr


@pytest.mark.parametrize("words", [("worker",), ("deliver",), ("gateway", "--port", "0"), ("publish",)])
def test_every_process_says_so_before_it_begins(secured: SecuredKafka, tmp_path: Path, words: tuple[str, ...]) -> None:
    said = {"SECURITY": "SASL_SSL", "CA": str(CA), **USER_SETTINGS, "PASSWORD": "canary-wrong"}
    cluster = SecuredCluster(secured.at("USERS"), tmp_path, settings=said)
    folder = (str(cluster.bundle),) if words == ("publish",) else ()
    done = command(cluster, *words, *folder, code=2)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"error: cannot use Kafka: {secured.at('USERS')} does not let user '{USER}' in")
    assert "canary" not in done.stdout + done.stderr
