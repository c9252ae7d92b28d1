"""What a name may be, a list of names, and what was meant where something else was written."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.source.nodes import Scalar

if TYPE_CHECKING:
    from orchestrator.language.source.nodes import Node
    from orchestrator.language.spec.reader import Reader

NAME: Final = re.compile(r"[\w.\-]+", re.ASCII)
_BLANKS: Final = re.compile(r"\s+")
_SPELT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})
"""As Germans write them where there is no umlaut; other accents are left out."""


def not_a_name(node: Scalar, reader: Reader) -> Any:
    """Report a word that cannot be a name, with the nearest that can."""
    meant = _as_name(node.text)
    instead = f": `{meant}`" if NAME.fullmatch(meant) else ""
    return reader.wrong_type("a name", node, f"a name has letters, digits and `_ . -` only{instead}")


def _as_name(text: str) -> str:
    plain = unicodedata.normalize("NFC", text).translate(_SPELT)
    letters = (letter for letter in unicodedata.normalize("NFD", plain) if not unicodedata.combining(letter))
    return _BLANKS.sub("_", "".join(letters).strip())


def bracketed(node: Node) -> str | None:
    """What to write for one word, or several with commas, where a list of them is due."""
    return f"write a list: `[{node.text}]`" if isinstance(node, Scalar) and node.text else None
