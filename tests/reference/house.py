"""What every generated bundle has in common: events, channels, identity, consent, calendars, segments."""

from __future__ import annotations

from typing import Final

from orchestrator.language.bundle import EventSchemas

_TEXT, _NUMBER, _WHOLE = {"type": "string"}, {"type": "number"}, {"type": "integer"}
_ABOUT_MESSAGE = {"properties": {"message": _TEXT, "content": _TEXT}}
_LINE = {"properties": {"cart": _TEXT, "sku": _TEXT, "qty": _WHOLE}}
OUTCOMES: Final = ("delivered", "bounced", "failed", "expired", "withdrawn")
"""What delivery says of a message."""
_OUTCOMES = {name: {"properties": {"message": _TEXT}} for name in OUTCOMES}
TURNS: Final = ("wrote", "answered", "hinted", "settled")
"""What is said, by a customer, an agent, a bot; and that a conversation is settled."""
_TURN = {"properties": dict.fromkeys(("thread", "text", "about", "agent", "in_reply_to"), _TEXT)}
REFERRING: Final = ("bought", "returned", "case_opened", "case_closed")
"""They may carry a reference (an order, a case), and nothing else that tells whose they are."""
BRAND_EVENTS: Final = ("measured", "counted", "priced")
"""They belong to nobody, and change facts."""
SCHEMAS: Final = EventSchemas.from_topics([
    {"topic": "channel.web", "events": {
        "seen": {"properties": {
            "page": _TEXT, "seconds": _NUMBER, "n": _WHOLE, "tags": {"type": "array", "items": _TEXT},
        }},
        "bought": {"properties": {"order": _TEXT, "total": _NUMBER}},
        "returned": {"properties": {"order": _TEXT, "share": _NUMBER}},
        "told": {"properties": {"word": _TEXT, "value": _TEXT}},
        "case_opened": {"properties": {"case": _TEXT}},
        "case_closed": {"properties": {"case": _TEXT}},
        "idle": {"properties": {"page": _TEXT}},
        "put": _LINE,
        "taken": _LINE,
        "emptied": {"properties": {"cart": _TEXT}},
        "measured": {"properties": {"gauge": _TEXT, "level": _NUMBER, "mood": _TEXT}},
        "counted": {"properties": {"sku": _TEXT, "place": _TEXT, "qty": _WHOLE}},
        "priced": {"properties": {"sku": _TEXT, "price": _NUMBER}},
        "wrote": _TURN, "answered": _TURN, "hinted": _TURN, "settled": _TURN,
    }},
    {"topic": "channel.email", "events": {
        "opened": _ABOUT_MESSAGE, "clicked": _ABOUT_MESSAGE, "wrote": _TURN, **_OUTCOMES,
    }},
    {"topic": "channel.push", "events": _OUTCOMES},
    {"topic": "channel.sms", "events": _OUTCOMES},
])  # fmt: skip

