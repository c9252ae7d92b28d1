"""The bundle that the simulator runs: small, but with every kind of thing whose order could matter."""

from functools import cache
from typing import Final, NamedTuple

from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import EventSchemas, load_bundle

SECOND: Final = 1000
SILENCE: Final = 10 * SECOND
"""How long a cart must be left alone before its reminder."""
LATENESS: Final = 600 * SECOND
CAP_WINDOW: Final = 24 * 3600 * SECOND
UNIQUE: Final = ("user_id", "card_id", "email")
SHARED: Final = ("phone", "anonymous_id")
MOST: Final = {"user_id": 1, "card_id": 1, "email": 3, "phone": 2, "anonymous_id": 3}
COUNTED: Final = ("seen", "put", "bought", "told", "logged_out", "returned")
"""Customer events: each is counted once, wherever it ends up."""
OWNERSHIP: Final = b"default/partition:"
"""How the keys of a partition's own records begin."""
CHANNELS: Final = ("channel.web", "channel.shop", "channel.stock", "channel.email")

_TEXT, _NUMBER = {"type": "string"}, {"type": "number"}
_EVENTS = {
    "seen": {"properties": {}},
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
  events: {count: "true", on: [seen, put, bought, told, logged_out, returned]}
  counted: {list: '{"id": event.meta.id}', keep: 100, on: [seen, put, bought, told, logged_out, returned]}
  spent: {ledger: [{on: bought, amount: event.total, ref: event.order}]}
---
content: em.welcome
class: service
variants: {email: {subject: hello, body: hello}}
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
"""

_LATER: Final = _HOUSE.replace("subject: hello,", "subject: hello again,")


class Releases(NamedTuple):
    """What the house runs on, and what is published while it runs."""

    first: Program
    second: Program


@cache
def releases() -> Releases:
    """Both releases, built once a process."""
    return Releases(_program(_HOUSE), _program(_LATER))


def _program(text: str) -> Program:
    loaded = load_bundle({"house.yaml": text.encode()}, _SCHEMAS)
    if loaded.bundle is None:
        raise ValueError("\n".join(str(one) for one in loaded.diagnostics))
    return build_program(loaded.bundle)
