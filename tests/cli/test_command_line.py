"""The `orchestrator` command as a person meets it: help, one-line errors, a broker, topics."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from orchestrator.cli import main

if TYPE_CHECKING:
    from orchestrator.stream.broker import EmbeddedKafka

COMMAND = [sys.executable, "-c", "from orchestrator.cli.main import app; app()"]


def environment(**variables: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    return {**clean, "COLUMNS": "100", **variables}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=60, env=environment(**variables)
    )


def test_help_names_every_command_and_what_it_does() -> None:
    told = run("--help")
    assert told.returncode == 0
    for name in ("kafka", "topics", "settings"):
        assert re.search(rf"^  {name} +[A-Z].{{20}}", told.stdout, re.MULTILINE)


@pytest.mark.parametrize("group", [(), ("topics",), ("identity",)])
def test_what_a_command_does_fits_a_terminal_of_80_columns(group: tuple[str, ...]) -> None:
    told = run(*group, "--help", COLUMNS="80").stdout.partition("Commands:")[2]
    assert len(told.splitlines()) > 2
    assert "..." not in told


def test_help_is_there_before_anything_heavy_is_imported() -> None:
    heavy = {"aiokafka", "faust", "pydantic", "rich.console", "yaml", "jgo", "fastapi"}
    program = "import sys, orchestrator.cli.main; print(*sys.modules)"
    loaded = subprocess.run(  # noqa: S603
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment()
    )
    assert heavy & set(loaded.stdout.split()) == set()


def test_help_costs_less_than_half_a_second_of_processor_time() -> None:
    before = os.times()
    assert run("--help").returncode == 0
    after = os.times()
    assert (after.children_user + after.children_system) - (before.children_user + before.children_system) < 0.5


def test_every_command_that_exists_is_registered_and_has_help() -> None:
    for name in main._COMMANDS:
        if Path("orchestrator/cli", f"{name}.py").exists():
            shown = "settings" if name == "show_settings" else name
            told = CliRunner().invoke(main.app, [shown, "--help"])
            assert told.exit_code == 0, told.output
            assert len(told.stdout.split("\n\n")[1].split()) > 4


def test_a_misspelt_command_is_told_the_right_one() -> None:
    told = run("kafk")
    assert told.returncode == 2
    assert "Did you mean 'kafka'?" in told.stderr


def one_line(told: subprocess.CompletedProcess[str]) -> str:
    assert told.returncode == 2, told
    (line,) = told.stderr.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


def test_no_kafka_is_one_line_that_says_how_to_get_one() -> None:
    assert one_line(run("topics", "check", "--bootstrap", "127.0.0.1:1")) == (
        "cannot use Kafka: 127.0.0.1:1 does not answer (Connection refused): start one with `orchestrator kafka`, or "
        "name one with --bootstrap"
    )


def test_a_name_that_nobody_knows_is_told_as_that() -> None:
    assert one_line(run("topics", "check", "--bootstrap", "kafka.invalid:9092")).startswith(
        "cannot use Kafka: kafka.invalid:9092 does not answer (nobody knows this name): "
    )


def test_a_port_that_is_none_is_refused_before_a_broker_is_started(tmp_path: Path) -> None:
    refused = run("kafka", "--port", "99999", "--data-dir", str(tmp_path / "kafka"))
    assert refused.returncode == 2
    assert "99999 is not in the range" in refused.stderr or "less than or equal to 65535" in refused.stderr
    assert not (tmp_path / "kafka").exists()


def test_a_wrong_setting_is_one_line_that_says_where_it_is_set() -> None:
    told = one_line(run("settings", ORCHESTRATOR_GATEWAY__PORT="nine"))
    assert told.startswith("gateway.port: must be a whole number")
    assert told.endswith("(set by ORCHESTRATOR_GATEWAY__PORT)")


def test_a_wrong_topic_file_is_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "actions.yaml").write_text("topic: [\n", "utf-8")
    assert one_line(run("topics", "check", "--topics-dir", str(tmp_path))).startswith(f"{tmp_path}/actions.yaml:2:1: ")


def test_settings_show_what_counts_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[kafka]\nbootstrap = "kafka:9092"\n', "utf-8")
    told = run("settings", "--config", str(tmp_path / "s.toml"), ORCHESTRATOR_DELIVERY__SMTP__PASSWORD="geheim")
    assert "bootstrap: kafka:9092" in told.stdout
    assert "password: (set, not shown)" in told.stdout
    assert "geheim" not in told.stdout + told.stderr


@pytest.mark.kafka
def test_the_embedded_kafka_is_not_taken_for_a_secured_one() -> None:
    user = {"ORCHESTRATOR_KAFKA__USERNAME": "u", "ORCHESTRATOR_KAFKA__PASSWORD": "canary"}
    assert one_line(run("run", ORCHESTRATOR_KAFKA__SECURITY="SASL_SSL", **user)) == (
        "kafka.security is SASL_SSL, and the embedded Kafka has none: name yours with --bootstrap"
    )


def test_a_worker_that_others_can_reach_wants_a_key() -> None:
    assert one_line(run("worker", ORCHESTRATOR_WORKER__BIND="0.0.0.0")) == (  # noqa: S104
        "without a key a worker answers questions of this machine only, not on 0.0.0.0: set worker.ask_key, the same "
        "for workers and gateways, or leave worker.bind at 127.0.0.1"
    )
    assert one_line(run("worker", ORCHESTRATOR_WORKER__ASK_KEY="canary")) == (
        "worker.ask_key: a key has 24 to 512 letters, digits or . _ ~ + / = -; make one with: openssl rand -hex 32 "
        "(set by ORCHESTRATOR_WORKER__ASK_KEY)"
    )


def test_topics_are_created_once_and_then_as_declared(kafka: EmbeddedKafka, tmp_path: Path, unique: Any) -> None:
    name = unique("kept")
    text = f"topic: {name}\nkey: k\npartitions: 2\ncleanup: compact\ndescription: d\n"
    (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    place = ("--topics-dir", str(tmp_path), "--bootstrap", kafka.bootstrap)

    missing = run("topics", "check", *place)
    assert (missing.returncode, missing.stderr.strip()) == (
        1,
        f"{name}: is not there; create it with: orchestrator topics apply",
    )
    created = run("topics", "apply", *place)
    assert (created.returncode, created.stdout.splitlines()) == (0, [f"created {name}", "1 topics are as declared"])
    again = run("topics", "apply", *place)
    assert again.stdout.splitlines() == ["1 topics are as declared"]


@pytest.mark.kafka
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_broker_runs_until_it_is_told_to_end(kafka: EmbeddedKafka, tmp_path: Path, how: signal.Signals) -> None:
    from orchestrator.stream.broker import probe  # noqa: PLC0415

    port = probe.free_port()
    with subprocess.Popen(  # noqa: S603
        [*COMMAND, "kafka", "--port", str(port), "--data-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as broker:
        assert broker.stdout is not None
        assert broker.stdout.readline().startswith(
            f"Apache Kafka is ready at 127.0.0.1:{port}; its data is in {tmp_path}"
        )
        assert probe.cluster_id(f"127.0.0.1:{port}") is not None
        started = time.monotonic()
        broker.send_signal(how)
        assert broker.stdout.read() == "Apache Kafka has ended.\n"
        assert broker.wait(30) == 0
    assert time.monotonic() - started < 30
    assert not probe.listens(port)
