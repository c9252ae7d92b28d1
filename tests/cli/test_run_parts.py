"""What `orchestrator run` hands to the processes that it starts."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from orchestrator.cli.errors import UserError
from orchestrator.cli.run import Processes, own_link_key
from orchestrator.cli.sources import load_settings

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
