"""How long lint takes on a bundle of 1,000 scenarios.

    python bench/lint.py

Prints one JSON line with the best of three runs, in CPU seconds: what the machine does besides only adds. The
bundle is made here: twenty scenarios a file, each with its own texts, waits, conditions and content. A run is counted
only when the bundle loads without a problem and holds all it should.
"""

from __future__ import annotations

import json
import time

from orchestrator.language.bundle import EventSchemas, load_bundle

SCENARIOS = 1_000
A_FILE = 20
BAR_S = 3.0
GROUND = """
bundle: bench
---
channels: all
define:
  email: {sends: push, address: email}
  push: {sends: push, address: device_id}
  web: {sends: pull}
---
identity: default
namespaces: {user_id: unique, email: unique, device_id: shared}
---
events: all
define:
  order_placed: {channel: [web]}
  product_viewed: {channel: [web]}
  cart_item_added: {channel: [web]}
  email.opened: {channel: [email]}
---
policy: contact
preferred_order: [email, push]
---
facts: price
key: event.sku
---
traits: default
define:
  orders: {count: "true", on: order_placed}
  score: {per: event.sku, half_life: 14d, score: [{on: product_viewed, add: 1}, {on: cart_item_added, add: 5}]}
---
segment: loyal
where: profile.orders >= 3
"""
SCENARIO = """
scenario: story_{n}
description: Brings back who looked at product {n}.
priority: {priority}
audience: profile.known && !in_segment("loyal")
entry: {{on: [product_viewed, cart_item_added], where: 'event.sku == "sku-{n}"', re_entry: {{after: 7d}}}}
goal: {{on: order_placed, where: 'has(event.items) && "sku-{n}" in event.items', keep_watching: 3d}}
exit:
  - {{when: 'profile.score["sku-{n}"] < 1.0', reason: cooled}}
steps:
  - id: left_alone
    silence: {{of: [product_viewed, cart_item_added], for: 1h}}
  - id: nudge
    send: {{content: em.story-{n}, with: {{sku: entry.sku, price: 'price("sku-{n}")'}}}}
  - id: opened
    wait_until: {{on: email.opened, of: nudge, timeout: 23h}}
    on_timeout:
      - id: hot
        split:
          - when: profile.score["sku-{n}"] >= 20.0 && count("product_viewed", "7d") > {priority}
            then:
              - id: again
                send:
                  content: em.story-{n}
                  channel: [push, email]
                  with: {{sku: entry.sku, price: 'price("sku-{n}")'}}
        else: [{{id: over, end: {{outcome: lost, reason: not_opened}}}}]
---
content: em.story-{n}
topic: story-{n}
about: [sku-{n}]
requires: price("sku-{n}") > 0
variants:
  email:
    subject: {{en: "Still there?", fr: "Toujours là ?", de: "Noch da?"}}
    body: "{{{{ sku }}}}: {{{{ price }}}} EUR"
  push: {{title: Story {n}, text: "{{{{ price }}}} EUR", link: "/p/sku-{n}"}}
"""
TEXT = {"type": "string"}
WEB = {
    "order_placed": {"properties": {"order": TEXT, "items": {"type": "array", "items": TEXT}}, "required": ["order"]},
    "product_viewed": {"properties": {"sku": TEXT}, "required": ["sku"]},
    "cart_item_added": {"properties": {"sku": TEXT}, "required": ["sku"]},
}


def bundle_files(scenarios: int = SCENARIOS) -> dict[str, bytes]:
    files = {"ground.yaml": GROUND.encode()}
    for first in range(0, scenarios, A_FILE):
        texts = [SCENARIO.format(n=n, priority=n % 100) for n in range(first, first + A_FILE)]
        files[f"stories_{first:04}.yaml"] = "---".join(texts).encode()
    return files


def event_schemas() -> EventSchemas:
    return EventSchemas.from_topics([{"topic": "channel.web", "events": WEB}])


def seconds_of_one_run(files: dict[str, bytes], schemas: EventSchemas) -> float:
    begin = time.process_time()
    result = load_bundle(files, schemas)
    seconds = time.process_time() - begin
    assert result.diagnostics == (), result.diagnostics[:3]
    assert result.bundle is not None
    assert len(result.bundle.scenarios) == len(result.bundle.contents) == SCENARIOS
    return seconds


def main() -> None:
    files = bundle_files()
    value = round(min(seconds_of_one_run(files, event_schemas()) for _ in range(3)), 3)
    size = sum(map(len, files.values()))
    print(f"{SCENARIOS:,} scenarios in {len(files)} files, {size / 1e6:.2f} MB: {value:.2f} s, no problem found")
    print(json.dumps({"figure": "lint_1000_s", "value": value, "unit": "s", "bar": BAR_S, "holds": value <= BAR_S}))


if __name__ == "__main__":
    main()
