"""Whatever is wrong with a bundle, loading answers with diagnostics and never with an exception."""

from __future__ import annotations

import json
import random
import re
from typing import Any

from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.language.source import read_documents
from orchestrator.language.source.rendering import as_github, as_json, as_sarif, as_text
from orchestrator.language.spec.types import plain_data
from tests.seeds import seed

SEED = seed("SEED")
HOUSE = """
bundle: house
language: fr
---
channels: all
define: {email: {sends: push, address: email, respond_within: 4h}, web: {sends: pull}, stock: {sends: no}}
---
identity: default
namespaces: {user_id: unique, email: {is: unique, max: 5}, device_id: shared}
references: {order: [order_placed]}
normalise: {email: [trim, lower]}
tokens: {valid_for: 72h, redeem: once}
---
consent: default
rules: [{on: order_placed, where: event.total > 3, grant: {channel: email, purpose: {is: event.order}}}]
---
events: all
define:
  order_placed: {channel: [web], derive: {first_item: 'event.items[0]'}}
  product_viewed: {channel: [web], browsing: true}
  level_changed: {channel: [stock], for: brand}
  email.opened: {channel: [email]}
---
facts: stock
key: event.sku + "/" + event.place
on: [level_changed]
set: {qty: event.qty}
latch: {low: {on: event.qty < 3, off: event.qty > 9}}
---
facts: price
key: event.sku
---
traits: default
define:
  orders: {count: "true", on: order_placed}
  score: {per: event.sku, half_life: none, score: [{on: product_viewed, add: 10, once_per: 30m}]}
  stage: {per: key_of(score), choose: [{when: 'profile.score[key] > 20.0', is: decide}], else: discover}
  source: {first: [{label: tagged, on: order_placed, value: event.order}]}
  owned: {set: item, each: event.items, on: order_placed, remove: [{on: order_placed, value: event.order}]}
  points: {ledger: [{on: order_placed, amount: event.total, ref: event.order}]}
  cart: {basket: {id: event.sku, add: product_viewed, empty: [order_placed]}}
  goal: {stored: string}
---
segment: loyal
where: 'count("order_placed", "30d") > 3 && profile.orders > 2'
---
conversation: default
turns: [{on: order_placed, by: customer, text: event.order}]
thread: [event.order]
---
intents: default
define: {fine: {any: [ok, fine], find: {size: '([0-9]+) m2'}}}
---
calendar: shop
days: [mon, tue]
from: "09:00"
to: "19:00"
---
policy: contact
quiet_hours: [{from: "21:00", to: "08:00", channels: [email], except: [transactional]}]
caps: [{class: marketing, limit: 1, per: day}]
redundancy: {for: 7d}
pauses: [{name: busy, while: profile.orders > 3, class: marketing}]
preferred_order: [email]
---
content: em.hello
topic: {is: '"hello-" + profile.language'}
requires: stock("a") > 0
claims: {price: 3}
with: {name: entry.order}
variants: {email: {subject: {fr: Salut}, body: "Hello {{ name }}"}}
---
slot: web.hero
candidates: [{content: em.hello, when: profile.known}, {from: content, where: 'item.kind == "x"', rank: 1}]
default: em.hello
---
offer: off.free
terms: {price: 0.9 * price("a")}
redeemed: [{on: order_placed, where: 'event.order == "x"'}]
---
scenario: story
version: 2
audience: in_segment("loyal")
entry: {on: [product_viewed, order_placed], where: has(event.sku), key: event.sku, re_entry: {after: 7d}}
goal: {on: order_placed, where: event.order == "x"}
exit: [{when: profile.orders > 9, reason: enough}]
steps:
  - id: quiet
    silence: {of: product_viewed, for: 1h, grace: 1m}
  - id: mail
    send: {content: em.hello, channel: preferred, with: {n: profile.orders}, fallback: {after: 1h}}
  - id: answer
    wait_until:
      any:
        - {name: opened, on: email.opened, of: mail, then: [{id: more, task: {queue: care, due: 1h}}]}
      timeout: 3d
    on_timeout:
      - id: which
        split: [{when: steps.mail.sent, then: [{id: a, award: {ledger: points, amount: 3, ref: '"x"'}}]}]
        else: [{id: b, go_to: {step: mail, limit: 2}}]
  - id: try
    experiment: {variants: [{name: x, weight: 50%, then: []}, {name: y, weight: 50%}]}
  - id: both
    parallel: [{name: p, steps: [{id: c, set: {vars: {v: 1}, profile: {goal: '"g"'}}}]}]
  - {id: see, show: {slots: [web.hero], offer: off.free, for: 2d}}
  - {id: over, end: {outcome: won}}
---
scenario: pattern
entry:
  sequence:
    - {as: one, on: product_viewed}
    - {as: two, on: product_viewed, where: event.sku != one.sku}
  within: 10m
steps: [{id: mail, send: {content: em.hello, with: {first: entry.one.sku}}}]
---
kpi: rate
of: {count: persons, on: order_placed}
by: [channel]
---
test: it works
start: 2026-03-02T08:15:00+01:00
customers: {amy: {ids: {email: a@example.com}, consent: {email: [product]}}}
events: [{at: 0s, customer: amy, channel: web, on: order_placed, with: {order: x}}]
expect: [{at: 1m, customer: amy, sent: em.hello}]
"""
TEXT = {"type": "string"}
SCHEMAS = EventSchemas.from_topics(
    [
        {
            "topic": "channel.web",
            "events": {
                "order_placed": {
                    "properties": {
                        "order": TEXT,
                        "total": {"type": "number"},
                        "items": {"type": "array", "items": TEXT},
                    },
                    "required": ["order", "total"],
                },
                "product_viewed": {"properties": {"sku": TEXT}, "required": ["sku"]},
            },
        },
        {
            "topic": "channel.stock",
            "events": {"level_changed": {"properties": {"sku": TEXT, "place": TEXT, "qty": {"type": "integer"}}}},
        },
    ]
)
ODD: tuple[Any, ...] = (
    None,
    True,
    7,
    -1.5,
    "",
    "x y",
    "nobody",
    "event.",
    "1 +",
    [],
    {},
    [[]],
    {"is": "1"},
    "9w",
    "200%",
)


