"""A file of a bundle travels as one record: one that is too large is named before anything is started or sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from orchestrator.cli.bundles import LARGEST
from orchestrator.cli.errors import UserError
from orchestrator.cli.main import app
from orchestrator.stream.topics import load_declarations

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "bundle.yaml").write_text("bundle: shop\n---\nfacts: rows\nkey: event.sku\nfile: rows.csv\n", "utf-8")
    return tmp_path


def rows(folder: Path, size: int) -> None:
    """A CSV file of exactly so many bytes."""
    head, width = "sku,name\n", 100
    count, left = divmod(size - len(head), width)
    lines = [f"s{number:07},{'x' * (width - 10 + (left if number == 0 else 0))}\n" for number in range(count)]
    (folder / "rows.csv").write_text(head + "".join(lines), "utf-8")
    assert (folder / "rows.csv").stat().st_size == size


@pytest.mark.parametrize("words", [["lint"], ["publish"], ["publish", "--dry-run"], ["test"]], ids=" ".join)
def test_a_file_that_is_too_large_is_named_with_what_to_do(folder: Path, words: list[str]) -> None:
    rows(folder, LARGEST + 1)
    (folder / "poster.png").write_bytes(bytes(LARGEST + 2))
    told = CliRunner().invoke(app, [*words[:1], str(folder), *words[1:]])
    assert isinstance(told.exception, UserError)
    said = str(told.exception)
    assert f"poster.png ({LARGEST + 2:,} bytes) and rows.csv ({LARGEST + 1:,} bytes)" in said
    assert f"{LARGEST:,}" in said
    assert "split" in said


def test_one_that_is_as_large_as_may_be_is_checked_like_any_other(folder: Path) -> None:
    rows(folder, LARGEST)
    assert CliRunner().invoke(app, ["lint", str(folder)]).exit_code == 0


def test_it_leaves_the_broker_room_for_what_stands_around_it() -> None:
    (bundles,) = [each for each in load_declarations() if each.topic == "bundles"]
    assert bundles.max_message > LARGEST + 1_024
