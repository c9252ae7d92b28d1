"""How many scenario tests run in a second on a small bundle.

    python bench/scenario_tests.py

Prints one JSON line with the best of three rounds, by the processor time of this process. Each test runs on the
production core with four partitions. A round is counted only when every test holds, and one that must fail does.
"""

from __future__ import annotations

import json
import sys
import time

from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.rehearsal.stage import Stage
from orchestrator.rehearsal.suite import chosen, play

BAR = 500
COPIES = 60
ROUNDS = 3
BUNDLE = """
bundle: small
zone: Europe/Paris
---
channels: all
define:
  email: {sends: push, address: email}
  push: {sends: push, address: device_id}
  web: {sends: pull}
---
identity: default
namespaces: {user_id: unique, email: unique, device_id: shared, anonymous_id: shared}
---
events: all
define:
  order_placed: {channel: [web]}
  cart_item_added: {channel: [web]}
  login: {channel: [web]}
  opened: {channel: [email]}
---
facts: price
key: event.sku
---
policy: contact
preferred_order: [email, push]
quiet_hours: [{from: "21:00", to: "08:00", channels: [email, push], on_hit: hold}]
caps: [{class: marketing, limit: 1, per: 24h}]
---
traits: default
define:
  cart: {basket: {id: event.cart, add: cart_item_added, empty: order_placed}}
---
content: em.cart
about: [cart]
variants: {email: {subject: Your cart, body: "{{ cart.total }}"}}
---
content: em.thanks
class: service
variants: {email: {subject: Thank you, body: Thank you}}
---
scenario: rescue
entry: {on: cart_item_added, where: profile.cart.total >= 50.0}
goal: {on: order_placed}
steps:
  - {id: left, silence: {of: [cart_item_added, login], for: 1h}}
  - {id: nudge, send: {content: em.cart, with: {cart: profile.cart}}}
  - id: seen
    wait_until: {on: opened, timeout: 23h}
    on_timeout: [{id: lost, end: {outcome: lost, reason: unseen}}]
---
scenario: thanks
entry: {on: order_placed}
steps: [{id: mail, send: {content: em.thanks}}]
"""
GROUND = """
start: 2026-11-02T10:00:00+01:00
customers: {amy: {ids: {email: amy@example.com, user_id: u-amy}, consent: {email: [product]}}}
facts: {price: {X1: {price: 80.0}}}
"""
ADDED = "{at: 0s, customer: amy, channel: web, on: cart_item_added, with: {sku: X1, qty: 1, cart: c1}}"
ORDERED = "{at: 20m, customer: amy, channel: web, on: order_placed, with: {order: o1}}"
TESTS = (
    f"""test: a cart that is left
{GROUND}events: [{ADDED}]
expect:
  - {{at: 30m, customer: amy, standing: rescue, step: left}}
  - {{at: 1h, customer: amy, sent: em.cart, with: {{cart: {{total: 80.0}}}}}}
  - {{at: 24h, customer: amy, ended: rescue, reason: unseen}}
exactly: [{{at: 1h, sent: em.cart}}]
""",
    f"""test: a cart that is bought in time
{GROUND}events: [{ADDED}, {ORDERED}]
expect:
  - {{at: 20m, customer: amy, ended: rescue, outcome: won, reason: converted}}
  - {{at: 20m, customer: amy, sent: em.thanks}}
never: [{{sent: em.cart}}]
until: 2h
""",
    f"""test: somebody becomes known
{GROUND}events:
  - {{at: 0s, ids: {{anonymous_id: a1}}, channel: web, on: cart_item_added, with: {{sku: X1, qty: 1, cart: c1}}}}
  - {{at: 5m, ids: {{anonymous_id: a1, user_id: u-amy}}, channel: web, on: login}}
expect:
  - {{at: 5m, customer: amy, profile: {{cart.total: 80.0}}}}
  - {{at: 1h5m, customer: amy, sent: em.cart, to: amy@example.com}}
""",
)
FAILS = f"""test: a cart that is left and never written to
{GROUND}events: [{ADDED}]
never: [{{sent: em.cart}}]
until: 2h
"""


def bundle_files(copies: int = COPIES) -> dict[str, bytes]:
    """The bundle with so many copies of every test, and the one that must fail as the last."""
    documents = [
        text for number in range(copies) for text in (test.replace("test: ", f"test: {number} ", 1) for test in TESTS)
    ]
    return {"bundle.yaml": BUNDLE.encode(), "cart_test.yaml": "---\n".join([*documents, FAILS]).encode()}


def main() -> None:
    result = load_bundle(bundle_files(), EventSchemas())
    assert result.bundle is not None, [str(one) for one in result.diagnostics]
    *stories, failing = chosen(result.bundle)
    stage = Stage(result.bundle)
    assert [bool(one.failures) for one in play(result.bundle, [failing], stage=stage)] == [True]
    best = 0.0
    for _ in range(ROUNDS):
        began = time.process_time()
        failed = [one.name for one in play(result.bundle, stories, stage=stage) if one.failures]
        best = max(best, len(stories) / (time.process_time() - began))
        if failed:
            sys.exit(f"no figure: {len(failed)} tests failed, the first is {failed[0]!r}")
    value = round(best)
    print(
        json.dumps({"figure": "scenario_tests", "value": value, "unit": "tests/s", "bar": BAR, "holds": value >= BAR})
    )


if __name__ == "__main__":
    main()
