"""What stands in the settings and would be regretted in production: said when somebody looks, refused by nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.cli.settings import Settings


def concerns(settings: Settings) -> tuple[str, ...]:
    """One line each, with what to do; none where all is well."""
    return tuple(_of_kafka(settings)) + tuple(_of_keys(settings)) + tuple(_of_delivery(settings))


def _of_kafka(settings: Settings) -> Iterator[str]:
    kafka = settings.kafka
    if kafka.security == "SASL_PLAINTEXT":
        what = "the password and all records" if kafka.mechanism == "PLAIN" else "all records"
        yield f"kafka.security is SASL_PLAINTEXT: {what} cross the network readable; SASL_SSL hides them"
    elif kafka.security == "PLAINTEXT" and not _here(kafka.bootstrap):
        yield "kafka.security is PLAINTEXT: whoever reaches the brokers reads and writes all; SASL_SSL keeps them out"
    if kafka.replication < 2 and not _here(kafka.bootstrap):
        yield "kafka.replication is 1: topics that are created here are gone with one broker; 3 is usual"
    if kafka.create_topics:
        yield "kafka.create_topics is on: for development; `orchestrator topics apply` creates them once"


def _of_keys(settings: Settings) -> Iterator[str]:
    if not settings.links.keys():
        yield (
            "links.key is not set: links in messages cannot be signed and nobody can unsubscribe by one; "
            "openssl rand -hex 32 makes one, the same for delivery, gateway and worker"
        )
    if not settings.gateway.keys:
        yield "gateway.keys is empty: everybody on the gateway's machine may do everything, and nobody else anything"
    if settings.worker.ask_key is None:
        yield "worker.ask_key is not set: workers answer gateways on their own machine only"


def _of_delivery(settings: Settings) -> Iterator[str]:
    delivery = settings.delivery
    if not delivery.site_url and not delivery.unsubscribe_url:
        yield "delivery.site_url is not set: links like /offers/7 lead nowhere, marketing mail has no unsubscribe link"
    if delivery.smtp.tls in {"never", "if_offered"} and not _here(delivery.smtp.host):
        yield f"delivery.smtp.tls is {delivery.smtp.tls}: mails, and the password, may cross the network readable"
    for name, hook in delivery.webhooks.items():
        if hook.url.startswith("http://") and not _here(hook.url.removeprefix("http://")):
            yield f"delivery.webhooks.{name}.url is http: messages cross the network readable"


def _here(address: str) -> bool:
    """Whether all that `HOST:PORT, ...` names is this machine."""
    from orchestrator.stream.addresses import is_loopback  # noqa: PLC0415  # --help does without

    hosts = (each.strip().partition("/")[0].rpartition(":") for each in address.split(","))
    return all(is_loopback((host if colon else port).strip("[]")) for host, colon, port in hosts)
