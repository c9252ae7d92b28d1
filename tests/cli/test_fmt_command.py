"""`orchestrator fmt` as a marketer and a build meet it."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, NamedTuple, Protocol

import pytest

from orchestrator.cli import main

if TYPE_CHECKING:
    from pathlib import Path

UNTIDY = "scenario:  hello # why\nsteps:\n- {send: {content: em.hello},id: mail}\nentry: {on: page_viewed}\n"
TIDY = "scenario: hello  # why\nentry: {on: page_viewed}\nsteps:\n  - {id: mail, send: {content: em.hello}}\n"


class Told(NamedTuple):
    code: int
    out: str
    err: str


class Fmt(Protocol):
    def __call__(self, *arguments: object) -> Told: ...


@pytest.fixture
def fmt(capsys: pytest.CaptureFixture[str]) -> Fmt:
    def run(*arguments: object) -> Told:
        with pytest.raises(SystemExit) as ended:
            main.app(["fmt", *(str(argument) for argument in arguments)])
        shown = capsys.readouterr()
        return Told(int(ended.value.code or 0), shown.out, shown.err)

    return run


@pytest.fixture
def untidy(tmp_path: Path) -> Path:
    (tmp_path / "web").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "tidy.yaml").write_text(TIDY)
    (tmp_path / ".git" / "hidden.yaml").write_text(UNTIDY)
    (tmp_path / "mail.liquid").write_text("a:   1")
    path = tmp_path / "web" / "hello.yaml"
    path.write_text(UNTIDY)
    return path


def test_files_of_a_folder_are_written_anew_and_named(fmt: Fmt, untidy: Path, tmp_path: Path) -> None:
    assert fmt(tmp_path) == (0, f"formatted {untidy}\n", "")
    assert untidy.read_text() == TIDY
    assert (tmp_path / ".git" / "hidden.yaml").read_text() == UNTIDY
    assert fmt(tmp_path) == (0, "", "")


def test_check_names_the_files_and_changes_nothing(fmt: Fmt, untidy: Path, tmp_path: Path) -> None:
    assert fmt("--check", tmp_path) == (1, f"{untidy}\n", "1 file would be formatted anew\n")
    assert untidy.read_text() == UNTIDY
    assert fmt("--check", tmp_path / "tidy.yaml") == (0, "", "")


def test_diff_shows_what_would_change(fmt: Fmt, untidy: Path) -> None:
    told = fmt("--diff", untidy)
    assert told.code == 1
    assert "-scenario:  hello # why\n" in told.out
    assert "+scenario: hello  # why\n" in told.out
    assert untidy.read_text() == UNTIDY


@pytest.mark.parametrize(("options", "code", "out"), [((), 0, TIDY), (("--check",), 1, "<stdin>\n")])
def test_a_dash_reads_standard_input(
    fmt: Fmt, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], code: int, out: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UNTIDY.encode())))
    told = fmt(*options, "-")
    assert (told.code, told.out) == (code, out)


def test_a_file_that_is_no_yaml_is_left_and_the_others_are_formatted(fmt: Fmt, untidy: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("scenario: a\nscenario: b\n")
    told = fmt(tmp_path)
    assert (told.code, told.out) == (2, f"formatted {untidy}\n")
    assert f"{broken}:2:1 E-YAML the key `scenario` stands here twice" in told.err
    assert told.err.endswith("1 file refused\n")
    assert broken.read_text() == "scenario: a\nscenario: b\n"


def test_a_path_that_is_not_there_is_an_error(fmt: Fmt, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = fmt(tmp_path / "nowhere")
    assert told.code == 2
    assert "there is no such file or folder" in told.err
