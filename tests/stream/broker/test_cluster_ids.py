"""Each embedded broker gets a cluster id of its own, whatever character that id begins with."""

import sys
from pathlib import Path

import pytest

from orchestrator.stream.broker import java

ECHO = """
import sys
given = [each for each in sys.argv if "cluster" in each or each == "-t"]
sys.exit(0 if given == ["--cluster-id=-8Yq0t6PRZS9Oc2mVhUeNA"] else f"{sys.argv}")
"""


def test_an_id_that_begins_with_a_dash_is_not_taken_for_an_option(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(java, "command", lambda *_given: [sys.executable, "-c", ECHO])
    java.format_storage("java", [], tmp_path / "server.properties", "-8Yq0t6PRZS9Oc2mVhUeNA")
