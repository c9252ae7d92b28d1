"""What a worker leaves on the disk: one folder for all that ever ran there."""

import os
from pathlib import Path

import pytest

from orchestrator.cli.settings import Settings
from orchestrator.cli.worker import _parts


def test_workers_that_were_killed_leave_no_folder_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust keeps nothing in its folder, so all workers of a machine have the same one."""
    folders = set()
    for pid in (101, 102):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        folders.add(_parts(Settings(data_dir=tmp_path), []).data_dir)
    assert folders == {tmp_path / "worker"}
