"""W-EXPIRES: a hold that may outlast the default validity of the messages that it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.lint.words import duration
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.content import Content
    from orchestrator.language.spec.policy import Policy
    from orchestrator.language.spec.values import Per

_DAY: Final = 86_400_000
_CALENDAR: Final = {"day": _DAY, "week": 7 * _DAY, "month": 31 * _DAY}


def expiry(context: Context) -> Iterator[Diagnostic]:
    """Caps, gaps and pauses that hold, beside contents that do not say how long they are valid."""
    policy = context.policy
    contents = [draft.element for draft in context.sound("content")]
    unsaid = [one for one in contents if "valid_for" not in one.places and one.valid_until is None]
    if policy is None:
        return
    for rule, part, field, length in _holds(policy):
        held = [one for one in unsaid if length > one.valid_for and _concerns(rule, part, one, policy)]
        if held:
            which = f"`{held[0].content}`" + (f" and {len(held) - 1} more" if len(held) > 1 else "")
            valid = duration(held[0].valid_for)
            message = (
                f"this may hold {which} for {duration(length)}; without `valid_for` a message is valid for {valid}"
            )
            hint = f"give the content `valid_for: {duration(length)}`, or let the rule hold no longer"
            yield diagnostic("W-EXPIRES", message, rule.place(field), hint=hint)


def _holds(policy: Policy) -> Iterator[tuple[Any, str, str, int]]:
    """Each rule that holds: itself, its part of the policy, the field that says how long, and how long at most (ms)."""
    for cap in policy.caps:
        if cap.on_hit == "hold":
            yield cap, "caps", "per", _length(cap.per)
    for gap in policy.min_gap:
        if gap.on_hit == "hold":
            yield gap, "min_gap", "gap", gap.gap
    for pause in policy.pauses:
        if pause.on_hit == "hold":
            yield pause, "pauses", "and_then", pause.and_then


def _length(per: Per) -> int:
    return per.ms if per.ms is not None else _CALENDAR[per.calendar or "day"]


def _concerns(rule: Any, part: str, content: Content, policy: Policy) -> bool:
    """Whether the rule may hold this content."""
    if rule.class_ not in {None, content.class_} or policy.frees(content.class_, part):
        return False
    channel = getattr(rule, "channel", None)
    if channel is not None and channel not in content.variants:
        return False
    purpose = getattr(rule, "purpose", None)
    if purpose is not None and (content.class_ != "marketing" or purpose != content.purpose):
        return False
    topic = getattr(rule, "topic", None)
    return topic is None or topic == (content.topic.name if content.topic is not None else content.content)
