"""What `orchestrator run` hands to the processes that it starts."""

from __future__ import annotations

import socket
import stat
from typing import TYPE_CHECKING

import pytest

from orchestrator.cli.errors import UserError
from orchestrator.cli.run import Processes, answers_well, own_link_key, ready_pages, usual_port
from orchestrator.cli.sources import load_settings
from orchestrator.telemetry.recorder import Recorder
from orchestrator.telemetry.server import Health, MetricsServer

if TYPE_CHECKING:
    from pathlib import Path


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