def test_the_bundle_itself_is_sound() -> None:
    result = load_bundle({"house.yaml": HOUSE.encode()}, SCHEMAS)
    errors = [f"{one.code} {one.message}" for one in result.diagnostics if one.code.startswith("E-")]
    assert errors == []


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Every place of a tree, as container and key."""
    found = []
    pairs = list(node.items()) if isinstance(node, dict) else list(enumerate(node)) if isinstance(node, list) else []
    for key, value in pairs:
        found.append((node, key))
        found.extend(_places(value))
    return found


def _broken(chance: random.Random) -> str:
    documents = [plain_data(document.root) for document in read_documents("house.yaml", HOUSE.encode())[0]]
    for _ in range(chance.randint(1, 4)):
        container, key = chance.choice(_places(documents[chance.randrange(len(documents))]) or [(documents, 0)])
        how = chance.random()
        if how < 0.3:
            del container[key]
        elif how < 0.4 and isinstance(container, dict):
            container[f"{key}x"] = container.pop(key)
        else:
            container[key] = chance.choice(ODD)
    return "\n---\n".join(json.dumps(document, indent=1) for document in documents)


def _loaded(text: str, note: str) -> None:
    print(note, text, sep="\n")  # noqa: T201 - shown when it fails
    result = load_bundle({"house.yaml": text.encode()}, SCHEMAS)
    lines = result.lines["house.yaml"]
    for one in result.diagnostics:
        assert re.fullmatch(r"[EW]-[A-Z-]+", one.code)
        assert 1 <= one.position.line <= len(lines) + 1, note
    for shown in (
        as_text(result.diagnostics, result.lines),
        as_json(result.diagnostics),
        as_github(result.diagnostics),
    ):
        assert isinstance(shown, str)
    assert as_sarif(result.diagnostics, "0")
    assert (result.bundle is None) == any(one.code.startswith("E-") for one in result.diagnostics), note


def test_documents_with_values_changed_lost_or_renamed() -> None:
    chance = random.Random(SEED)
    for turn in range(120):
        _loaded(_broken(chance), f"seed {SEED}, turn {turn}")


def test_files_with_characters_changed_or_cut_off() -> None:
    chance = random.Random(SEED + 1)
    for turn in range(80):
        text = HOUSE
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            text = (
                text[:at]
                + chance.choice(["", "{", "]", "'", '"', ": ", "\n", "&a ", "*a", "- ", "}", "\t"])
                + text[at + chance.randint(0, 2) :]
            )
        _loaded(text, f"seed {SEED + 1}, turn {turn}")
