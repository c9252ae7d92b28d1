"""The bundle that comes after another one, drawn: scenarios change, go and come; what is known stays the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml
from hypothesis import strategies as st

from tests.reference.generated_events import Arrival
from tests.reference.outcome import RELEASE
from tests.reference.smallest import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@st.composite
def followed(draw: Any, text: str) -> str:
    """The next bundle, in which everybody follows to scenarios that have changed."""

    def one(*choices: Any) -> Any:
        return draw(st.sampled_from(choices))

    documents = list(yaml.safe_load_all(text))
    return written([_changed(document, one, True) if "scenario" in document else document for document in documents])


def _changed(scenario: dict[str, Any], one: Callable[..., Any], follows: bool | None = None) -> dict[str, Any]:
    """Another version: other durations, other ids, other words, steps that are gone or elsewhere."""
    text = written([scenario])
    follows = one(True, False) if follows is None else follows
    moved: dict[str, str] = {}
    if follows and one(True, False):
        old = one(*re.findall(r"\bid: (\w+)", text))
        moved = {old: f"{old}x"}
        text = re.sub(rf"\b{old}\b", f"{old}x", text)
    if one(True, False):
        text = re.sub(r"\b(timeout|for): 1h\b", r"\1: 2h", re.sub(r"\b(timeout|for): 10m\b", r"\1: 30m", text))
    changed: dict[str, Any] = yaml.safe_load(text)
    stories = list(_stories(changed["steps"]))
    side_by_side = [story for story in stories if any("parallel" in step for step in story)]
    change = one("none", "gone", "another word", *(["elsewhere"] * 3 if side_by_side else []))
    if change != "none":
        _CHANGES[change](one(*(side_by_side if change == "elsewhere" else stories)), one)
    fate = "follow" if follows else one("pin", "drain", "end")
    return {**changed, "version": 2, "in_flight": fate, **({"moved": moved} if moved else {})}


def _stories(steps: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Every list of steps: the story, and those of its branches."""
    yield steps
    for step in steps:
        inner = [step.get(name, []) for name in ("then", "on_timeout", "else")]
        for word, name in (("parallel", "steps"), ("split", "then")):
            inner += [one[name] for one in step.get(word, ())]
        for story in inner:
            yield from _stories(story) if story else ()


def _gone(story: list[dict[str, Any]], one: Callable[..., Any]) -> None:
    if len(story) > 1:
        del story[one(*range(len(story)))]


def _another_word(story: list[dict[str, Any]], one: Callable[..., Any]) -> None:
    """The id is a delay's now."""
    place = one(*range(len(story)))
    story[place] = {"id": story[place]["id"], "delay": {"for": one("5m", "10m", "1h")}}


def _elsewhere(story: list[dict[str, Any]], one: Callable[..., Any]) -> None:
    """A step of a track comes behind all tracks, or what came behind them into one of them."""
    for place, step in enumerate(story):
        track = one(*step["parallel"]) if "parallel" in step else {"steps": []}
        if len(track["steps"]) > 1 and one(True, False):
            story.insert(place + 1, track["steps"].pop())
            return
        if track["steps"] and len(story) > place + 1:
            track["steps"].append(story.pop(place + 1))
            return


_CHANGES: Final[dict[str, Any]] = {"gone": _gone, "another word": _another_word, "elsewhere": _elsewhere}


@st.composite
def released(draw: Any, stream: list[Arrival]) -> list[Arrival]:
    """The stream, and the moment in it at which the next bundle is published."""
    before = draw(st.integers(1, len(stream)))
    at = stream[before - 1].at + draw(st.sampled_from(SOON))
    publishing = Arrival(at, at, "", RELEASE, "", {})
    return [*(one for one in stream if one.at <= at), publishing, *(one for one in stream if one.at > at)]
