"""What `orchestrator run` hands to the processes that it starts."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.cli.errors import UserError
from orchestrator.cli.parts import Processes, own_link_key
from orchestrator.cli.run import answers_well, ready_pages, usual_port
from orchestrator.cli.sources import load_settings
from orchestrator.telemetry.recorder import Recorder
from orchestrator.telemetry.server import Health, MetricsServer

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_key_for_links_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = own_link_key(tmp_path / "var")
    first = path.read_text("utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert own_link_key(tmp_path / "var").read_text("utf-8") == first
    assert len(bytes.fromhex(first)) == 32


def test_a_folder_that_cannot_hold_the_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file")
    with pytest.raises(UserError, match=r"cannot keep a key for links in .*var: .*choose another data_dir"):
        own_link_key(tmp_path / "var")


def test_the_parts_sign_links_with_that_key_where_none_is_set(tmp_path: Path) -> None:
    settings = load_settings(None, {"data_dir": tmp_path}, {})
    handed = Processes(settings).environment
    assert load_settings(None, None, handed).links.key is not None
    assert load_settings(None, None, handed).data_dir == tmp_path


def test_the_parts_have_the_settings_file_of_the_command_but_its_options_first(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text(
        f"data_dir: {tmp_path / 'file'}\ngateway: {{port: 7001}}\nlinks: {{key_file: {tmp_path / 'key'}}}\n"
    )
    (tmp_path / "key").write_text("ab" * 32)
    settings = load_settings(file, {"kafka.bootstrap": "option:1"}, {})
    handed = load_settings(None, None, Processes(settings, file).environment)
    assert (handed.kafka.bootstrap, handed.gateway.port) == ("option:1", 7001)
    assert not (tmp_path / "own" / "links.key").exists()


def test_of_a_part_that_ends_it_is_told_how_and_what_it_said_last(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = Processes(load_settings(None, {"data_dir": tmp_path}, {}))
    parts.start("worker 1", "--version")
    ended = within(30, parts.ended)
    parts.stop()
    assert re.fullmatch(r"worker 1 has ended with exit status 0; its last lines were:\n  orchestrator [0-9.]+", ended)
    assert parts.exit_status == 1
    assert capfd.readouterr().err.startswith("worker 1 | orchestrator ")


def test_a_part_that_cannot_start_as_it_is_set_up_gives_its_exit_status_on(tmp_path: Path) -> None:
    parts = Processes(load_settings(None, {"data_dir": tmp_path}, {}))
    parts.start("gateway", "gateway", "--bootstrap", "127.0.0.1:1")
    ended = within(60, parts.ended)
    assert "error: cannot use Kafka: 127.0.0.1:1 does not answer" in ended.splitlines()[-1]
    assert parts.exit_status == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nobody is told when a parent is gone")
def test_parts_end_with_who_started_them_also_when_that_is_killed(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        environment = {**os.environ, "ORCHESTRATOR_KAFKA__BOOTSTRAP": f"127.0.0.1:{silent.getsockname()[1]}"}
        program = (
            "import os, sys; from orchestrator.cli.parts import Part; "
            "part = Part('worker 1', ('worker',), dict(os.environ), 'text'); "
            "print(part.pid, flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(  # noqa: S603 - our own text
            [sys.executable, "-c", program], env=environment, cwd=tmp_path,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as parent:  # fmt: skip
            assert parent.stdout is not None
            part = int(parent.stdout.readline())
            assert runs(part)
            parent.kill()
            within(30, lambda: not runs(part))


def runs(process: int) -> bool:
    """Whether a process is there and not only waits to be reaped."""
    try:
        return Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def within(seconds: float, what: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return answer


def test_it_asks_every_part_that_has_a_port_of_its_own_whether_it_is_ready() -> None:
    assert ready_pages(load_settings(None, {}, {})) == [("127.0.0.1", 9101), ("127.0.0.1", 9102), ("127.0.0.1", 8080)]
    chosen = {"worker.metrics_port": 0, "gateway.port": 7001, "gateway.host": "0.0.0.0"}  # noqa: S104 - not listened on
    assert ready_pages(load_settings(None, chosen, {})) == [("127.0.0.1", 9102), ("127.0.0.1", 7001)]


def test_a_part_is_ready_when_it_says_so_and_not_while_it_starts_or_is_not_there() -> None:
    parts, health = {"group": False}, Health()
    server = MetricsServer(Recorder(), 0, "127.0.0.1", health)
    place = ("127.0.0.1", server.port)
    try:
        assert not answers_well(place)
        health.watch(lambda: parts)
        assert not answers_well(place)
        parts["group"] = True
        assert answers_well(place)
    finally:
        server.close()
    assert not answers_well(place)


def test_the_kafka_of_a_desk_listens_where_other_commands_look_for_it_unless_that_is_taken() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        assert usual_port(place) is None
    assert usual_port(place) == int(place.rpartition(":")[2])
    assert usual_port("kafka-1:9092") is None
    assert usual_port("127.0.0.1:9092,127.0.0.1:9093") is None
    assert usual_port("127.0.0.1") is None
