from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nodes import Scalar
from orchestrator.language.source.position import Position  # noqa: TC001 - msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from orchestrator.language.source.nodes import Node


class _Invalid:
    def __repr__(self) -> str:
        return "INVALID"


INVALID: Final[Any] = _Invalid()
"""What a type's `read` gives for a node it refused; the problem has been reported."""


class Reference(msgspec.Struct, frozen=True, gc=False):
    """A name in the bundle that must be declared somewhere: checked when all documents are known.

    Attributes:
        kind: What it names: "event", "content", "channel", "slot" ...
        name: As written.
        at: Where.
        length: Characters to underline.
    """

    kind: str
    name: str
    at: Position
    length: int


class Reader:
    """Collects what comes to light while nodes become values: problems and references."""

    def __init__(self, lines: Sequence[str] = ()) -> None:
        """Args: lines: The file's lines, for hints that write a line anew."""
        self.lines = lines
        self.diagnostics: list[Diagnostic] = []
        self.references: list[Reference] = []

    def report(self, code: str, message: str, node: Node, hint: str | None = None) -> None:
        self.diagnostics.append(diagnostic(code, message, node.at, length=node.length, hint=hint))

    def refer(self, kind: str, node: Scalar, name: str | None = None) -> None:
        self.references.append(Reference(kind, node.text if name is None else name, node.at, node.length))

    def wrong_type(self, wanted: str, node: Node, hint: str | None = None) -> Any:
        """Report E-TYPE and give INVALID."""
        self.report("E-TYPE", f"expected {wanted}, found {describe(node)}", node, hint)
        return INVALID


def describe(node: Node) -> str:
    """A node in words, for "expected ..., found ..."."""
    if isinstance(node, Scalar):
        if not node.text and node.plain:
            return "nothing"
        return f"`{node.text if len(node.text) <= 40 else node.text[:37] + '...'}`"
    return "a map" if hasattr(node, "entries") else "a list"
