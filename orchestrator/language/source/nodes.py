from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from orchestrator.language.source.position import Position  # noqa: TC001 - msgspec reads the annotations


class Scalar(msgspec.Struct, gc=False):
    """A text, number, boolean or null as it stands in the file.

    Attributes:
        text: The characters after YAML's own unquoting and folding.
        plain: False when it was quoted or a block: then it is text whatever it looks like.
        at: First character, of the opening quote when there is one.
        length: Characters on its first line, for underlining.
        block: True for `|` and `>` texts.
        inset: How many characters after `at` the text begins (1 behind a quote); positions inside the
            text are exact when `exact` is true.
        exact: The text stands on one line without escapes, so offset n of the text is column + inset + n.
    """

    text: str
    plain: bool
    at: Position
    length: int
    block: bool = False
    inset: int = 0
    exact: bool = True


@dataclass(slots=True)
class Sequence:
    """A list."""

    at: Position
    length: int = 1
    items: list[Node] = field(default_factory=list)
    flow: bool = False


@dataclass(slots=True)
class Mapping:
    """Keys with values, in file order."""

    at: Position
    length: int = 1
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    flow: bool = False

    def get(self, name: str) -> Node | None:
        for key, value in self.entries:
            if key.text == name:
                return value
        return None


Node: TypeAlias = Scalar | Sequence | Mapping


@dataclass(slots=True)
class Document:
    """One YAML document of a file.

    Attributes:
        file: Path of the file.
        root: Its node.
        span: First and last line, 1-based.
    """

    file: str
    root: Node
    span: tuple[int, int]
