"""Topics: what the files of `topics/` declare, and whether a cluster has it so."""

from orchestrator.stream.topics.cluster import TopicFault, TopicsError, apply, check
from orchestrator.stream.topics.declaration import TopicDeclaration
from orchestrator.stream.topics.files import (
    DeclarationError,
    declarations_dir,
    event_schemas,
    load_declarations,
    read_declaration,
)

__all__ = [
    "DeclarationError",
    "TopicDeclaration",
    "TopicFault",
    "TopicsError",
    "apply",
    "check",
    "declarations_dir",
    "event_schemas",
    "load_declarations",
    "read_declaration",
]
