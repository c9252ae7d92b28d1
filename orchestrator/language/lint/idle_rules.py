"""W-UNUSED E-NAME: rules of the policy that hold nothing back, because there is no message that they concern."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.spec.policy import CLASSES, POLICIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.content import Content
    from orchestrator.language.spec.policy import Policy

_DELETE = "delete the rule, or say what it is meant for"


def idle_rules(context: Context) -> Iterator[Diagnostic]:
    """Compare caps, gaps and quiet hours with the channels, the contents and the classes that are exempt."""
    policy = context.policy
    if policy is None:
        return
    yield from _classes(policy)
    contents = [draft.element for draft in context.drafts.of("content")]
    for part, rules in (("caps", policy.caps), ("min_gap", policy.min_gap)):
        for rule in rules:
            yield from _exempt(rule, part, policy)
            yield from _unsent(rule, rule.channel, "channel", context)
            if part == "caps" and contents:
                yield from _of_no_content(rule, contents)
    for hours in policy.quiet_hours:
        if hours.from_ == hours.to:
            message = "these quiet hours end when they begin: it is never quiet"
            yield diagnostic("W-UNUSED", message, hours.place("to"), hint='all day is from "00:00" to "24:00"')
        for channel in hours.channels:
            yield from _unsent(hours, channel, "channels", context)


def _classes(policy: Policy) -> Iterator[Diagnostic]:
    for name in policy.exempt:
        if name not in CLASSES:
            hint = did_you_mean(name, CLASSES) or "the classes are " + " ".join(f"`{one}`" for one in CLASSES)
            yield diagnostic("E-NAME", f"there is no class `{name}`", policy.place("exempt"), hint=hint)


def _exempt(rule: Any, part: str, policy: Policy) -> Iterator[Diagnostic]:
    if rule.class_ is not None and policy.frees(rule.class_, part):
        message = f"`{rule.class_}` messages are exempt from `{part}`: this rule holds none back"
        hint = f"write {_without(part, rule.class_, policy)}, or delete the rule"
        yield diagnostic("W-UNUSED", message, rule.place("class"), length=len(rule.class_), hint=hint)


def _without(part: str, class_: str, policy: Policy) -> str:
    """What to write so that this part of the policy holds for the class: `exempt` is said for all classes at once."""
    freed = policy.exempt[class_]
    parts = POLICIES[1:] if "all" in freed else freed
    kept = {**policy.exempt, class_: [one for one in parts if one != part]}
    said = ", ".join(f"{name}: [{', '.join(those)}]" for name, those in kept.items())
    return f"`exempt: {{{said}}}`"


def _unsent(rule: Any, channel: str | None, field: str, context: Context) -> Iterator[Diagnostic]:
    declared = context.channels.get(channel or "")
    if declared is not None and declared.sends != "push":
        message = f"nothing is sent on `{channel}`, so this rule never holds there"
        hint = "rules are for channels that say `sends: push`"
        yield diagnostic("W-UNUSED", message, rule.place(field), hint=hint)


def _of_no_content(rule: Any, contents: list[Content]) -> Iterator[Diagnostic]:
    if rule.purpose is not None and rule.class_ not in {None, "marketing"}:
        message = f"only marketing has a purpose: this cap concerns no {rule.class_} message"
        yield diagnostic("W-UNUSED", message, rule.place("purpose"), length=len(rule.purpose), hint=_DELETE)
        return
    purposes = {one.purpose for one in contents if one.class_ == "marketing"}
    if rule.purpose is not None and rule.purpose not in purposes:
        hint = did_you_mean(rule.purpose, purposes) or _DELETE
        message = f"no content has the purpose `{rule.purpose}`: this cap concerns none"
        yield diagnostic("W-UNUSED", message, rule.place("purpose"), length=len(rule.purpose), hint=hint)
    topics = [one.topic.name if one.topic is not None else one.content for one in contents]
    known = {topic for topic in topics if topic is not None}
    if rule.topic is not None and rule.topic not in known and len(known) == len(set(topics)):
        hint = did_you_mean(rule.topic, known) or _DELETE
        message = f"no content has the topic `{rule.topic}`: this cap concerns none"
        yield diagnostic("W-UNUSED", message, rule.place("topic"), length=len(rule.topic), hint=hint)
