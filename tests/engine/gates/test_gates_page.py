"""The reference page names the gates as they stand."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.engine.gates.chain import GATES
from orchestrator.model import reason

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "language" / "sending.md"


def rows() -> list[tuple[str, str]]:
    """Name and reasons of each gate, as the page tells them."""
    found = re.findall(r"^\| (\w+) \| .* \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    return [row for row in found if row[0] != "gate"]


def test_the_page_tells_every_gate_in_its_order() -> None:
    assert [name for name, _ in rows()] == [gate.judge.__name__ for gate in GATES]


def test_the_reasons_of_the_page_are_reasons() -> None:
    known = {value for name, value in vars(reason).items() if name.isupper()}
    told = {name for _, reasons in rows() for name in re.findall(r"`(\w+)`", reasons)}
    assert told <= known
    assert len(told) >= len(GATES) - 1
