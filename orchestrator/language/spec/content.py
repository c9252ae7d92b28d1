# ruff: noqa: RUF009 - the field specification is made of these calls
"""Documents about what is said: content, slots, offers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.spec.conditions import Cel, CelMap, NameOrCel, NamesOrCel
from orchestrator.language.spec.fields import AtMostOne, Element, ExactlyOne, Needs, given, optional, required
from orchestrator.language.spec.languages import TextType
from orchestrator.language.spec.parts import MapOfParts, NoneOr, OneOrMany, Part
from orchestrator.language.spec.policy import CLASSES
from orchestrator.language.spec.times import Duration, PerType
from orchestrator.language.spec.types import Bool, Choice, Int, ListOf, MapOf, Name, Names, Plain, String

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.values import NameOr, Per, Text

_SLOT_FIELDS: Final = ("title", "text", "image", "link", "data", "file")
_SOCIAL_FIELDS: Final = ("text", "image", "hashtags", "link")
_ALWAYS: Final = ("claims", "name")
VARIANT_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "email": ("subject", "preheader", "body", "body_file", "sender", "reply_to"),
    "sms": ("text",),
    "push": ("title", "text", "link", "image"),
    "voice": ("say", *_SLOT_FIELDS),
    "social": _SOCIAL_FIELDS,
    "facebook": _SOCIAL_FIELDS,
    "instagram": _SOCIAL_FIELDS,
}
"""Fields of a variant by channel; other channels are slot channels, or social where they are public."""


def variant_fields(channel: str, *, public: bool = False) -> tuple[str, ...]:
    """The fields that a variant for this channel may have."""
    own = VARIANT_FIELDS.get(channel, _SOCIAL_FIELDS if public else _SLOT_FIELDS)
    return (*own, *_ALWAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant(Element):
    """How a content is told on one channel. Which fields it may have depends on the channel."""

    name: str | None = optional(Name(), "what reports and tests call it (`em.sound-promo`)")
    subject: Text | None = optional(TextType(), "email")
    preheader: Text | None = optional(TextType(), "email: the line beside the subject")
    body: Text | None = optional(TextType(), "email: HTML or text, with Liquid")
    body_file: str | None = optional(
        String("path"), "email: a Liquid file in the bundle; `{language}` in it stands for the language"
    )
    sender: Text | None = optional(TextType(), "email: From")
    reply_to: Text | None = optional(TextType(), "email: Reply-To")
    title: Text | None = optional(TextType(), "push, slots")
    text: Text | None = optional(TextType(), "sms, push, social, slots")
    link: Text | None = optional(TextType(), "push, social, slots")
    image: Text | None = optional(TextType(), "push, social, slots")
    say: Text | None = optional(TextType(), "voice")
    hashtags: tuple[str, ...] = optional(OneOrMany(String()), "social, without `#`")
    data: Any = optional(Plain("map"), "slots: values for whoever asked")
    file: str | None = optional(String("path"), "slots: a Liquid file in the bundle")
    claims: Mapping[str, Any] = optional(MapOf(Plain("value"), key="claim"), "what it claims, beside the content's")


@dataclass(frozen=True, slots=True, kw_only=True)
class Content(Element):
    """A message or a piece of content, told in one variant a channel."""

    constraints = (AtMostOne(("valid_for", "valid_until")),)

    content: str = required(Name(), "its name")
    class_: str = given(Choice(CLASSES), "marketing", "ranks, and which policies apply")
    purpose: str = given(Name(), "product", "with `class: marketing`: the consent needed on the channel")
    topic: NameOr | None = optional(
        NameOrCel(),
        "unit of the redundancy rule: said once per person, whatever the channel; a newsletter names its issue",
        shown="the content's name",
    )
    about: tuple[NameOr, ...] = optional(NamesOrCel(), "product, category and interest subjects")
    kind: str = given(Name(), "message", "article, video, guide, form, button … : for `from: content`")
    stage: tuple[str, ...] = optional(Names(), "for gap reports and candidates", shown="all")
    level: tuple[str, ...] = optional(Names(), "for gap reports and candidates", shown="all")
    suits: Expression | None = given(Cel("bool"), "true", "whom it suits: looked at when chosen and again when sent")
    requires: Expression | None = given(
        Cel("bool"), "true", "facts it needs: looked at when chosen and again when sent; false is `reason`"
    )
    reason: str = given(Name(), "out_of_stock", "what is counted where `requires` is false")
    instead: str | None = optional(
        Name("content"), "tried once in its place, not chained; if it fails too, the first reason stands"
    )
    once: Expression | None = optional(
        Cel("bool"), "already known to them: neither shown nor sent again, `already_seen`"
    )
    valid_for: int = given(
        Duration(), "3d", "from the moment it was decided; never sent after, `expired`. So it also ends every hold"
    )
    valid_until: Expression | None = optional(Cel("timestamp"), "or until when")
    offer: str | None = optional(
        Name("offer"), "the offer it carries: told only while that is open, and its terms are values of the texts"
    )
    campaign: str | None = optional(
        Name(), "claims it does not state are the campaign fact's; those it states must agree"
    )
    claims: Mapping[str, Any] = optional(
        MapOf(Plain("value"), key="claim"),
        "price, until, key_message, creative, image, address (`tu` `vous`) … compared across variants and contents "
        "of the same campaign or topic",
    )
    with_: Mapping[str, Expression] = optional(CelMap(), "values for all variants")
    language_missing: str = given(Choice(("default", "skip")), "default", "no variant in the customer's language")
    variants: Mapping[str, Variant] = required(
        MapOfParts(Part(Variant), ref="channel", key="channel"), "only the channels that exist here can carry it"
    )

    def as_item(self) -> dict[str, Any]:
        """It as a condition sees it where contents are chosen from: `item`."""
        return {
            "name": self.content,
            "kind": self.kind,
            "about": [name.name for name in self.about if name.name is not None],
            "campaign": self.campaign or "",
            "stage": list(self.stage),
            "level": list(self.level),
            "topic": self.topic.name if self.topic is not None and self.topic.name else self.content,
            "class": self.class_,
            "purpose": self.purpose,
            "claims": dict(self.claims),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Element):
    """One of the answers that a slot may give."""

    constraints = (ExactlyOne(("content", "offer", "from")), Needs("where", ("from",)))

    when: Expression | None = given(Cel("bool"), "true", "eligible only if true")
    content: NameOr | None = optional(NameOrCel("content"), "this content")
    offer: NameOr | None = optional(NameOrCel("offer"), "or this offer by itself: its name and its terms")
    from_: str | None = optional(Name("source"), "or each of `content` or `offers`, or each row of a fact, as `item`")
    where: Expression | None = given(Cel("bool", ("item",)), "true", "with `from`: which of them")
    priority: int = given(Int(0, 100), "50", "the higher first")
    rank: Expression | None = given(Cel("double", ("item",)), "0.0", "among equals in priority")
    with_: Mapping[str, Expression] = optional(CelMap(("item",)), "values returned beside it")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot(Element):
    """A place that asks what to show this customer now: one question, one answer, on every channel."""

    slot: str = required(Name(), "what a website, an app, an agent's screen asks for")
    also: tuple[str, ...] = optional(
        Names(single=False), "other names of the same question: same answer at the same profile version"
    )
    candidates: tuple[Candidate, ...] = required(
        ListOf(Part(Candidate)), "tried together with the placements of `show`"
    )
    items: int = given(Int(1, 100), "1", "more than one: a list, best first")
    default: str | None = required(
        NoneOr(Name("content")), "when nothing is eligible, late or unknown (reason `fallback`)"
    )
    only: Expression | None = given(
        Cel("bool"), "true", "false: default. History and purchases belong behind `ask.linked`"
    )
    with_: Mapping[str, Expression] = optional(
        CelMap(), "returned beside the answer (a customer card is a slot with values)"
    )
    include: Mapping[str, str] = optional(
        MapOf(Name("slot"), key="field"), "answers of other slots, in the same answer"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PerCustomer(Element):
    """How often one customer may have an offer."""

    limit: int = required(Int(1), "so often")
    per: Per = required(PerType(), "in this window")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(Element):
    """How often an offer may be had."""

    per_customer: PerCustomer | None = optional(Part(PerCustomer), "`{limit, per}`")
    total: int | None = optional(
        Int(1),
        "exact across customers: a place is taken when it is first shown, freed when it expires (E-NOT-RUN)",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferEvent(Element):
    """Events that redeem or refuse an offer."""

    on: tuple[str, ...] = required(Names("event"), "the events")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Element):
    """What a customer may have, at terms that hold on every channel."""

    constraints = (Needs("where", ("from",)), Needs("rank", ("from",)))

    offer: str = required(Name(), "its name")
    about: tuple[str, ...] = optional(Names(), "the products it sells")
    when: Expression | None = given(Cel("bool"), "true", "who may have it; not looked at again while it is promised")
    granted_only: bool = given(Bool(), "false", "only to whom a scenario shows or sends it")
    from_: str | None = optional(Name("fact"), "picks `item` from a fact's rows: `from: catalog`")
    where: Expression | None = given(Cel("bool", ("item",)), "true", "with `from`: which rows")
    rank: Expression | None = given(Cel("double", ("item",)), "0.0", "with `from`: the highest is picked")
    terms: Mapping[str, Expression] = optional(
        CelMap(("item",)),
        "`price` and others: computed when first shown, kept until `valid_for`, the same on every channel",
    )
    valid_for: int | None = optional(Duration(), "from first shown; `expired` afterwards")
    requires: Expression | None = given(Cel("bool", ("item",)), "true", "e.g. stock")
    limit: Limit | None = optional(Part(Limit), "how often it may be had")
    redeemed: tuple[OfferEvent, ...] = required(
        ListOf(Part(OfferEvent)), "list of `on where`; once, on any channel: closed everywhere"
    )
    refused: tuple[OfferEvent, ...] = optional(ListOf(Part(OfferEvent)), "list of `on where`; closed for `cool_down`")
    cool_down: int = given(Duration(), "90d", "after a refusal")
    instead: str | None = optional(Name("offer"), "tried when `requires` is false: the offer swap")
