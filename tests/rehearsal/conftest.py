"""A small bundle that tests of rehearsals share, and a way to play a test document on it."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Protocol

import pytest

from orchestrator.language.bundle import Bundle, EventSchemas, load_bundle
from orchestrator.rehearsal.suite import Outcome, chosen, play

if TYPE_CHECKING:
    from collections.abc import Callable

SHOP = """
bundle: shop
zone: Europe/Paris
language: fr
---
channels: all
define:
  email: {sends: push, address: email}
  push: {sends: push, address: device_id}
  web: {sends: pull}
  crm: {sends: no}
  stock: {sends: no}
---
identity: default
namespaces: {user_id: unique, email: unique, device_id: shared, anonymous_id: shared}
references: {ticket: [ticket_opened]}
---
events: all
define:
  page_viewed: {channel: [web]}
  cart_item_added: {channel: [web]}
  order_placed: {channel: [web]}
  opened: {channel: [email]}
  ticket_opened: {channel: [crm]}
  ticket_closed: {channel: [crm]}
  level_changed: {channel: [stock], for: brand}
  order_confirmed: {channel: [crm]}
---
consent: default
rules: [{on: order_placed, grant: {channel: email, purpose: product}}]
---
facts: stock
key: event.sku + "/" + event.place
on: [level_changed]
set: {qty: event.qty}
---
facts: price
key: event.sku
---
policy: contact
preferred_order: [email, push]
quiet_hours: [{from: "21:00", to: "08:00", channels: [email, push], on_hit: hold, except: [transactional]}]
caps: [{class: marketing, limit: 1, per: 24h}]
---
traits: default
define:
  cart: {basket: {id: event.cart, add: cart_item_added, empty: order_placed}}
  views: {count: "true", on: page_viewed}
  pages: {set: event.page, on: page_viewed}
  interests: {per: event.page, half_life: 14d, score: [{on: page_viewed, add: 1}]}
  bought_at: {last: event.meta.time, on: order_placed}
  vip: {stored: bool}
  loyal: {choose: [{when: profile.views >= 10, is: true}], else: false}
---
content: em.cart
about: [cart]
requires: stock("x1") > 0
variants: {email: {name: cart-reminder, subject: Cart, body: "{{ cart.total }}"}, push: {title: Cart}}
---
content: em.thanks
class: transactional
variants: {email: {subject: Thanks, body: Thanks}}
---
content: ct.hello
variants: {web: {title: Hello}}
---
content: ct.back
variants: {web: {title: Welcome back}}
---
slot: web.top
default: ct.hello
candidates: [{when: profile.views >= 2, content: ct.back, with: {views: profile.views}}]
---
scenario: rescue
holdout: 10%
entry: {on: cart_item_added, where: 'profile.cart.total >= 50.0 && event.cart != "test"', re_entry: {after: 7d}}
goal: {on: order_placed, keep_watching: 3d}
steps:
  - {id: left_alone, silence: {of: [cart_item_added], for: 1h}}
  - id: which
    experiment:
      variants:
        - {name: soft, weight: 50%, then: [{id: nudge, send: {content: em.cart, with: {cart: profile.cart}}}]}
        - {name: none, weight: 50%}
  - id: seen
    wait_until: {on: email.opened, timeout: 23h}
    on_timeout: [{id: lost, end: {outcome: lost, reason: unseen}}]
---
scenario: thanks
entry: {on: order_placed, key: event.order}
steps:
  - {id: mail, send: {content: em.thanks, channel: email}}
  - {id: tell, emit: {event: order_confirmed, with: {order: entry.order}}}
---
scenario: care
entry: {on: ticket_opened, key: event.ticket}
exit: [{on: ticket_closed, where: event.ticket == entry.ticket, reason: solved}]
steps:
  - id: work
    task:
      queue: care
      key: entry.ticket
      due: 4h
      close_on: [{on: ticket_closed, where: event.ticket == entry.ticket}]
  - {id: patience, wait_until: {on: task_overdue, of: work, timeout: 2d}}
"""

AMY = "amy: {ids: {email: amy@example.com, user_id: u-amy}, consent: {email: [product]}}"
BEGINS = """
start: 2026-03-02T10:00:00+01:00
facts: {price: {x1: {price: 80.0}}, stock: {x1/web: {qty: 4}}}
"""


def load(tests: str = "", shop: str = SHOP) -> Bundle:
    files = {"shop.yaml": shop.encode()}
    if tests:
        files["shop_test.yaml"] = dedent(tests).strip().encode() + b"\n"
    result = load_bundle(files, EventSchemas())
    assert result.bundle is not None, "\n".join(str(one) for one in result.diagnostics)
    return result.bundle


class Plays(Protocol):
    def __call__(self, body: str, customers: str = AMY, begins: str = BEGINS) -> Outcome:
        """The outcome of one test with this body (events, expect ...)."""


@pytest.fixture
def shop() -> Callable[..., Bundle]:
    return load


@pytest.fixture
def played() -> Plays:
    def one(body: str, customers: str = AMY, begins: str = BEGINS) -> Outcome:
        bundle = load(f"test: it\n{begins.strip()}\ncustomers:\n  {customers}\n{dedent(body).strip()}\n")
        (outcome,) = play(bundle, chosen(bundle))
        return outcome

    return one
