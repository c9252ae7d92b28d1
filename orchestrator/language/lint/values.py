"""E-FIELD E-TYPE E-NAME: what a field may hold beyond its type: variants by channel, files, patterns, zones, days."""

from __future__ import annotations

import re
import zoneinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import re2

from orchestrator.language.bundle.texts import texts_named
from orchestrator.language.lint.words import listed
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.spec.content import variant_fields
from orchestrator.language.spec.scenario import MONTH_DAYS, WEEKDAYS
from orchestrator.language.spec.steps import SetValues
from orchestrator.language.spec.traits import NO_SOURCES, OWN_SOURCES
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position

_ZONED: Final = ("bundle", "calendar", "test")
_REGION: Final = re.compile(r"[A-Z]{2}")
_MAX_PATTERN: Final = 256
_BY: Final = (
    "scenario",
    "campaign",
    "content",
    "channel",
    "channels_reached",
    "offer",
    "path",
    "segment",
    "week",
    "month",
)


def variants(context: Context) -> Iterator[Diagnostic]:
    """Fields that a channel's variant does not have, and files that are not in the bundle."""
    for draft in context.drafts.of("content"):
        for channel, variant in draft.element.variants.items():
            declared = context.channels.get(channel)
            known = variant_fields(channel, public=declared is not None and declared.public)
            for name, at in variant.places.items():
                if name not in known:
                    hint = did_you_mean(name, known) or "known here: " + " ".join(f"`{one}`" for one in known)
                    message = f"a variant for `{channel}` has no `{name}`"
                    yield diagnostic("E-FIELD", message, at, hint=hint)
            for name in ("body_file", "file"):
                file = getattr(variant, name)
                if file is not None and not texts_named(file, variant.at.file, context.texts):
                    message = f"there is no file `{file}` in the bundle"
                    hint = did_you_mean(file, context.texts) or "put it beside this file"
                    yield diagnostic("E-NAME", message, variant.place(name), length=len(file), hint=hint)


def regions(context: Context) -> Iterator[Diagnostic]:
    """The country of phone numbers: with a word that is no code, no number without a prefix can be read."""
    for draft in context.drafts.of("identity"):
        region = draft.element.region
        if region is not None and not _REGION.fullmatch(region):
            hint = f"write `{region.upper()}`" if _REGION.fullmatch(region.upper()) else "as in `DE`, `FR`, `US`"
            message = f"expected a country code of two capital letters, found `{region}`"
            yield diagnostic("E-TYPE", message, draft.element.place("region"), length=len(region), hint=hint)


def trait_sources(context: Context) -> Iterator[Diagnostic]:
    """Traits of events name their events."""
    for draft in context.drafts.of("traits"):
        for name, trait in draft.element.define.items():
            lines = isinstance(trait.first or trait.last, tuple)
            if trait.kind and trait.kind not in OWN_SOURCES and not lines and not trait.on:
                at = trait.named_at or trait.at
                yield diagnostic(
                    "E-FIELD", f"`on` is missing: which events make `{name}`?", at, length=len(name),
                    hint=f"{name}: {{{trait.kind}: ..., on: EVENT}}",
                )  # fmt: skip
            elif trait.on and (trait.kind in OWN_SOURCES or lines):
                message = f"`on` says nothing beside `{trait.kind}`"
                hint = (
                    "it is computed when read, or `set`" if trait.kind in NO_SOURCES else "its lines name their events"
                )
                yield diagnostic("E-FIELD", message, trait.place("on"), hint=hint)


def stored_traits(context: Context) -> Iterator[Diagnostic]:
    """`set: {profile: ...}` writes only traits declared `stored`."""
    traits = context.typing.traits["profile"]
    stored = [name for name, trait in traits.items() if trait.kind == "stored"]
    for draft in context.drafts.of("scenario"):
        for step in all_steps(draft.element.steps):
            names = step.body.profile if isinstance(step.body, SetValues) else ()
            for name in names:
                if name not in stored:
                    what = "is computed from events" if name in traits else "is declared nowhere"
                    hint = did_you_mean(name, stored) or "declare it in `traits`: `" + name + ": {stored: string}`"
                    at = step.body.place("profile")
                    yield diagnostic("E-NAME", f"the trait `{name}` {what}, so no step can set it", at, hint=hint)


def patterns(context: Context) -> Iterator[Diagnostic]:
    """`find` patterns are RE2 with one group."""
    for draft in context.drafts.of("intents"):
        for intent in draft.element.define.values():
            for name, pattern in intent.find.items():
                problem = _problem(pattern)
                if problem:
                    message = f"the pattern of `{name}` {problem}"
                    hint = "RE2, one group in parentheses: what it holds is what `found` gives"
                    yield diagnostic("E-TYPE", message, intent.place("find"), hint=hint)


def _problem(pattern: str) -> str:
    if len(pattern) > _MAX_PATTERN:
        return f"is longer than {_MAX_PATTERN} characters"
    options = re2.Options()
    options.log_errors = False
    try:
        groups = re2.compile(pattern, options).groups
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        return "is no RE2: " + (reason.decode() if isinstance(reason, bytes) else str(reason))
    return "" if groups == 1 else f"has {groups} groups"


def zones(context: Context) -> Iterator[Diagnostic]:
    """Time zones that exist."""
    for kind in _ZONED:
        for draft in context.drafts.of(kind):
            yield from _zone(draft.element.zone, draft.element.place("zone"))
            for customer in draft.element.customers.values() if kind == "test" else ():
                yield from _zone(customer.zone, customer.place("zone"))


def _zone(name: str | None, at: Position) -> Iterator[Diagnostic]:
    if name is not None and not _is_zone(name):
        hint = did_you_mean(name, ("Europe/Paris", "Europe/Berlin", "Europe/Zurich", "Europe/London", "UTC"))
        yield diagnostic(
            "E-TYPE", f"no time zone is named `{name}`", at, length=len(name), hint=hint or "as in `Europe/Paris`"
        )


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def days(context: Context) -> Iterator[Diagnostic]:
    """Days of a schedule, dimensions of a KPI, and where `absent` stands in a sequence."""
    for draft in context.drafts.of("scenario"):
        entry = draft.element.entry
        if entry is not None and entry.every is not None:
            for day in entry.every.days:
                if day not in WEEKDAYS and day not in MONTH_DAYS:
                    short = day[:3].lower()
                    hint = (
                        f"write `{short}`"
                        if short in WEEKDAYS
                        else "weekdays are `mon` … `sun`, days of the month 1 to 28"
                    )
                    yield diagnostic("E-TYPE", f"`{day}` is no day of a schedule", entry.every.place("days"), hint=hint)
        yield from _sequence(draft)
    for draft in context.drafts.of("kpi"):
        for name in draft.element.by:
            if name not in _BY and not name.startswith("label."):
                hint = did_you_mean(name, _BY) or f"one of {listed(_BY)}, or `label.NAME`"
                yield diagnostic("E-TYPE", f"nothing is counted by `{name}`", draft.element.place("by"), hint=hint)


def _sequence(draft: Draft) -> Iterator[Diagnostic]:
    entry = draft.element.entry
    for moment in entry.sequence[:-1] if entry is not None else ():
        if moment.absent:
            yield diagnostic(
                "E-FIELD", "`absent` is the last element of a sequence", moment.at, hint="move it to the end"
            )
    if entry is not None and len(entry.sequence) == 1:
        yield diagnostic("E-FIELD", "a sequence has two elements or more", entry.place("sequence"), hint="use `on`")
