"""What the project says of itself agrees with itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PROJECT = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[=<>;\[ ]", each)[0].lower() for each in requirements}


def locked(file: str) -> set[str]:
    return {line.split("==")[0].lower() for line in Path(file).read_text("utf-8").splitlines() if "==" in line}


def test_every_dependency_has_its_reason() -> None:
    text = Path("docs/dependencies.md").read_text("utf-8").lower()
    asked = names(PROJECT["dependencies"]).union(*map(names, PROJECT["optional-dependencies"].values()))
    assert {each for each in asked if f"`{each}`" not in text} == set()


def test_every_dependency_is_locked_for_running_and_for_development() -> None:
    assert names(PROJECT["dependencies"]) | names(PROJECT["optional-dependencies"]["demo"]) <= locked(
        "requirements/run.lock"
    )
    assert names(PROJECT["optional-dependencies"]["dev"]) <= locked("requirements/dev.lock")
    assert locked("requirements/run.lock") <= locked("requirements/dev.lock")
