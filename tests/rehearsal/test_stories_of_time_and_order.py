"""Stories that begin by the clock or by several events, and messages that go on to the next channel, as marketers
test them: documents on the production core.
"""

from __future__ import annotations

import pytest

from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.rehearsal.suite import chosen, play

BUNDLE = """
bundle: shop
zone: Europe/Paris
language: fr
---
channels: all
define:
  email: {sends: push, address: email}
  sms: {sends: push, address: phone}
  web: {sends: pull}
---
identity: default
namespaces: {user_id: unique, email: unique, phone: unique}
---
events: all
define:
  product_viewed: {channel: [web]}
  order_placed: {channel: [web]}
  checkout_started: {channel: [web]}
  failed: {channel: [email, sms]}
---
policy: contact
preferred_order: [email, sms]
redundancy: {per: topic, for: 5d}
caps: [{class: marketing, limit: 1, per: 24h}]
---
content: em.compare
variants: {email: {subject: Compare, body: Compare}}
---
content: em.checkout
class: service
variants: {email: {subject: Checkout, body: Checkout}}
---
content: em.news
variants: {email: {subject: News, body: News}}
---
content: pickup
variants: {email: {subject: Ready, body: Ready}, sms: {text: Ready}}
---
scenario: compares
entry:
  sequence:
    - {as: first, on: product_viewed}
    - {as: other, on: product_viewed, where: event.sku != first.sku}
    - {as: again, on: product_viewed, where: event.sku == first.sku}
  within: 10m
  key: first.sku
steps: [{id: mail, send: {content: em.compare, channel: email, with: {other: entry.other.sku}}}]
---
scenario: left
entry:
  sequence:
    - {as: begun, on: checkout_started}
    - {absent: order_placed, where: event.cart == begun.cart, for: 30m}
  within: 1h
steps: [{id: mail, send: {content: em.checkout, channel: email}}]
---
scenario: news
audience: profile.consent.email.product
entry: {every: {days: [wed], time: "09:00"}}
steps: [{id: mail, send: {content: em.news, channel: email}}]
---
scenario: ready
entry: {on: order_placed, key: event.order}
steps:
  - {id: tell, send: {content: pickup, channel: [email, sms], fallback: {after: 2h, times: 1}}}
"""
AMY = "amy: {ids: {email: amy@example.com, phone: '+33600000001'}, consent: {email: [product], sms: [product]}}"
BEN = "ben: {ids: {email: ben@example.com}, zone: America/New_York, consent: {email: [product]}}"

STORIES = {
    "A, B, A within ten minutes": """
events:
  - {at: 0s, customer: amy, channel: web, on: product_viewed, with: {sku: a}}
  - {at: 1m, customer: amy, channel: web, on: checkout_started, with: {cart: c1}}
  - {at: 2m, customer: amy, channel: web, on: product_viewed, with: {sku: b}, id: b1, copies: 2}
  - {at: 4m, customer: amy, channel: web, on: product_viewed, with: {sku: a}, id: a2, copies: 3}
expect:
  - {at: 4m, customer: amy, entered: compares, key: a}
  - {at: 4m, customer: amy, sent: em.compare, channel: email}
never: [{customer: amy, entered: compares, after: 5m}]
shuffle: 5m
""",
    "a checkout that is left": """
events:
  - {at: 0s, customer: amy, channel: web, on: checkout_started, with: {cart: c1}}
  - {at: 10m, customer: amy, channel: web, on: product_viewed, with: {sku: a}}
expect: [{at: 30m, customer: amy, sent: em.checkout}]
""",
    "a checkout that is finished": """
events:
  - {at: 0s, customer: amy, channel: web, on: checkout_started, with: {cart: c1}}
  - {at: 29m, customer: amy, channel: web, on: order_placed, with: {cart: c1, order: o1}}
never: [{customer: amy, sent: em.checkout, after: 0s}]
until: 2h
""",
    "each Wednesday, everybody's own nine o'clock, of customers of whom only a profile is known": """
exactly:  # America changes its clocks in between, Europe does not yet
  - {at: 47h, customer: amy, sent: em.news}
  - {at: 53h, customer: ben, sent: em.news}
  - {at: 215h, customer: amy, sent: em.news}
  - {at: 220h, customer: ben, sent: em.news}
until: 230h
""",
    "what nobody confirms goes to the phone as the same message": """
events: [{at: 0s, customer: amy, channel: web, on: order_placed, with: {cart: c1, order: o1}}]
exactly:
  - {at: 0s, customer: amy, sent: pickup, channel: email}
  - {at: 2h, customer: amy, sent: pickup, channel: sms}
until: 9h
""",
}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_the_story_goes_as_it_says(story: str) -> None:
    head = f"test: it\nstart: 2026-03-02T10:00:00+01:00\ncustomers:\n  {AMY}\n  {BEN}\n"
    files = {"shop.yaml": BUNDLE.encode(), "shop_test.yaml": (head + story.strip() + "\n").encode()}
    loaded = load_bundle(files, EventSchemas())
    assert loaded.bundle is not None, "\n".join(str(one) for one in loaded.diagnostics if one.code[0] == "E")
    (outcome,) = play(loaded.bundle, chosen(loaded.bundle))
    assert [f"{one.message} | {one.found}" for one in outcome.failures] == []
