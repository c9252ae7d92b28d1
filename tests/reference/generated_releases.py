"""The bundle that comes after another one, drawn: scenarios change, go and come; what is known stays the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml
from hypothesis import strategies as st

from tests.reference.comparison import RELEASE
from tests.reference.generated_events import Arrival
from tests.reference.smallest import written

if TYPE_CHECKING:
    from collections.abc import Callable

SOON: Final = (400, 60_400, 300_400, 600_400)
"""Later than the 0.3 s for which a tick is on its way, so that what is due before a release acts before it (ms)."""


@st.composite
def next_bundles(draw: Any, text: str) -> str:
    """The bundle of the next release."""

    def one(*choices: Any) -> Any:
        return draw(st.sampled_from(choices))

    documents: list[dict[str, Any]] = []
    for document in yaml.safe_load_all(text):
        if "scenario" not in document:
            documents.append(document)
            continue
        fate = one("same", "changed", "changed", "changed", "gone", "twice")
        if fate != "gone" or document["scenario"] == "s1":
            documents.append(_changed(document, one) if fate == "changed" else document)
        if fate == "twice" and not {"sequence", "becomes"} & set(document["entry"]):
            documents.append({**document, "scenario": f"{document['scenario']}b"})
    return written(documents)


def _changed(scenario: dict[str, Any], one: Callable[..., Any]) -> dict[str, Any]:
    """Another version: other durations, other ids, steps that are gone."""
    text = written([scenario])
    follows = "parallel" not in text and one(True, False)
    moved: dict[str, str] = {}
    if follows and one(True, False):
        old = one(*re.findall(r"\bid: (\w+)", text))
        moved = {old: f"{old}x"}
        text = re.sub(rf"\b{old}\b", f"{old}x", text)
    if one(True, False):
        text = re.sub(r"\b(timeout|for): 1h\b", r"\1: 2h", re.sub(r"\b(timeout|for): 10m\b", r"\1: 30m", text))
    changed: dict[str, Any] = yaml.safe_load(text)
    if len(changed["steps"]) > 1 and one(True, False, False):
        del changed["steps"][one(*range(len(changed["steps"])))]
    fate = "follow" if follows else one("pin", "drain", "end")
    return {**changed, "version": 2, "in_flight": fate, **({"moved": moved} if moved else {})}


@st.composite
def released(draw: Any, stream: list[Arrival]) -> list[Arrival]:
    """The stream, and the moment in it at which the next bundle is published."""
    before = draw(st.integers(1, len(stream)))
    at = stream[before - 1].at + draw(st.sampled_from(SOON))
    publishing = Arrival(at, at, "", RELEASE, "", {})
    return [*(one for one in stream if one.at <= at), publishing, *(one for one in stream if one.at > at)]
