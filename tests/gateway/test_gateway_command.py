"""`orchestrator gateway`: what is wrong is told in one line, with what to do."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI

from orchestrator.cli.errors import UserError
from orchestrator.cli.gateway import _options
from orchestrator.cli.sources import load_settings
from orchestrator.gateway.server import GatewayOptions, UnsafeAddressError, _uvicorn

COMMAND = Path(sys.executable).with_name("orchestrator")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [COMMAND, "gateway", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "gateway.example.com"])  # noqa: S104
def test_without_keys_it_listens_on_this_machine_only(host: str) -> None:
    with pytest.raises(UnsafeAddressError, match="this machine only"):
        GatewayOptions({}, (), 8, host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "127.9.9.9", "localhost"])
def test_loopback_needs_no_keys(host: str) -> None:
    assert GatewayOptions({}, (), 8, host=host).host == host


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"ORCHESTRATOR_GATEWAY__HOST": "0.0.0.0"}, "gateway.keys"),  # noqa: S104
        ({"ORCHESTRATOR_GATEWAY__KEYS__SHOP__KEY": "too-short-a-key"}, "'shop'"),
        (
            {"ORCHESTRATOR_GATEWAY__KEYS__SHOP__KEY": "k" * 24, "ORCHESTRATOR_GATEWAY__KEYS__SHOP__TENANT": "a/b"},
            "tenant",
        ),
        (
            {
                "ORCHESTRATOR_GATEWAY__KEYS__SHOP__KEY": "k" * 24,
                "ORCHESTRATOR_GATEWAY__KEYS__SHOP__CHANNELS": '["wep"]',
            },
            r"gateway\.keys\.shop\.channels: there is no channel 'wep'; there are app, ",
        ),
    ],
)
def test_settings_that_cannot_work_are_told_without_repeating_a_key(environment: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        _options(load_settings(environment=environment))
    assert "too-short" not in str(caught.value)
    assert "kkkk" not in str(caught.value)


def test_it_presents_the_current_key_of_the_workers() -> None:
    said = {"ORCHESTRATOR_WORKER__ASK_KEY": "n" * 24, "ORCHESTRATOR_WORKER__PREVIOUS_ASK_KEY": "o" * 24}
    assert _options(load_settings(environment=said)).ask_key == "n" * 24
    assert _options(load_settings(environment={})).ask_key == ""


def test_an_idle_connection_is_kept_for_longer_than_load_balancers_keep_theirs() -> None:
    assert _uvicorn(FastAPI()).timeout_keep_alive > 60


def test_no_broker_is_told_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        ended = run("--port", "0", "--bootstrap", f"127.0.0.1:{taken.getsockname()[1]}")
    assert ended.returncode == 2
    assert "orchestrator kafka" in ended.stderr.splitlines()[-1]


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = run("--port", str(taken.getsockname()[1]))
    assert ended.returncode == 2
    assert "--port" in ended.stderr.splitlines()[-1]
