"""W-OVERLAP: two scenarios compete for the same moment on equal terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.steps import Send
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.scenario import Scenario


def overlap(context: Context) -> Iterator[Diagnostic]:
    """Scenarios that enter by one event, tell one topic, and have one priority and no score."""
    contents = {draft.name: draft.element for draft in context.drafts.of("content")}
    first: dict[tuple[str, str, int], list[Draft]] = {}
    for draft in context.sound("scenario"):
        scenario = draft.element
        if scenario.score is not None or scenario.entries == "closed":
            continue
        rivals: dict[str, tuple[Draft, str, str]] = {}
        for topic in _topics(scenario, contents):
            for event in scenario.entry.on:
                others = first.setdefault((event, topic, scenario.priority), [])
                rivals |= {other.name: (other, event, topic) for other in others if not _apart(other, draft)}
                others.append(draft)
        for other, event, topic in rivals.values():
            message = f"`{other.name}` enters by `{event}` too, tells `{topic}`, and has the same priority"
            hint = "give one of them a higher `priority`, a `score`, or `where` that keeps them apart"
            yield diagnostic(
                "W-OVERLAP", message, draft.named_at, length=len(draft.name), hint=hint, other=other.named_at,
                other_says="the other scenario",
            )  # fmt: skip


def _topics(scenario: Scenario, contents: dict[str, object]) -> set[str]:
    topics = set()
    for step in all_steps(scenario.steps):
        if isinstance(step.body, Send) and step.body.content is not None:
            content = contents.get(step.body.content.name or "")
            topic = getattr(content, "topic", None)
            if content is not None and getattr(content, "class_", "") == "marketing":
                topics.add((topic.name if topic is not None else step.body.content.name) or "")
    return topics - {""}


def _apart(one: Draft, other: Draft) -> bool:
    """True when the two conditions ask for different values of one property."""
    wheres = (one.element.entry.where, other.element.entry.where)
    asked = [dict(where.equalities) if where is not None else {} for where in wheres]
    return any(path in asked[1] and values.isdisjoint(asked[1][path]) for path, values in asked[0].items())
