"""What stands in the changelog, as bytes and as what it says: made once for a version of the codec, and then kept.

`python -m tests.model.values_of_a_release FILE` makes such a file, a value a line, from a crowd of the shipped stories.
It is for a new version of the codec only: the files of earlier versions stay as they are, for their values are still
to be read.
"""

from __future__ import annotations

import json
import sys
from base64 import b64encode
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.model.codec import decode_head, decode_node
from orchestrator.model.customer import Customer, Instance, Node
from orchestrator.model.lines import decisions_of, lines_of, steps_of

PACKED = {"packed_contacts", "packed_entry", "timeline", "decisions", "steps", "traits"}
"""Fields that stand as bytes in a record; what they say is shown by other names."""


def said(value: bytes) -> dict[str, Any]:
    """What a value says, by the names of its fields: plain data, as JSON can hold it."""
    head = decode_head(value)
    node = decode_node(value)
    told = _plain({"head": {"writer": head.writer, "due": head.due, "facts": list(head.facts)}, "node": node})
    assert isinstance(told, dict)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = {name: _plain(getattr(value, name)) for name in value.__struct_fields__ if name not in PACKED}
        return {"is": type(value).__name__, **fields, **_plain(_unpacked(value))}
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value


def _unpacked(value: msgspec.Struct) -> dict[str, Any]:
    """What the packed parts of a struct say."""
    if isinstance(value, Instance):
        return {"entry": value.entry}
    if not isinstance(value, Customer):
        return {}
    return {
        "contacts": value.contacts,
        "lines": lines_of(value.timeline),
        "decided": decisions_of(value.decisions),
        "came_together": steps_of(value.steps),
        "traits": {name: msgspec.msgpack.decode(state) for name, state in value.traits.items()},
    }


def chosen(tables: list[dict[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Some values of each kind; of customers, those of whom most is known."""
    values = sorted((pair for table in tables for pair in table.items()), key=lambda pair: (-len(pair[1]), pair[0]))
    kinds: dict[str, list[tuple[bytes, bytes]]] = {}
    for key, value in values:
        kinds.setdefault(_kind(decode_node(value)), []).append((key, value))
    return [pair for kind in sorted(kinds) for pair in kinds[kind][: 3 if kind == "Customer" else 2]]


def _kind(node: Node) -> str:
    return "forward" if node.to is not None else type(node.body).__name__


def main(path: Path) -> None:
    from orchestrator.rehearsal.world import World  # noqa: PLC0415
    from tests.rehearsal.test_stories_of_many import START, Crowd, play, program  # noqa: PLC0415

    world = World(program(), START, 4)
    play(world, Crowd(people=40, seed=11).events(360))
    kept = (
        {"key": key.decode(), "value": b64encode(value).decode(), "says": said(value)}
        for key, value in chosen(world._tables)
    )
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in kept), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
