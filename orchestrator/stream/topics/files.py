"""Finds and reads topic files. Every fault of every file is reported at once, with the file and the place in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml
from pydantic import ValidationError

from orchestrator.stream.topics.declaration import TopicDeclaration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGED: Final = Path(__file__).with_name("declared")
_MAX_BYTES: Final = 1_000_000


class DeclarationError(Exception):
    """Topic files that cannot be used; one line per fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


class _Loader(yaml.CSafeLoader):
    """YAML without repeated keys: what is written counts, once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if (key := self.construct_object(key_node, deep=True)) in seen:
                raise yaml.MarkedYAMLError(problem=f"{key!r} is given twice", problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def declarations_dir(chosen: Path | None = None) -> Path:
    """The folder of topic files: the chosen one, else `topics/` where we run, else the package's own."""
    if chosen is not None:
        return chosen
    here = Path("topics")
    return here if here.is_dir() else PACKAGED


def load_declarations(folder: Path | None = None) -> tuple[TopicDeclaration, ...]:
    """The topics that the files of a folder declare, by name.

    Args:
        folder: where they lie; see `declarations_dir` for what counts unless given.

    Raises:
        DeclarationError: there is no file, or some cannot be used.
    """
    place = declarations_dir(folder)
    paths = sorted(place.glob("*.yaml"))
    if not paths:
        raise DeclarationError([f"{place}: there are no topic files (*.yaml); name their folder with topics_dir"])
    faults: list[str] = []
    found: list[TopicDeclaration] = []
    for path in paths:
        try:
            found.append(read_declaration(path))
        except DeclarationError as error:
            faults += error.faults
    if faults:
        raise DeclarationError(faults)
    return tuple(sorted(found, key=lambda declaration: declaration.topic))


def read_declaration(path: Path) -> TopicDeclaration:
    """The topic that one file declares.

    Raises:
        DeclarationError: it cannot be read, is no YAML, or says something that no topic has.
    """
    values = _parsed(path)
    try:
        declaration = TopicDeclaration.model_validate(values)
    except ValidationError as error:
        raise DeclarationError(f"{path}: {_fault(dict(each))}" for each in error.errors()) from error
    if declaration.topic != path.stem:
        raise DeclarationError([f"{path}: topic is {declaration.topic}; call the file {declaration.topic}.yaml"])
    return declaration


def event_schemas(declarations: Iterable[TopicDeclaration]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Channel -> event type -> JSON Schema of the event's data, for the topics of channels among them."""
    return {each.channel: dict(each.events) for each in declarations if each.channel is not None}


def _parsed(path: Path) -> Any:
    try:
        content = path.read_bytes()
        if len(content) > _MAX_BYTES:
            raise DeclarationError([f"{path}: is larger than {_MAX_BYTES // 1_000_000} MB"])
        return yaml.load(content, _Loader)  # noqa: S506  # a safe loader, made stricter
    except OSError as error:
        raise DeclarationError([f"{path}: cannot be read: {error.strerror}"]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise DeclarationError([f"{path}{place}: {error.problem}"]) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise DeclarationError([f"{path}: is no YAML: {type(error).__name__}"]) from error


def _fault(error: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in error["loc"] if part not in {"constrained-int", "literal['inputs']", "int"})
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"no topic has this field; it may have {', '.join(TopicDeclaration.model_fields)}"
    elif error["type"] == "missing":
        message = "is missing"
    return f"{place}: {message}" if place else message
