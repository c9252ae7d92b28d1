"""Small bundles, drawn: contents, a policy and scenarios, in a house that is always the same."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.reference.drawing import FACTS_ASKED, Draw
from tests.reference.generated_conversations import conversation, conversing
from tests.reference.generated_policies import policy
from tests.reference.generated_scenarios import scenario
from tests.reference.generated_slots import slots
from tests.reference.generated_small import small
from tests.reference.generated_traits import LASTING, ORDERED, TRAITS, UNASKED
from tests.reference.house import CHANNELS
from tests.reference.smallest import written


@st.composite
def bundles(draw: Any) -> tuple[str, bool]:
    """A bundle as YAML, and whether its events may come later than `lateness`."""
    d = Draw(draw)
    if d.maybe(2):
        return small(d)
    if d.maybe():
        d.conditions += FACTS_ASKED[d.one(*FACTS_ASKED)]
    d.shows = d.maybe()
    d.contents = [f"m.{number}" for number in range(1, d.one(2, 3) + 1)]
    defined = sorted({*d.traits, *LASTING, *UNASKED})
    documents: list[dict[str, Any]] = [{"traits": "all", "define": {name: TRAITS[name][0] for name in defined}}]
    documents += [_content(d, name) for name in d.contents]
    documents.append(policy(d))
    documents += [scenario(d, f"s{number}") for number in range(1, d.one(2, 3, 4) + 1)]
    if d.maybe(4):
        documents[-1]["labels"] = {"about": "references"}
    if d.maybe(4):
        documents += [conversation(d), {"scenario": "talk", **conversing(d)}]
    if d.shows:
        documents += slots(d)
    return written(documents), not ORDERED & set(d.traits)


@st.composite
def small_bundles(draw: Any, about: str) -> tuple[str, bool]:
    """The same, of one rule or one story."""
    return small(Draw(draw), about)


def _content(d: Draw, name: str) -> dict[str, Any]:
    channels = d.draw(st.lists(st.sampled_from(CHANNELS), min_size=1, unique=True))
    texts = {"email": {"subject": "S", "body": "B"}, "push": {"title": "T", "text": "X"}, "sms": {"text": "X"}}
    content: dict[str, Any] = {
        "content": name,
        "class": d.one("marketing", "marketing", "marketing", "service", "transactional"),
        "valid_for": d.one("10m", "2h", "3d"),
        "with": d.values(),
        "variants": {channel: texts[channel] for channel in channels},
    }
    if d.maybe():
        content["topic"] = d.one("t1", "t2")
    if d.maybe():
        content["about"] = [d.one("p1", "p2")]
    if d.maybe(4):
        content["suits"] = d.condition()
    if d.maybe(4):
        content["requires"] = d.condition()
        content["class"] = "marketing"
        if name != "m.1":
            content["instead"] = "m.1"
    if d.maybe(6):
        content["once"] = d.condition()
    if name == "m.1":
        content["class"] = "marketing"
    return content
