"""The bundle that the simulator runs: small, but with every kind of thing whose order could matter."""

from functools import cache
from typing import Final

from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import Bundle, EventSchemas, load_bundle

SECOND: Final = 1000
SILENCE: Final = 10 * SECOND
"""How long a cart must be left alone before its reminder."""
LATENESS: Final = 600 * SECOND
CAP_WINDOW: Final = 24 * 3600 * SECOND
UNIQUE: Final = ("user_id", "card_id", "email")
SHARED: Final = ("phone", "anonymous_id")
MOST: Final = {"user_id": 1, "card_id": 1, "email": 3, "phone": 2, "anonymous_id": 3}
COUNTED: Final = ("seen", "put", "bought", "told", "logged_out", "returned", "slot_shown")
"""Customer events: each is counted once, wherever it ends up."""
OWNERSHIP: Final = b"default/partition:"
"""How the keys of a partition's own records begin."""
CHANNELS: Final = ("channel.web", "channel.shop", "channel.stock", "channel.email")

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_EVENTS = {
    "seen": {"properties": {"email": _TEXT}},
    "put": {"properties": {"sku": _TEXT}},
    "bought": {"properties": {"order": _TEXT, "total": _NUMBER}},
    "told": {"properties": {"word": _TEXT}},
    "logged_out": {"properties": {}},
    "returned": {"properties": {"order": _TEXT}},
}
_OUTCOME = {"properties": {"message": _TEXT, "content": _TEXT, "reason": _TEXT}}
_SCHEMAS: Final = EventSchemas.from_topics([
    {"topic": "channel.web", "events": _EVENTS},
    {"topic": "channel.shop", "events": _EVENTS},
    {"topic": "channel.email", "events": dict.fromkeys(("delivered", "bounced", "withdrawn", "expired"), _OUTCOME)},
    {"topic": "channel.stock", "events": {"level": {"properties": {"sku": _TEXT, "qty": {"type": "integer"}}}}},
])  # fmt: skip

_HOUSE: Final = """
bundle: simulated
language: en
zone: Europe/Paris
lateness: 10m
---
channels: all
define:
  email: {sends: push, address: email}
  web: {sends: pull}
  shop: {sends: "no"}
  stock: {sends: "no"}
---
events: all
define:
  seen: {channel: [web, shop]}
  put: {channel: [web, shop]}
  bought: {channel: [web, shop]}
  told: {channel: [web, shop]}
  logged_out: {channel: [web, shop]}
  returned: {channel: [web, shop]}
  delivered: {channel: [email], activity: false}
  withdrawn: {channel: [email], activity: false}
  expired: {channel: [email], activity: false}
  level: {channel: [stock], for: brand}
---
identity: all
namespaces:
  user_id: unique
  card_id: unique
  email: {is: unique, max: 3}
  phone: {is: shared, max: 2}
  anonymous_id: {is: shared, max: 3}
references: {order: [bought]}
unlink_on: [logged_out]
---
consent: all
rules:
  - {on: told, where: 'event.word == "yes"', grant: {channel: email, purpose: product}}
  - {on: told, where: 'event.word == "no"', deny: {channel: email, purpose: product}}
---
policy: contact
preferred_order: [email]
caps:
  - {class: marketing, channel: email, limit: 1, per: 24h}
---
facts: stock
key: event.sku
on: [level]
set: {qty: event.qty}
---
traits: all
define:
  events: {count: "true", on: [seen, put, bought, told, logged_out, returned, slot_shown]}
  counted: {list: '{"id": event.meta.id}', keep: 100, on: [seen, put, bought, told, logged_out, returned, slot_shown]}
  spent: {ledger: [{on: bought, amount: event.total, ref: event.order}]}
---
content: em.welcome
class: service
variants: {email: {subject: hello, body: hello}}
---
content: em.known
class: service
variants: {email: {subject: hello you, body: hello}}
---
content: em.cart
purpose: product
valid_for: 12h
variants: {email: {subject: your cart, body: it waits}}
---
content: em.back
class: service
variants: {email: {subject: back, body: it is back}}
---
scenario: welcome
entry: {on: seen, re_entry: never}
steps:
  - {id: mail, send: {content: em.welcome, channel: email, to: '"w@example.com"'}}
---
scenario: known
entry: {on: seen, where: has(event.email), re_entry: never}
steps:
  - {id: mail, send: {content: em.known, channel: email}}
---
scenario: cart
entry: {on: put}
goal: {on: bought}
steps:
  - {id: alone, silence: {of: [put], for: 10s}}
  - {id: mail, send: {content: em.cart, channel: email, to: '"c@example.com"'}}
---
scenario: back
entry: {on: put, where: has(event.sku), key: event.sku, re_entry: never}
steps:
  - id: stocked
    wait_until: {when: 'entry.sku in facts.stock && facts.stock[entry.sku].qty > 0', timeout: 7d}
    then:
      - {id: mail, send: {content: em.back, channel: email, to: '"b@example.com"'}}
---
scenario: care
entry: {on: bought, key: event.order, re_entry: never}
steps:
  - {id: call, task: {queue: care, key: '"care"', due: 1h, close_on: [{on: returned}]}}
"""

