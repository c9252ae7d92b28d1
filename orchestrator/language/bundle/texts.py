"""Liquid and other text files of a bundle."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.bundle.draft import beside as path_beside

if TYPE_CHECKING:
    from collections.abc import Mapping

_NOT_TEXTS: Final = (".yaml", ".yml", ".csv")
_LANGUAGE: Final = "{language}"


def read_texts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Path → text of every file that is neither YAML nor CSV and is UTF-8."""
    texts = {}
    for path in sorted(files):
        if not path.endswith(_NOT_TEXTS):
            try:
                texts[path] = files[path].decode("utf-8-sig")
            except UnicodeDecodeError:
                continue  # an image or the like, which no template can be made of
    return texts


def texts_named(file: str, beside: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The texts that a file name stands for, by language; empty when there is none."""
    return {language: texts[path] for language, path in paths_named(file, beside, texts).items()}


def paths_named(file: str, beside: str, texts: Mapping[str, str]) -> dict[str, str]:
    """The paths that a file name stands for, by language; "" where the name has no `{language}`.

    Looked for beside the document first, then from the bundle's root.
    """
    for path in (path_beside(beside, file), file):
        if _LANGUAGE not in path:
            if path in texts:
                return {"": path}
            continue
        before, _, after = path.partition(_LANGUAGE)
        pattern = re.compile(re.escape(before) + r"([A-Za-z]{2,3}(?:[-_][A-Za-z]+)?)" + re.escape(after))
        found = {match[1]: name for name in texts if (match := pattern.fullmatch(name))}
        if found:
            return found
    return {}
