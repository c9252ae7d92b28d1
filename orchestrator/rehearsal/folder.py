"""A bundle's folder on disk: which files belong to it, and where a file or a folder inside it belongs to."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from orchestrator.language.bundle import Bundle, EventSchemas, LoadResult, load_bundle
from orchestrator.language.source import Position
from orchestrator.stream.topics import load_declarations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.source import Diagnostic

_YAML: Final = frozenset({".yaml", ".yml"})
_HIGHEST: Final = 5
_SKIPPED: Final = frozenset({"__pycache__"})
_BUNDLE: Final = re.compile(rb"^(?:\xef\xbb\xbf)?[\"']?bundle[\"']?\s*:", re.MULTILINE)
"""The document's first line, also behind the mark with which Windows begins a file in UTF-8."""


class FolderError(Exception):
    """A path holds no bundle."""


class Loaded(NamedTuple):
    """A bundle read from a folder.

    Attributes:
        root: the bundle's folder.
        part: the file or folder inside it that was asked for, relative to `root`; "" for all of it.
        files: relative path -> bytes.
        result: the bundle, or what is wrong with it.
    """

    root: Path
    part: str
    files: dict[str, bytes]
    result: LoadResult


def load_folder(path: Path, topics_dir: Path | None = None, previous: Bundle | None = None) -> Loaded:
    """Read the bundle that a path belongs to.

    Args:
        path: the bundle's folder, or a file or folder inside it.
        topics_dir: the folder of topic files; see `declarations_dir`.
        previous: the bundle that is live, for the checks of versions.

    Raises:
        FolderError: there is nothing to read at the path.
        DeclarationError: the topic files have faults.
    """
    if not path.exists():
        raise FolderError(f"{path}: there is no such file or folder")
    root = root_of(path)
    files = read_files(root)
    if not any(name.endswith((".yaml", ".yml")) for name in files):
        raise FolderError(f"{root}: there is no YAML file in it; name the folder of your scenarios")
    inside = path.resolve().relative_to(root.resolve()).as_posix()
    if path.is_dir() and inside != "." and not any(name.startswith(f"{inside}/") for name in files):
        raise FolderError(f"{path}: there is no file in it")
    return Loaded(root, "" if inside == "." else inside, files, load_bundle(files, schemas(topics_dir), previous))


def schemas(topics_dir: Path | None = None) -> EventSchemas:
    """What the topic files say of events."""
    return EventSchemas.from_topics([declared.model_dump() for declared in load_declarations(topics_dir)])


def root_of(path: Path) -> Path:
    """The folder of the bundle that a path belongs to: the one with the document `bundle`, from here upwards.

    The document may stand in a folder beside the path's own (`scenarios/house/bundle.yaml` for `scenarios/cart`), but
    not beside the top of a repository. Where no folder has one, a folder is its own bundle, a file belongs to its
    folder.
    """
    start = path if path.is_dir() else path.parent
    if _declares_bundle(start.rglob("*")):
        return start
    for folder in start.resolve().parents[:_HIGHEST]:
        if folder == folder.parent:
            break
        top = (folder / ".git").exists()
        if _declares_bundle(folder.iterdir()) or (not top and _declares_bundle(folder.glob("*/*"))):
            return _as_written(folder)
        if top:
            break
    return start


def _as_written(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _declares_bundle(paths: Iterator[Path]) -> bool:
    return any(path.suffix in _YAML and path.is_file() and _BUNDLE.search(path.read_bytes()) for path in paths)


def read_files(root: Path) -> dict[str, bytes]:
    """All files of a bundle's folder, by path relative to it; hidden ones are left out."""
    found = {}
    for path in sorted(root.rglob("*")):
        inside = path.relative_to(root)
        if path.is_file() and not any(part in _SKIPPED or part.startswith(".") for part in inside.parts):
            found[inside.as_posix()] = path.read_bytes()
    return found


def from_here(loaded: Loaded) -> tuple[tuple[Diagnostic, ...], dict[str, list[str]]]:
    """What was found, and the lines of all files, with paths that can be opened from where we run."""
    root = loaded.root
    if root == Path():
        return loaded.result.diagnostics, dict(loaded.result.lines)

    def placed(at: Position) -> Position:
        return Position((root / at.file).as_posix(), at.line, at.column) if at.file else at

    found = tuple(
        msgspec.structs.replace(one, position=placed(one.position), other=placed(one.other) if one.other else None)
        for one in loaded.result.diagnostics
    )
    return found, {(root / file).as_posix(): list(lines) for file, lines in loaded.result.lines.items()}