HOUSE: Final = """
bundle: generated
language: en
zone: Europe/Paris
lateness: 10m
---
channels: all
define:
  email: {sends: push, address: email}
  push: {sends: push, address: device}
  sms: {sends: push, address: phone}
  web: {sends: pull, respond_within: 2h}
---
events: all
define:
  seen: {channel: [web], browsing: true}
  bought: {channel: [web]}
  returned: {channel: [web]}
  told: {channel: [web]}
  case_opened: {channel: [web]}
  case_closed: {channel: [web]}
  idle: {channel: [web], activity: false}
  put: {channel: [web]}
  taken: {channel: [web]}
  emptied: {channel: [web]}
  opened: {channel: [email]}
  clicked: {channel: [email]}
  wrote: {channel: [web, email]}
  answered: {channel: [web]}
  hinted: {channel: [web]}
  settled: {channel: [web]}
  measured: {channel: [web], for: brand}
  counted: {channel: [web], for: brand}
  priced: {channel: [web], for: brand}
  delivered: {channel: [email, push, sms]}
  bounced: {channel: [email, push, sms]}
  failed: {channel: [email, push, sms]}
  expired: {channel: [email, push, sms]}
  withdrawn: {channel: [email, push, sms]}
---
identity: all
namespaces: {user_id: unique, email: unique, phone: shared, device: shared}
references: {order: bought, case: case_opened}
---
consent: all
rules:
  - {on: told, where: 'event.word == "yes"', grant: {channel: {is: event.value}, purpose: product}}
  - {on: told, where: 'event.word == "all of it"', grant: {channel: {is: event.value}, purpose: all}}
  - {on: told, where: 'event.word == "no"', deny: {channel: {is: event.value}, purpose: product}}
  - {on: told, where: 'event.word == "never"', deny: {channel: {is: event.value}, purpose: all}}
  - {on: told, where: 'event.word == "nothing"', deny: {channel: all, purpose: all}}
---
facts: price
file: prices.csv
key: event.sku
on: [priced]
set: {price: event.price}
---
facts: stock
key: event.sku + "/" + event.place
on: [counted]
set: {qty: event.qty}
---
facts: gauge
key: event.gauge
on: [measured]
set: {level: event.level, mood: event.mood}
latch: {high: {on: event.level > 10.0, off: event.level < 5.0}}
---
calendar: office
days: [mon, tue, wed, thu, fri]
from: "09:00"
to: "17:30"
except: [2026-03-03]
---
calendar: abroad
days: [mon, wed, sat, sun]
from: "08:00"
to: "12:00"
zone: America/New_York
---
calendar: night
days: [mon, fri, sun]
from: "22:30"
to: "01:00"
---
segment: buyers
where: count("bought", "1d") > 0
"""
FILES: Final = {"prices.csv": b"sku,price\nA,10.0\nB,2.5\n"}

PAGES: Final = ("a", "b", "c")
CHANNELS: Final = ("email", "push", "sms")
CALENDARS: Final = ("office", "abroad", "night")
ZONES: Final = ("Europe/Paris", "America/New_York", "Asia/Tokyo")
CUSTOMER_EVENTS: Final = (
    "seen", "bought", "returned", "told", "case_opened", "case_closed", "idle", "opened", "clicked", "put", "taken",
    "emptied",
)  # fmt: skip
MADE_EVENTS: Final = ("contact_sent", "contact_suppressed", "entered", "exited", "consent_changed", "task_overdue")

EVENT_CONDITIONS: Final[dict[str, tuple[str, ...]]] = {
    "seen": (
        'event.page == "a"', 'event.page != "b"', "event.seconds >= 30.0", "event.n > 1", "has(event.page)",
        'event.page in ["a", "c"]', 'count("seen", "30m") >= 2', "!event.meta.late",
    ),
    "bought": ("event.total > 50.0", 'event.order == "o1"', 'seen("seen", "1h")'),
    "returned": ('event.order == "o1"', "event.share > 0.3"),
    "told": ('event.word == "yes"', 'event.value == "email"'),
    "case_opened": ('event.case == "c1"',),
    "case_closed": ('event.case == "c1"',),
    "idle": ('event.page == "a"',),
    "put": ('event.sku == "A"', "event.qty > 1"),
    "taken": ('event.sku == "A"',),
    "emptied": ('event.cart == "k1"',),
    "opened": ("has(event.message)",),
    "clicked": ("has(event.message)",),
    "contact_sent": ('event.channel == "email"',),
    "contact_suppressed": ('event.reason == "capped"', 'event.reason != ""'),
    "entered": ('event.scenario == "s1"',),
    "exited": ('event.outcome == "won"', 'event.scenario == "s1"'),
    "consent_changed": ("event.granted",),
    "task_opened": ('event.queue == "care"',),
    "task_overdue": ('event.queue == "care"',),
}  # fmt: skip
