# ruff: noqa: RUF009 - the field specification is made of these calls
"""Documents every scenario stands on: the bundle itself, events, channels, identity, consent, calendars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.language.spec.conditions import Cel, CelMap, NameOrCel
from orchestrator.language.spec.fields import Element, ExactlyOne, given, optional, required
from orchestrator.language.spec.languages import Language
from orchestrator.language.spec.parts import MapOfParts, OneOrMany, Part
from orchestrator.language.spec.times import Date, Duration, TimeOfDay
from orchestrator.language.spec.types import Bool, Choice, Choices, Int, ListOf, MapOf, Name, Names, String

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.values import NameOr

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Element):
    """A check that this bundle does not want to hear of."""

    code: str = required(Name("check"), "the check's code")
    reason: str = required(String(), "why it does not matter here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Element):
    """The bundle as a whole. One document."""

    bundle: str = required(Name(), "the bundle's name")
    language: str = given(Language(), "en", "default language of texts and customers")
    zone: str = given(String("time zone"), "UTC", "default time zone")
    currency: str = given(Name(), "EUR", "of all amounts")
    lateness: int = given(Duration(), "10m", "how late an event may come and still count as in time")
    strict: bool = given(Bool(), "false", "warnings refuse the bundle too")
    accept: tuple[Accepted, ...] = optional(ListOf(Part(Accepted)), "warnings to silence, each with a reason")
    tenant: str = given(Name(), "default", "whose bundle it is")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDeclaration(Element):
    """An event type: where it comes from and what it means."""

    channel: tuple[str, ...] = required(Names("channel"), "where it comes from")
    for_: str = given(
        Choice(("customer", "brand", "account")),
        "customer",
        "whose event it is; one `for: brand` changes facts and moves stories `for: brand`",
    )
    derive: Mapping[str, Expression] = optional(
        CelMap(("declared_event",)), "property → value, added first; sees the profile as it was before the event"
    )
    activity: bool = given(Bool(), "true", "false: no silence, count or `last_used` is touched by it")
    browsing: bool = given(Bool(), "false", "looking around: see `browse_delay`")
    phase: str | None = optional(
        Choice(("awareness", "information", "purchase", "recommendation")), "of the customer's journey"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Events(Element):
    """Event types that the bundle may name. What is declared nowhere may not be named."""

    events: str = required(Name(), "the document's name")
    define: Mapping[str, EventDeclaration] = required(
        MapOfParts(Part(EventDeclaration), key="event"),
        "event type, or `CHANNEL.TYPE` where channels mean different things by a type",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel(Element):
    """A way to and from customers."""

    sends: str = required(Choice(("push", "pull", "no")), "we send to it, it asks us, or neither")
    address: str | None = optional(Name("namespace"), "the identifier that is an address here")
    enabled: bool = given(Bool(), "true", "false: its sends go to `next`")
    respond_within: int | None = optional(Duration(), "how soon an inbound question wants an answer")
    public: bool = given(Bool(), "false", "social page, screen")
    sign_links: bool = given(Bool(), "false", "links carry a token of this customer")
    next: tuple[str, ...] = optional(Names("channel"), "where its sends go when it is off")


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels(Element):
    """The channels there are."""

    channels: str = required(Name(), "the document's name")
    define: Mapping[str, Channel] = required(MapOfParts(Part(Channel), key="channel"), "channel → what it can do")


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespace(Element):
    """A kind of identifier."""

    is_: str = required(
        Choice(("unique", "shared", "account")),
        "`unique`: a value belongs to one customer, and can join two; `shared`: belongs to its newest owner, never "
        "joins two; `account`: names an account",
    )
    max: int | None = optional(
        Int(1, 1000),
        "values per customer",
        shown="unique 1, email 5; shared 20, phone 5, anonymous_id 50",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens(Element):
    """Signed links."""

    valid_for: int = given(Duration(), "72h", "how long")
    redeem: str = given(Choice(("once", "many")), "once", "bind the browser that opens them first, or any")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity(Element):
    """Who is who. One document."""

    identity: str = required(Name(), "the document's name")
    namespaces: Mapping[str, Namespace] = required(
        MapOfParts(Part(Namespace, short="is"), key="namespace"), "kinds of identifiers, strongest first"
    )
    references: Mapping[str, tuple[str, ...]] = optional(
        MapOf(Names("event"), key="reference"),
        "an event that carries only such an id belongs to the customer who had it first",
    )
    normalise: Mapping[str, tuple[str, ...]] = optional(
        MapOf(OneOrMany(Choice(("lower", "phone", "digits", "trim"))), ref="namespace", key="namespace"),
        "`lower`: small letters, accents composed (NFC); `digits`: those alone, as 0-9; `phone`: E.164, takes `region`",
    )
    region: str | None = optional(Name(), "country code, for phone numbers without one")
    replace_on: tuple[str, ...] = optional(Names("event"), "the new value replaces the old one (`identifier_changed`)")
    unlink_on: tuple[str, ...] = optional(Names("event"), "the shared identifier is no longer *linked*")
    tokens: Tokens = optional(Part(Tokens), "signed links", shown="72h, once", absent=Tokens())


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant(Element):
    """Channel and purpose of a consent; each a name, `all`, or `{is: CEL}`."""

    channel: NameOr = required(NameOrCel("channel", ("event",), ("all",)), "a channel or `all`")
    purpose: NameOr = required(NameOrCel(None, ("event",), ("all",)), "a purpose or `all`")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRule(Element):
    """Events that grant or deny."""

    constraints = (ExactlyOne(("grant", "deny")),)

    on: tuple[str, ...] = required(Names("event"), "the events")
    where: Expression | None = given(Cel("bool", ("event",)), "true", "which of these events")
    grant: Grant | None = optional(Part(Grant), "what they allow")
    deny: Grant | None = optional(Part(Grant), "what they forbid")
    kind: str = given(Choice(("explicit", "soft_opt_in")), "explicit", "how it was given")


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent(Element):
    """Who may be told what. The latest event time wins per channel and purpose; on a tie, deny. One document."""

    consent: str = required(Name(), "the document's name")
    rules: tuple[ConsentRule, ...] = required(ListOf(Part(ConsentRule)), "list of `on where grant deny kind`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(Element):
    """Opening hours."""

    calendar: str = required(Name(), "its name")
    days: tuple[str, ...] = required(Choices(_WEEKDAYS), "weekdays")
    from_: int = required(TimeOfDay(), "opens")
    to: int = required(TimeOfDay(), "closes; not after `from` it is the next day's")
    zone: str | None = optional(String("time zone"), "whose clock", shown="the bundle's")
    except_: tuple[str, ...] = optional(ListOf(Date()), "dates on which it is closed")
