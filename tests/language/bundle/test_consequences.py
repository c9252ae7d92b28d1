"""One mistake, one problem: what only follows from it is not told."""

from __future__ import annotations

import pytest

from orchestrator.language.bundle import EventSchemas, load_bundle

HOUSE = """channels: all
define: {web: {sends: pull}, email: {sends: push, address: email}}
---
identity: all
namespaces: {user_id: unique, email: unique}
---
events: all
define:
  bought: {channel: web}
---
traits: all
define:
  orders: {count: "true", on: bought}
---
content: em.thanks
class: service
variants: {email: {subject: Thanks, body: Thanks}}
"""
STORY = """scenario: thanks
entry: {on: bought, where: profile.orders > 1}
steps:
  - {id: mail, send: {content: em.thanks, channel: email}}
---
test: thanks
start: 2026-03-02T10:00:00+01:00
events: [{at: 0s, ids: {email: a@example.com}, channel: web, on: bought}]
expect: [{at: 0s, entered: thanks}]
"""


def problems(house: str, story: str) -> list[str]:
    files = {"house.yaml": house.encode(), "story.yaml": story.encode()}
    return [f"{one.position} {one.code}" for one in load_bundle(files, EventSchemas.from_topics([])).diagnostics]


def test_the_bundle_has_no_problem() -> None:
    assert problems(HOUSE, STORY) == []


@pytest.mark.parametrize(
    ("written", "instead", "problem"),
    [
        ("  bought: {channel", "\tbought: {channel", "house.yaml:9:1 E-YAML"),  # nothing of the file can be read
        ("content: em.thanks\n", "content: em.thanks\ncontent: x\n", "house.yaml:16:1 E-YAML"),
        ("content: em.thanks\n", "contents: em.thanks\n", "house.yaml:15:1 E-FIELD"),  # an unknown kind of document
        ("---\ncontent:", "content:", "house.yaml:14:1 E-FIELD"),  # two documents in one
    ],
)
def test_names_of_what_cannot_be_read_are_not_missed(written: str, instead: str, problem: str) -> None:
    assert written in HOUSE
    assert problems(HOUSE.replace(written, instead), STORY) == [problem]


def test_what_a_refused_scenario_would_use_is_not_unused() -> None:
    assert problems(HOUSE, STORY.replace("channel: email}}", "chanel: email}}")) == ["story.yaml:4:43 E-FIELD"]


def test_a_name_that_is_declared_nowhere_is_told_beside_what_cannot_be_read() -> None:
    broken = HOUSE.replace("  bought: {channel", "\tbought: {channel")
    assert problems(broken, STORY.replace("em.thanks", "em.other")) == [
        "house.yaml:9:1 E-YAML",
        "story.yaml:4:32 E-CONTENT",
    ]
