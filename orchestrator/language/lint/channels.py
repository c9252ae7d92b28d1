"""W-NO-RESPONSE and W-CHANNEL-OFF: channels that promise an answer and give none, sends on channels that are off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.language.lint.words import duration, listed
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.scenario import Scenario


def unanswered(context: Context) -> Iterator[Diagnostic]:
    """Channels with `respond_within` from which no event enters a scenario, and that no slot serves."""
    answered = {channel for draft in context.drafts.of("scenario") for channel in _listens(draft.element, context)}
    answered |= {name.partition(".")[0] for name in context.names.of("slot")}
    for name, channel in context.channels.items():
        if channel.respond_within is not None and channel.enabled and name not in answered:
            at = channel.named_at or channel.at
            message = f"`{name}` promises an answer within {duration(channel.respond_within)}, and nothing answers"
            hint = f"let a scenario begin with an event of `{name}`, serve a slot `{name}.reply`, or drop the promise"
            yield diagnostic("W-NO-RESPONSE", message, at, length=len(name), hint=hint)


def _listens(scenario: Scenario, context: Context) -> set[str]:
    entry: Any = scenario.entry  # None where it is missing, which is complained of elsewhere
    if entry is None:
        return set()
    names = [*entry.on, *(name for moment in entry.sequence for name in moment.on)]
    return {channel for name in names for event in context.typing.events.named(name) for channel in event.channels}


def off(context: Context) -> Iterator[Diagnostic]:
    """Sends that name a channel that is off, and contents that can be told on none that is on."""
    dark = {name for name, channel in context.channels.items() if not channel.enabled and not channel.next}
    for draft in context.drafts.documents:
        for reference in draft.references:
            if reference.kind == "send_channel" and reference.name in dark:
                message = f"the channel `{reference.name}` is off"
                hint = "name its `next` in `channels`, or another channel here"
                yield diagnostic("W-CHANNEL-OFF", message, reference.at, length=reference.length, hint=hint)
    for draft in context.sound("content"):
        variants = draft.element.variants
        if variants and dark.issuperset(variants):
            message = f"`{draft.name}` can be told only on {listed(sorted(variants))}, and that is off"
            hint = "add a variant for a channel that is on"
            yield diagnostic("W-CHANNEL-OFF", message, draft.named_at, length=len(draft.name), hint=hint)
