"""Which bundle a file or a folder belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrator.rehearsal.folder import FolderError, load_folder, root_of

if TYPE_CHECKING:
    from pathlib import Path


def written(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("bundle: shop\n" if path.name == "bundle.yaml" else "segment: all\nwhere: 'true'\n")
    return root


def test_a_folder_beside_the_one_with_the_bundle_document_belongs_to_the_same_bundle(tmp_path: Path) -> None:
    root = written(tmp_path / "scenarios", "house/bundle.yaml", "cart/cart.yaml")
    assert root_of(root) == root
    assert root_of(root / "cart") == root
    assert root_of(root / "cart" / "cart.yaml") == root


def test_what_lies_deeper_than_the_bundle_document_belongs_to_it(tmp_path: Path) -> None:
    root = written(tmp_path / "scenarios", "bundle.yaml", "a/b/c.yaml")
    assert root_of(root / "a" / "b" / "c.yaml") == root


@pytest.mark.parametrize("first", [b"\xef\xbb\xbfbundle: shop\n", b'"bundle": shop\r\n'])
def test_a_bundle_document_is_found_whatever_an_editor_puts_around_its_first_word(tmp_path: Path, first: bytes) -> None:
    written(tmp_path, "other/bundle.yaml")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "bundle.yaml").write_bytes(first)
    assert root_of(tmp_path / "shop") == tmp_path / "shop"


def test_a_folder_without_a_file_is_not_said_to_be_without_problems(tmp_path: Path) -> None:
    written(tmp_path, "bundle.yaml", "cart/cart.yaml")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FolderError, match="empty: there is no file in it"):
        load_folder(tmp_path / "empty")


def test_a_folder_without_a_bundle_is_not_taken_for_a_part_of_another_in_the_same_repository(tmp_path: Path) -> None:
    written(tmp_path, "scenarios/bundle.yaml", "sketches/one.yaml")
    (tmp_path / ".git").mkdir()
    assert root_of(tmp_path / "sketches") == tmp_path / "sketches"
    assert root_of(tmp_path / "sketches" / "one.yaml") == tmp_path / "sketches"
