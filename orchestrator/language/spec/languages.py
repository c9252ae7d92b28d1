"""Languages, and texts in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.source.core_schema import is_null
from orchestrator.language.source.nodes import Mapping, Node, Scalar
from orchestrator.language.spec.reader import INVALID
from orchestrator.language.spec.types import Type
from orchestrator.language.spec.values import Text

if TYPE_CHECKING:
    from orchestrator.language.spec.reader import Reader
    from orchestrator.language.spec.types import JSON

_TAG: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", re.ASCII)
"""The form of a language tag, RFC 5646; its first part as people write it, small."""
_CALLED: Final = {
    "english": "en", "anglais": "en", "englisch": "en",
    "french": "fr", "francais": "fr", "français": "fr", "französisch": "fr",
    "german": "de", "deutsch": "de", "allemand": "de",
    "spanish": "es", "espanol": "es", "español": "es",
    "italian": "it", "italiano": "it",
    "dutch": "nl", "nederlands": "nl",
    "portuguese": "pt",
    "polish": "pl",
}  # fmt: skip


@dataclass(frozen=True)
class Language(Type):
    """A language by its tag."""

    words = "language"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Scalar) or is_null(node):
            return reader.wrong_type("a language", node, "a tag such as `fr` or `pt-BR`")
        return node.text if _is_tag(node, reader) else INVALID

    def schema(self) -> JSON:
        return {"type": "string", "pattern": f"^{_TAG.pattern}$"}


@dataclass(frozen=True)
class TextType(Type):
    """Text, or a map of text by language."""

    words = "text"

    def read(self, node: Node, reader: Reader) -> Any:
        if isinstance(node, Scalar) and not is_null(node):
            return Text({"": node.text})
        if not isinstance(node, Mapping):
            return reader.wrong_type("a text, or a map of texts by language", node)
        texts = {}
        for key, value in node.entries:
            if not isinstance(value, Scalar) or is_null(value):
                cut = isinstance(value, Scalar) and node.flow
                reader.wrong_type("a text", value, "a text with a comma goes in quotes" if cut else None)
            elif _is_tag(key, reader):
                texts[key.text] = value.text
        return Text(texts)

    def schema(self) -> JSON:
        one = {"type": ["string", "number"]}
        return {"anyOf": [one, {"type": "object", "additionalProperties": one}]}


def _is_tag(node: Scalar, reader: Reader) -> bool:
    """Whether it is the tag of a language; it is reported where it is none, with the one that was meant."""
    if _TAG.fullmatch(node.text):
        return True
    primary, _, rest = node.text.replace("_", "-").partition("-")
    meant = _CALLED.get(node.text.casefold()) or "-".join(part for part in (primary.lower(), rest) if part)
    hint = f"write `{meant}`" if _TAG.fullmatch(meant) else "a tag such as `fr` or `pt-BR`"
    reader.wrong_type("a language", node, hint)
    return False
