"""Values that earlier releases wrote are read as what they said: a worker that is updated finds its customers again.

A field's place is its name on disk, so a field that is moved, taken away or given another type is noticed here. Fields
that came later may stand beside.
"""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.model.codec import VERSION, decode_head, decode_node, encode_node
from tests.model.values_of_a_release import said

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = sorted((Path(__file__).parent / "values").glob("codec-*.jsonl"))


def values_in(path: Path) -> list[dict[str, Any]]:
    """Each with its key, its bytes, and what they say."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


KEPT = [pytest.param(one, id=f"{path.stem} {one['key']}") for path in FILES for one in values_in(path)]


def differences(before: Any, now: Any, where: str = "") -> Iterator[str]:
    """Where something is told otherwise than it was; what is told besides is none."""
    if isinstance(before, dict) and isinstance(now, dict):
        for name, value in before.items():
            yield from differences(value, now.get(name, "nothing"), f"{where}.{name}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for number, value in enumerate(before):
            yield from differences(value, now[number], f"{where}[{number}]")
    elif before != now:
        yield f"{where}: {now!r} instead of {before!r}"


def test_there_are_values_of_every_version_of_the_codec_and_of_every_kind() -> None:
    assert [path.stem for path in FILES] == [f"codec-{version}" for version in range(1, VERSION + 1)]
    for path in FILES:
        nodes = [one["says"]["node"] for one in values_in(path)]
        kinds = {node["body"]["is"] if node["body"] else "nothing" for node in nodes}
        assert {"Customer", "Reference", "PartitionState", "FactRow"} <= kinds
        assert any(node["to"] for node in nodes), "somebody who has moved"
        customers = [node["body"] for node in nodes if node["body"] and node["body"]["is"] == "Customer"]
        for known in ("instances", "contacts", "lines", "decided", "traits", "consents", "threads", "tasks", "family"):
            assert any(customer[known] for customer in customers), known
        assert any(node["outbox"] for node in nodes)


@pytest.mark.parametrize("kept", KEPT)
def test_a_value_is_read_as_what_it_said(kept: dict[str, Any]) -> None:
    assert list(differences(kept["says"], said(b64decode(kept["value"])))) == []


@pytest.mark.parametrize("kept", KEPT)
def test_and_still_says_it_when_it_is_written_anew(kept: dict[str, Any]) -> None:
    value = b64decode(kept["value"])
    head = decode_head(value)
    again = encode_node(decode_node(value), head.writer, head.due, "\n".join(head.facts))
    assert list(differences(kept["says"], said(again))) == []
