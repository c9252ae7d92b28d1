"""A bundle names its own files and no others: not by `..`, not from the root of the disk, not under another name.

Bundles are published, and every worker and delivery reads them: a path that left the bundle would publish a secret, or
read one where it runs.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import pytest

from orchestrator.rehearsal.folder import Loaded, load_folder

if TYPE_CHECKING:
    from pathlib import Path

CANARY = "canary-4711"


class Place(NamedTuple):
    """A folder with a bundle in it, and a file beside it that is nobody's business."""

    bundle: Path
    secret: Path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    bundle, secret = tmp_path / "bundle", tmp_path / "secret.csv"
    bundle.mkdir()
    secret.write_text(f"key,value\n{CANARY},1\n", "utf-8")
    (bundle / "bundle.yaml").write_text("bundle: house\n", "utf-8")
    return Place(bundle, secret)


def ways_out(place: Place) -> list[str]:
    """What a file's name may read that would lead to the secret, if names were opened."""
    absolute = place.secret.as_posix()
    return [
        "../secret.csv",
        "./../secret.csv",
        "sub/../../secret.csv",
        absolute,
        f"file://{absolute}",
        f"/proc/self/root{absolute}",
        "..\\secret.csv",
        "%2e%2e/secret.csv",
        os.path.relpath(place.secret),
    ]


def loaded(place: Place, text: str) -> Loaded:
    (place.bundle / "named.yaml").write_text(text, "utf-8")
    return load_folder(place.bundle)


@pytest.mark.parametrize("way", range(9))
@pytest.mark.parametrize(
    "document",
    [
        "facts: rows\nkey: event.key\nfile: '{path}'\n",
        "content: em.mail\nclass: service\nvariants: {{email: {{subject: hi, body_file: '{path}'}}}}\n",
        "content: lp.page\nclass: service\nvariants: {{web: {{file: '{path}'}}}}\n",
    ],
    ids=["facts", "a mail", "a slot"],
)
def test_a_name_that_leads_out_of_the_bundle_names_nothing(place: Place, document: str, way: int) -> None:
    found = loaded(place, document.format(path=ways_out(place)[way]))
    refused = [one for one in found.result.diagnostics if one.code.startswith("E-") and "file" in one.message]
    assert [one.position.file for one in refused] == ["named.yaml"]
    assert found.result.bundle is None
    assert CANARY not in repr(found.result.diagnostics)
    assert not any(CANARY.encode() in data for data in found.files.values())


def test_the_same_file_inside_the_bundle_is_read(place: Place) -> None:
    (place.bundle / "own.csv").write_bytes(place.secret.read_bytes())
    found = loaded(place, "facts: rows\nkey: event.key\nfile: own.csv\n")
    assert not [one for one in found.result.diagnostics if one.code.startswith("E-")]
    assert CANARY.encode() in found.files["own.csv"]


@pytest.mark.parametrize("hidden", [".env", ".git/config", "__pycache__/x.yaml", "sub/.secret.yaml"])
def test_hidden_files_are_not_part_of_it(place: Place, hidden: str) -> None:
    path = place.bundle / hidden
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"password: {CANARY}\n", "utf-8")
    assert set(load_folder(place.bundle).files) == {"bundle.yaml"}
