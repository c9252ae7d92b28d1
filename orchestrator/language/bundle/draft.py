"""The documents of a bundle as read, before names and conditions are looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.source.nodes import Mapping as MappingNode
from orchestrator.language.source.yaml import lines_of, read_documents
from orchestrator.language.spec.documents import KINDS
from orchestrator.language.spec.fields import fields_by_name
from orchestrator.language.spec.reader import INVALID, Reader, Reference, describe
from orchestrator.language.spec.reading import read_element

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.source.nodes import Document
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.fields import Element

_YAML = (".yaml", ".yml")


@dataclass(slots=True)
class Draft:
    """One document as read.

    Attributes:
        kind: The word that begins it.
        name: Its name; "" when it is missing or bad.
        element: Its struct, conditions still pending.
        references: Names in it that must be declared somewhere.
        lines: The lines of its file.
        sound: No problem was found in it so far, so that checks of its meaning make sense.
        root: Its YAML.
    """

    kind: str
    name: str
    element: Any
    references: list[Reference]
    lines: list[str]
    sound: bool
    root: MappingNode

    @property
    def named_at(self) -> Position:
        element: Element = self.element
        return element.place(self.kind)


@dataclass(slots=True)
class Drafts:
    """All documents of a bundle, and the problems found in reading them.

    Attributes:
        documents: In order of file name, then of the file.
        diagnostics: What was wrong.
        lines: The lines of every text file, for excerpts.
        unread: Text that no document could be made of, and that may declare what others name.
    """

    documents: list[Draft] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    lines: dict[str, list[str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[Draft]:
        return [draft for draft in self.documents if draft.kind == kind]


def read_drafts(files: Mapping[str, bytes]) -> Drafts:
    """Read every YAML file of a bundle but those that hold rows of facts.

    Args:
        files: Relative path to bytes.
    """
    drafts = Drafts()
    roots: list[tuple[str, Document]] = []
    for path in sorted(files):
        if path.endswith(_YAML):
            documents, found = read_documents(path, files[path])
            drafts.diagnostics.extend(found)
            drafts.lines[path] = lines_of(files[path])
            if found:
                drafts.unread.append("\n".join(drafts.lines[path]))
            roots.extend((path, document) for document in documents)
    data_files = _data_files(roots)
    for path, document in roots:
        if path not in data_files:
            _read(document, drafts)
    return drafts


def _data_files(roots: list[tuple[str, Document]]) -> set[str]:
    """Files that a `facts` document takes its rows from."""
    found: set[str] = set()
    for path, document in roots:
        root = document.root
        if isinstance(root, MappingNode) and root.entries and root.entries[0][0].text == "facts":
            file = root.get("file")
            if file is not None and hasattr(file, "text"):
                found.update((beside(path, file.text), file.text))
    return found


def beside(path: str, name: str) -> str:
    """The path of a file named in a document: beside the document's own file."""
    folder, slash, _ = path.rpartition("/")
    return f"{folder}{slash}{name}"


def _read(document: Document, drafts: Drafts) -> None:
    lines = drafts.lines[document.file]
    reader = Reader(lines)
    root = document.root
    kind = _kind(root, reader)
    if isinstance(root, MappingNode) and root.entries:
        root = _first_document(root, kind, reader, drafts)
    element = read_element(KINDS[kind], root, reader) if kind else INVALID
    drafts.diagnostics.extend(reader.diagnostics)
    if element is INVALID or not isinstance(root, MappingNode):
        return
    name = getattr(element, kind)
    text = name if isinstance(name, str) else root.entries[0][1]
    given = text if isinstance(text, str) else getattr(text, "text", "")
    drafts.documents.append(Draft(kind, given, element, reader.references, lines, not reader.diagnostics, root))


def _first_document(root: MappingNode, kind: str, reader: Reader, drafts: Drafts) -> MappingNode:
    """The document without those that follow it for want of a `---`; what is not read is remembered."""
    if not kind:
        drafts.unread.append(f"kind: {getattr(root.entries[0][1], 'text', '')}")
        return root
    known = fields_by_name(KINDS[kind])
    for place, (key, value) in enumerate(root.entries):
        if key.text in KINDS and key.text not in known and key.at.column == root.entries[0][0].at.column:
            hint = "write `---` on a line of its own before it"
            reader.report("E-FIELD", f"`{key.text}` begins another document", key, hint)
            drafts.unread.append(f"{key.text}: {getattr(value, 'text', '')}")
            return MappingNode(root.at, root.length, root.entries[:place], root.flow)
    return root


def _kind(root: Any, reader: Reader) -> str:
    """The kind of a document; "" after reporting that there is none."""
    kinds = " ".join(f"`{kind}`" for kind in KINDS)
    if not isinstance(root, MappingNode) or not root.entries:
        reader.report(
            "E-FIELD", f"a document is a map, found {describe(root)}", root, f"its first key is one of {kinds}"
        )
        return ""
    first = root.entries[0][0]
    if first.text in KINDS:
        return first.text
    later = next((key.text for key, _ in root.entries if key.text in KINDS), None)
    hint = did_you_mean(first.text, KINDS) or f"one of {kinds}"
    if later is not None:
        hint = f"move `{later}:` to the top: the first key says what the document is"
    reader.report("E-FIELD", f"unknown kind of document `{first.text}`", first, hint)
    return ""


def duplicate(code: str, what: str, at: Position, length: int, other: Position) -> Diagnostic:
    """The diagnostic of something declared twice: both places."""
    return diagnostic(code, f"{what} is declared twice", at, length=length, hint="rename one of them", other=other)
