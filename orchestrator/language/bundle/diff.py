"""How two bundles differ, in words: `cart_rescue: silence left_alone: for 1h -> 45m`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from typing import Any

from orchestrator.language.bundle.draft import read_drafts
from orchestrator.language.spec.types import plain_data

_LONGEST = 60


def bundle_diff(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[str]:
    """One line a difference, by kind and name; empty when the two mean the same.

    Documents are compared as written, so that a line says what its author would see; files that moved are the same.

    Args:
        before: Path → bytes of a bundle's files.
        after: The same of another.
    """
    old, new = _documents(before), _documents(after)
    lines: list[str] = []
    for key in dict.fromkeys((*old, *new)):
        if key not in new:
            lines.append(f"{key}: removed")
        elif key not in old:
            lines.append(f"{key}: added")
        else:
            lines.extend(f"{key}: {line}" for line in _differences(old[key], new[key], ""))
    return [*lines, *_files(before, after)]


def _documents(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Kind and name → a document as plain data."""
    found: dict[str, Any] = {}
    for draft in read_drafts(files).documents:
        found[f"{draft.kind} {draft.name}"] = plain_data(draft.root)
    return found


def _files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[str]:
    """Files that are no documents: rows of facts, Liquid texts."""
    for path in sorted({*before, *after}):
        if path.endswith((".yaml", ".yml")):
            continue
        if path not in after:
            yield f"file {path}: removed"
        elif path not in before:
            yield f"file {path}: added"
        elif before[path] != after[path]:
            yield f"file {path}: changed"


def _differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _of_maps(old, new, path)
    elif isinstance(old, list) and isinstance(new, list) and _ids(old) and _ids(new):
        yield from _of_steps(old, new, path)
    elif old != new and _maps(old) and _maps(new):
        yield from _of_rules(old, new, path)
    elif old != new:
        yield f"{path}: {_short(old)} -> {_short(new)}" if path else f"{_short(old)} -> {_short(new)}"


def _of_maps(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in dict.fromkeys((*old, *new)):
        inner = f"{path} {name}".strip()
        if name not in new:
            yield f"{inner}: {_short(old[name])} removed"
        elif name not in old:
            yield f"{inner}: {_short(new[name])} added"
        else:
            yield from _differences(old[name], new[name], inner)


def _ids(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, Mapping) and _key(item) for item in items)


def _key(item: Mapping[str, Any]) -> str:
    """What tells an element of a list from the others: a step's id, a name."""
    return str(item.get("id") or item.get("name") or "")


def _of_steps(old: list[Any], new: list[Any], path: str) -> Iterator[str]:
    before = {_key(item): item for item in old}
    after = {_key(item): item for item in new}
    where = path.removesuffix("steps").strip()
    for key, item in before.items():
        inner = f"{where} {key}".strip()
        if key not in after:
            yield f"{inner}: removed"
        else:
            yield from _differences(item, after[key], inner)
    for key in after:
        if key not in before:
            yield f"{where} {key}".strip() + ": added"
    kept = [key for key in before if key in after]
    if kept != [key for key in after if key in before]:
        yield f"{path or 'list'}: in another order: {', '.join(key for key in after if key in before)}"


def _maps(items: Any) -> bool:
    return isinstance(items, list) and bool(items) and all(isinstance(item, Mapping) for item in items)


def _of_rules(old: list[Any], new: list[Any], path: str) -> Iterator[str]:
    """Elements that no name tells apart, such as caps and events of a test: those that stay show where one changed."""
    before, after = ([json.dumps(item, sort_keys=True) for item in items] for items in (old, new))
    for what, begin, end, first, last in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if what == "replace" and end - begin == last - first:
            for index in range(end - begin):
                yield from _differences(old[begin + index], new[first + index], f"{path} {first + index + 1}".strip())
        elif what != "equal":
            yield from (f"{path}: {_short(item)} removed" for item in old[begin:end])
            yield from (f"{path}: {_short(item)} added" for item in new[first:last])


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
