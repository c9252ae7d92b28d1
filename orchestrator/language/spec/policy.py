# ruff: noqa: RUF009 - the field specification is made of these calls
"""The document `policy`: what holds for every message, whoever decides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.language.spec.conditions import Cel
from orchestrator.language.spec.fields import Element, given, optional, required
from orchestrator.language.spec.parts import MapOfParts, Part
from orchestrator.language.spec.times import Duration, PerType, TimeOfDay
from orchestrator.language.spec.types import Choice, Choices, Int, ListOf, MapOf, Name, Names, Percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.values import Per

CLASSES: Final = ("transactional", "service", "marketing")
POLICIES: Final = (
    "all", "quiet_hours", "caps", "min_gap", "redundancy", "pauses", "one_per_moment", "preferences",
    "browse_delay", "global_control_group",
)  # fmt: skip
EXEMPT: Final = {"transactional": ("all",), "service": ("caps", "redundancy", "min_gap")}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours(Element):
    """When not to disturb, in the customer's zone."""

    from_: int = required(TimeOfDay(), "begin")
    to: int = required(TimeOfDay(), "end; before `from` it is the next day's")
    channels: tuple[str, ...] = optional(Names("channel"), "on these", shown="all")
    on_hit: str = given(Choice(("hold", "skip")), "hold", "until the end, or not at all")
    except_: tuple[str, ...] = optional(Choices(CLASSES), "classes that may disturb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap(Element):
    """At most so many in a window. All caps that match apply."""

    class_: str | None = optional(Choice(CLASSES), "of this class", shown="any")
    channel: str | None = optional(Name("channel"), "on this channel", shown="any")
    purpose: str | None = optional(Name(), "marketing of this purpose", shown="any")
    topic: str | None = optional(Name(), "of this topic", shown="any")
    scenario: str | None = optional(Name("scenario"), "of this scenario", shown="any")
    limit: int = required(Int(0), "how many")
    per: Per = required(PerType(), "a duration (rolling) or `day week month` (customer's calendar)")
    on_hit: str = given(Choice(("skip", "hold", "next_channel")), "skip", "what becomes of the next one")


@dataclass(frozen=True, slots=True, kw_only=True)
class MinGap(Element):
    """A pause after the last message."""

    class_: str | None = optional(Choice(CLASSES), "of this class", shown="any")
    channel: str | None = optional(Name("channel"), "on this channel", shown="any")
    gap: int = required(Duration(), "since the last one")
    on_hit: str = given(Choice(("skip", "hold", "next_channel")), "skip", "what becomes of the next one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Redundancy(Element):
    """The same topic once."""

    per: str = given(Choice(("topic",)), "topic", "what is the same")
    for_: int = required(Duration(), "for so long")
    channels: tuple[str, ...] = optional(Names("channel"), "across these", shown="all")
    except_: tuple[str, ...] = optional(
        Choices(CLASSES),
        "classes that may repeat",
        shown="transactional, service",
        absent=("transactional", "service"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Element):
    """No such messages while something is so."""

    name: str = required(Name(), "the reason that is counted and shown")
    while_: Expression = required(Cel("bool"), "as long as this is true")
    and_then: int = given(Duration(), "0s", "and so long after it was seen to be over")
    longest: int | None = optional(Duration(), "a pause ends after so long in any case")
    class_: str | None = optional(Choice(CLASSES), "messages of this class", shown="any")
    about: tuple[str, ...] = optional(Names(), "messages about one of these", shown="any")
    on_hit: str = given(Choice(("hold", "cancel")), "hold", "until it is over, or not at all")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences(Element):
    """Whether what customers declared is respected, for marketing."""

    channel: str = given(Choice(("respect", "ignore")), "respect", "a declared channel leads `preferred`")
    hours: str = given(Choice(("respect", "ignore")), "respect", "held until declared hours")
    topics: str = given(Choice(("respect", "ignore")), "respect", "an `about` must meet the declared ones")


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit(Element):
    """Throughput over everyone."""

    limit: int = required(Int(1), "how many")
    per: int = required(Duration(), "in so long")


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Element):
    """The contact policy of the bundle. One document."""

    policy: str = required(Name(), "the document's name")
    quiet_hours: tuple[QuietHours, ...] = optional(
        ListOf(Part(QuietHours)), "list of `from to channels on_hit except`, in the customer's zone"
    )
    caps: tuple[Cap, ...] = optional(
        ListOf(Part(Cap)), "list of `class channel purpose topic scenario limit per on_hit`; all that match apply"
    )
    min_gap: tuple[MinGap, ...] = optional(ListOf(Part(MinGap)), "list of `class channel gap on_hit`")
    redundancy: Redundancy | None = optional(Part(Redundancy), "the same topic once")
    pauses: tuple[Pause, ...] = optional(
        ListOf(Part(Pause)), "list of `name while and_then longest class about on_hit`; the reason is the name"
    )
    one_per_moment: tuple[str, ...] = optional(
        Choices(CLASSES),
        "of what is decided in one moment only the best is sent, the others `arbitration`",
        shown="[marketing]",
        absent=("marketing",),
    )
    rank: tuple[str, ...] = optional(
        Choices(CLASSES), "the order of classes", shown="transactional, service, marketing", absent=CLASSES
    )
    preferences: Preferences = optional(
        Part(Preferences),
        "`{channel, hours, topics}`, each `respect` or `ignore`",
        shown="respect",
        absent=Preferences(),
    )
    preferred_order: tuple[str, ...] = required(
        Names("channel", single=False), "the order behind `preferred`: declared, last used (service), then this"
    )
    browse_delay: int = given(
        Duration(), "30m", "push and sms whose entry is a browsing event: not sooner; `0s`: at once"
    )
    global_control_group: float = given(Percent(), "0%", "no marketing at all")
    exempt: Mapping[str, tuple[str, ...]] = optional(
        MapOf(Choices(POLICIES), key="class"),
        "class → policies that do not hold for it",
        shown="transactional: all but consent denied; service: caps, redundancy, min_gap",
        absent=EXEMPT,
    )
    rate_limit: Mapping[str, RateLimit] = optional(
        MapOfParts(Part(RateLimit), ref="channel", key="channel"),
        "throughput over everyone; queues, never discards before `valid_for`",
    )

    def frees(self, class_: str, part: str) -> bool:
        """Whether a part of the policy does not hold for a class of messages (`exempt`)."""
        freed = self.exempt.get(class_, ())
        return "all" in freed or part in freed
