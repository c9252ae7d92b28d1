"""Documents inside of Markdown: the examples of a guide are checked like a bundle, so that they cannot rot."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from orchestrator.language.bundle.draft import read_drafts
from orchestrator.language.spec.documents import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.source.diagnostic import Diagnostic

_FENCE: Final = re.compile(r"^ {0,3}(```+|~~~+)\s*(\w*)")
_FIRST_KEY: Final = re.compile(r"^([a-z_]+):")


def check_markdown(path: str, text: str) -> list[Diagnostic]:
    """What is wrong with the documents in the ```` ```yaml ```` blocks of a page, at the page's own lines.

    Blocks are read one by one: fields, types and YAML are checked; names need not be declared on the page. Blocks whose
    first key is no kind of document (a compose file, an event) are passed over.
    """
    found: list[Diagnostic] = []
    for first, block in _blocks(text.splitlines()):
        key = next((match[1] for line in block if (match := _FIRST_KEY.match(line))), "")
        if key in KINDS:
            blank = "\n" * first  # so that positions are those of the page
            found.extend(read_drafts({f"{path}.yaml": (blank + "\n".join(block) + "\n").encode()}).diagnostics)
    return sorted((_on_page(one, path) for one in found), key=lambda one: (one.position, one.code))


def _blocks(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Each YAML block with the number of lines before it."""
    fence, first, language = "", 0, ""
    for number, line in enumerate(lines):
        match = _FENCE.match(line)
        if match and not fence:
            fence, language, first = match[1], match[2], number + 1
        elif match and match[1].startswith(fence) and not match[2]:
            if language in {"yaml", "yml"}:
                yield first, lines[first:number]
            fence = ""


def _on_page(one: Diagnostic, path: str) -> Diagnostic:
    at = msgspec.structs.replace(one.position, file=path)
    other = None if one.other is None else msgspec.structs.replace(one.other, file=path)
    return msgspec.structs.replace(one, position=at, other=other)
