"""Text of a bundle's files, with positions: YAML read strictly, and what is wrong with it as data."""

from orchestrator.language.source.diagnostic import Diagnostic, Severity
from orchestrator.language.source.nodes import Document, Mapping, Node, Scalar, Sequence
from orchestrator.language.source.position import Position
from orchestrator.language.source.yaml import read_documents

__all__ = [
    "Diagnostic",
    "Document",
    "Mapping",
    "Node",
    "Position",
    "Scalar",
    "Sequence",
    "Severity",
    "read_documents",
]
