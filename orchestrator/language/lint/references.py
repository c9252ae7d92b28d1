"""E-EVENT E-CONTENT E-NAME E-TOUCHPOINT: a name that no document declares, with the nearest that one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.source.codes import WARNINGS
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.spec.scope import ENGINE_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.bundle.event_types import EventTypes
    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.reader import Reference

_CODES: Final = {
    "event": "E-EVENT",
    "content": "E-CONTENT",
    "told": "E-CONTENT",
    "channel": "E-TOUCHPOINT",
    "send_channel": "E-TOUCHPOINT",
}
_NOUNS: Final = {"send_channel": "channel", "told": "content", "source": "fact"}
_CHANNEL_WORDS: Final = frozenset({"preferred", "last_used"})
_AT_A_GLANCE: Final = 12
_LOCAL: Final = frozenset({"step", "test_customer"})
"""Names within one document: other checks look at them."""


def references(context: Context) -> Iterator[Diagnostic]:
    """Look up every name that a field refers to."""
    known = _known(context)
    for draft in context.drafts.documents:
        channels = _channels_of_stories(draft)
        for reference in draft.references:
            if reference.kind == "event" and reference.at in channels:
                yield from _story_event(context, reference, channels[reference.at])
            elif reference.kind == "event":
                yield from event_reference(context, reference)
            elif reference.kind not in _LOCAL and reference.name not in known[reference.kind]:
                yield undeclared(reference, known[reference.kind])
            elif reference.kind == "ledger" and context.typing.traits["profile"][reference.name].per is not None:
                yield _keyed_ledger(reference)


def _known(context: Context) -> dict[str, frozenset[str]]:
    kinds = (
        "content",
        "channel",
        "slot",
        "offer",
        "calendar",
        "trait",
        "ledger",
        "fact",
        "scenario",
        "namespace",
        "kpi",
    )
    known = {kind: frozenset(context.names.of(kind)) for kind in kinds}
    known["send_channel"] = known["channel"] | _CHANNEL_WORDS
    known["source"] = known["fact"] | {"content", "offers"}
    known["told"] = known["content"] | _variant_names(context)
    known["check"] = frozenset(WARNINGS)
    return known


def _variant_names(context: Context) -> frozenset[str]:
    contents = (draft.element for draft in context.drafts.of("content"))
    return frozenset(variant.name for content in contents for variant in content.variants.values() if variant.name)


def undeclared(reference: Reference, known: Iterable[str]) -> Diagnostic:
    """The diagnostic of a name that is declared nowhere."""
    noun = _NOUNS.get(reference.kind, reference.kind)
    code = _CODES.get(reference.kind, "E-NAME")
    message = f"no {noun} `{reference.name}` is declared"
    hint = did_you_mean(reference.name, known) or _declared(sorted(known))
    return diagnostic(code, message, reference.at, length=reference.length, hint=hint)


def _declared(names: list[str]) -> str | None:
    """What there is, where none of it is like what was written and a glance takes it in."""
    return f"declared: {', '.join(names)}" if 0 < len(names) <= _AT_A_GLANCE else None


def _keyed_ledger(reference: Reference) -> Diagnostic:
    message = f"the ledger `{reference.name}` is one for each key, and `award` names none"
    hint = "award to a ledger without `per`"
    return diagnostic("E-TYPE", message, reference.at, length=reference.length, hint=hint)


def _channels_of_stories(draft: Draft) -> dict[Position, str]:
    """Where the events of a test are named → the channel that each comes from."""
    if draft.kind != "test":
        return {}
    return {event.place("on"): event.channel for event in (*draft.element.history, *draft.element.events)}


def _story_event(context: Context, reference: Reference, channel: str) -> Iterator[Diagnostic]:
    """An event of a test comes from a channel of its own, so its bare name says enough."""
    events, name = context.typing.events, reference.name
    given, dot, type_ = name.partition(".")
    if dot and given in events.channels and given != channel and events.named(name):
        message = f"`{name}` does not come from `{channel}`"
        hint = f"write `channel: {given}`, or `on: {type_}`"
        yield diagnostic("E-EVENT", message, reference.at, length=reference.length, hint=hint)
    elif not events.named(f"{channel}.{name}"):
        yield from event_reference(context, reference)


def event_reference(context: Context, reference: Reference) -> Iterator[Diagnostic]:
    """An event must be declared, and named with its channel where channels mean different things by it."""
    events = context.typing.events
    if events.named(reference.name):
        return
    apart = events.apart(reference.name)
    if apart:
        message = f"`{reference.name}` means different things by channel"
        hint = "say which: " + " ".join(f"`{name}`" for name in apart)
        yield diagnostic("E-EVENT", message, reference.at, length=reference.length, hint=hint)
        return
    channel, dot, type_ = reference.name.partition(".")
    if dot and channel in events.channels and type_ in events.declared:
        channels = " ".join(f"`{name}`" for name in events.declared[type_].channels)
        message = f"`{type_}` is not declared to come from `{channel}`"
        yield diagnostic("E-EVENT", message, reference.at, length=reference.length, hint=f"it comes from {channels}")
        return
    message = f"no event `{reference.name}` is declared"
    yield diagnostic("E-EVENT", message, reference.at, length=reference.length, hint=_how_to_declare(reference, events))


def _how_to_declare(reference: Reference, events: EventTypes) -> str:
    """What to do about an event that no `events` document declares: a topic file may know it already."""
    channel, dot, type_ = reference.name.partition(".")
    named = type_ if dot and channel in events.channels else reference.name
    channels = [one for one in events.schemas.channels_of(named) if one in events.channels]
    if channels:
        listed = channels[0] if len(channels) == 1 else f"[{', '.join(channels)}]"
        return f"topic files have it: add `{named}: {{channel: {listed}}}` to an `events` document"
    return did_you_mean(reference.name, (*events.declared, *ENGINE_EVENTS)) or "declare it in an `events` document"
