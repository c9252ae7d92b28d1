"""`orchestrator settings` says what would be regretted in production, and no more once it is put right."""

from __future__ import annotations

import re
from typing import Any

import pytest

from orchestrator.cli.concerns import concerns
from orchestrator.cli.sources import load_settings

KEY = "ab" * 32
FIT = {
    "KAFKA__BOOTSTRAP": "kafka-1:9093,kafka-2:9093",
    "KAFKA__SECURITY": "SASL_SSL",
    "KAFKA__USERNAME": "u",
    "KAFKA__PASSWORD": "canary",
    "KAFKA__REPLICATION": "3",
    "LINKS__KEY": KEY,
    "WORKER__ASK_KEY": "canary-of-24-characters-or-more",
    "GATEWAY__KEYS__SHOP__KEY": "canary-of-24-characters-or-more",
    "DELIVERY__SITE_URL": "https://shop.example",
    "DELIVERY__SMTP__HOST": "smtp.shop.example",
}


def said(without: str = "", **other: Any) -> list[str]:
    given = {name: value for name, value in {**FIT, **other}.items() if name not in without.split()}
    settings = load_settings(environment={f"ORCHESTRATOR_{name}": value for name, value in given.items()})
    return list(concerns(settings))


def test_what_is_fit_for_production_raises_no_concern() -> None:
    assert said() == []


@pytest.mark.parametrize(
    ("without", "other", "about"),
    [
        ("KAFKA__SECURITY KAFKA__USERNAME KAFKA__PASSWORD", {}, "kafka.security is PLAINTEXT: whoever reaches"),
        ("", {"KAFKA__SECURITY": "SASL_PLAINTEXT"}, "kafka.security is SASL_PLAINTEXT: the password and all records"),
        (
            "",
            {"KAFKA__SECURITY": "SASL_PLAINTEXT", "KAFKA__MECHANISM": "SCRAM-SHA-512"},
            "kafka.security is SASL_PLAINTEXT: all records",
        ),
        ("KAFKA__REPLICATION", {}, "kafka.replication is 1"),
        ("", {"KAFKA__CREATE_TOPICS": "true"}, "kafka.create_topics is on"),
        ("LINKS__KEY", {}, "links.key is not set"),
        ("WORKER__ASK_KEY", {}, "worker.ask_key is not set"),
        ("GATEWAY__KEYS__SHOP__KEY", {}, "gateway.keys is empty"),
        ("DELIVERY__SITE_URL", {}, "delivery.site_url is not set"),
        ("", {"DELIVERY__SMTP__TLS": "if_offered"}, "delivery.smtp.tls is if_offered"),
        (
            "",
            {"DELIVERY__WEBHOOKS__SMS__URL": "http://sms.example/send", "DELIVERY__WEBHOOKS__SMS__SECRET": "s"},
            "delivery.webhooks.sms.url is http",
        ),
    ],
)
def test_each_concern_names_its_setting_and_stands_alone(without: str, other: dict[str, str], about: str) -> None:
    (line,) = said(without, **other)
    assert line.startswith(about)
    assert re.search(r"[:;] ", line)
    assert "canary" not in line


@pytest.mark.parametrize("bootstrap", ["127.0.0.1:9092", "localhost:9092,[::1]:9093"])
def test_a_kafka_on_this_machine_may_be_plain(bootstrap: str) -> None:
    plain = "KAFKA__SECURITY KAFKA__USERNAME KAFKA__PASSWORD KAFKA__REPLICATION"
    assert said(plain, KAFKA__BOOTSTRAP=bootstrap) == []