_JOURNEY: Final = """
---
scenario: {name}
version: {version}
entry: {{on: seen, re_entry: never}}
{rules}
steps:
{waits}  - {{id: mail, send: {{content: em.{content}, channel: email, to: '"n@example.com"'}}}}
"""
_CONTENT: Final = """
---
content: em.{0}
class: service
variants: {{email: {{subject: {0}, body: {0}}}}}
"""
_WAVE: Final = """
---
scenario: wave
audience: profile.known
entry: {{every: {{days: [{}], time: "09:00"}}}}
steps: [{{id: stop, end: {{}}}}]
"""
JOURNEYS: Final = ("pinned", "followed", "drained", "ended", "gone")
"""Scenarios that take their time, each with what a release does to who is under way in it."""
FOLLOWED: Final = 25 * SECOND
"""How long after its entry an instance that the second release moves can send at the earliest."""
PAUSES: Final = {
    **{(name, "em.first"): 20 * SECOND for name in JOURNEYS},
    ("pinned", "em.second"): 40 * SECOND, ("drained", "em.second"): 5 * SECOND, ("ended", "em.second"): 15 * SECOND,
    ("pinned", "em.third"): 10 * SECOND, ("drained", "em.third"): 5 * SECOND, ("ended", "em.third"): 15 * SECOND,
    ("fresh", "em.second"): 10 * SECOND,
}  # fmt: skip
"""Scenario and content -> how long after the entry that can be sent at the earliest."""
LOSSLESS: Final = ("pinned", "followed", "drained")
"""Those of them that no release takes the last step from: who enters is written to."""


def _wait(step: str, seconds: int) -> str:
    return f"  - {{id: {step}, delay: {{for: {seconds}s}}}}\n"


def _journey(name: str, version: int, content: str, waits: str, rules: str = "") -> str:
    return _JOURNEY.format(name=name, version=version, content=content, waits=waits, rules=rules)


def _first() -> str:
    return _CONTENT.format("first") + "".join(_journey(name, 1, "first", _wait("pause", 20)) for name in JOURNEYS)


def _second() -> str:
    moved = "in_flight: follow\nmoved: {pause: later, later: last}"
    waits = _wait("before", 1) + _wait("later", 60) + _wait("last", 5)
    return (
        _CONTENT.format("second")
        + _WAVE.format("wed")
        + _journey("pinned", 2, "second", _wait("pause", 40))
        + _journey("followed", 2, "second", waits, moved)
        + _journey("drained", 2, "second", _wait("pause", 5), "in_flight: drain")
        + _journey("ended", 2, "second", _wait("pause", 15), "in_flight: end")
        + _journey("fresh", 1, "second", _wait("pause", 10))
    )


def _third() -> str:
    moved = "in_flight: follow\nmoved: {pause: final, before: final, later: final, last: final}"
    return (
        _CONTENT.format("third")
        + _WAVE.format("thu")
        + _journey("pinned", 3, "third", _wait("pause", 10))
        + _journey("followed", 3, "third", _wait("final", 30), moved)
        + _journey("drained", 3, "third", _wait("pause", 5), "in_flight: drain")
        + _journey("ended", 3, "third", _wait("pause", 15), "in_flight: end")
        + _journey("fresh", 1, "second", _wait("pause", 10))
        + _CONTENT.format("second")
    )


@cache
def releases(following: tuple[int, ...] = ()) -> tuple[Program, ...]:
    """What the house runs on, and what is published while it runs; built once a process.

    Args:
        following: the releases after the first, 1 and 2, or 0 for the first again. Where there are none, the bundle has
            no journeys that a release could concern.
    """
    if not following:
        return (_program(_HOUSE, ()),)
    programs: list[Program] = []
    for number in (0, *following):
        programs.append(_program(_texts()[number], tuple(programs)))
    return tuple(programs)


@cache
def held(following: tuple[int, ...], published: int, retired: frozenset[str]) -> list[Program]:
    """The releases as a worker builds them that does without the retired ones; the one that counts is the last.

    Args:
        following: as above.
        published: so many of them are.
        retired: what nobody is on, by content hash; the one that counts is built whatever is said of it.
    """
    if not following or not retired:
        return [*releases(following)[:published]]
    programs: list[Program] = []
    numbers = (0, *following)[:published]
    for place, number in enumerate(numbers):
        program = _program(_texts()[number], tuple(programs))
        if place == published - 1 or program.release not in retired:
            programs.append(program)
    return programs


@cache
def _texts() -> tuple[str, ...]:
    return tuple(_HOUSE + text for text in (_first(), _second(), _third()))


@cache
def _bundle(text: str) -> Bundle:
    loaded = load_bundle({"house.yaml": text.encode()}, _SCHEMAS)
    if loaded.bundle is None:
        raise ValueError("\n".join(str(one) for one in loaded.diagnostics))
    return loaded.bundle


def _program(text: str, older: tuple[Program, ...]) -> Program:
    return build_program(_bundle(text), older)
