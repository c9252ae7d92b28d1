"""The J1 workload: customers whose 12 events each are interleaved, about 300 bytes an event, from one seed."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.language.bundle import EventSchemas, load_bundle

SEED = 7
EVENTS_PER_CUSTOMER = 12
ACTIONS_PER_CUSTOMER = 2
SCORE_PER_CUSTOMER = 10 + 10 + 20 + 30
VISITS_PER_CUSTOMER = 7
POINTS_PER_CUSTOMER = 199.0 + 5.0
START = 1_772_436_000_000
"""2026-03-02 08:20 Europe/Paris."""

STORY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("qr_scanned", {"campaign": "station-q1", "code": "qr7", "product": "lumo-1"}),
    ("page_viewed", {"page": "/lp/lumo-1", "product": "lumo-1"}),
    ("page_read", {"page": "/lp/lumo-1", "product": "lumo-1", "seconds": 150}),
    ("search_performed", {"query": "lumo noise", "results": 3}),
    ("page_viewed", {"page": "/guide", "product": "lumo-1"}),
    ("page_viewed", {"page": "/lp/lumo-1", "product": "lumo-1"}),
    ("video_watched", {"video": "vid.lumo.intro", "pct": 95, "product": "lumo-1"}),
    ("page_viewed", {"page": "/home", "product": "lumo-1"}),
    ("page_read", {"page": "/lp/lumo-1", "product": "lumo-1", "seconds": 20}),
    ("cart_item_added", {"sku": "lumo-1", "product": "lumo-1", "qty": 1, "cart": "c"}),
    ("page_viewed", {"page": "/checkout", "product": "lumo-1"}),
    ("order_placed", {"order": "o", "items": ["lumo-1"], "total": 199.0}),
)


IN_A_FILE: Final = 1_000
_ASKED: Final = (("page_viewed", "page", "/p/other-{}"), ("qr_scanned", "campaign", "other-{}"))


def program(scenarios: int, tenant_files: dict[str, bytes] | None = None) -> Program:
    """The J1 bundle, with other scenarios up to `scenarios` in all, none of which J1's events start."""
    files = {"j1.yaml": (Path(__file__).parent / "bundle.yaml").read_bytes(), **(tenant_files or {})}
    files |= others(scenarios - 1)
    result = load_bundle(files, _schemas())
    if result.bundle is None:
        raise ValueError("\n".join(f"{d.position}: {d.code} {d.message}" for d in result.diagnostics))
    return build_program(result.bundle)


def _schemas() -> EventSchemas:
    """The events' properties, as topics declare them."""
    types = {str: "string", int: "integer", float: "number", list: "array"}
    common = {name: {"type": "string"} for name in ("contact", "handset", "device", "session", "product")}
    events: dict[str, dict[str, Any]] = {}
    for type_, properties in STORY:
        own = {name: {"type": types[type(value)]} for name, value in properties.items()}
        events.setdefault(type_, {"properties": dict(common)})["properties"].update(own)
    return EventSchemas.from_topics([{"topic": "channel.web", "events": events}])


def others(count: int) -> dict[str, bytes]:
    """Scenarios such as a marketing team has: each asks the same event types for another page or campaign."""
    files = {"others.yaml": b"events: others\ndefine: {other_happened: {channel: [web]}}\n"}
    for first in range(0, count, IN_A_FILE):
        some = [_other(number) for number in range(first, min(first + IN_A_FILE, count))]
        files[f"others-{first}.yaml"] = "---\n".join(some).encode()
    return files


def _other(number: int) -> str:
    event, field, value = _ASKED[number % len(_ASKED)]
    return (
        f"scenario: other_{number}\n"
        f"entry: {{on: {event}, where: 'event.{field} == \"{value.format(number)}\" && profile.visits > 3'}}\n"
        "goal: {on: order_placed}\n"
        "steps:\n"
        "  - {id: wait, delay: {for: 1h}}\n"
        "  - {id: mail, send: {content: em.welcome, channel: email, with: {product: entry.product}}}\n"
    )


def shuffled(customers: int, seed: int = SEED) -> list[int]:
    """Whose event is next: at random, all customers at once."""
    order = [c for c in range(customers) for _ in range(EVENTS_PER_CUSTOMER)]
    random.Random(seed).shuffle(order)
    return order


def steady(customers: int, at_once: int = 500, seed: int = SEED) -> list[int]:
    """Whose event is next, where customers begin one after the other and so many are under way at any time."""
    rnd, apart = random.Random(seed), at_once / EVENTS_PER_CUSTOMER
    drawn = [(c + apart * (step + rnd.random()), c) for c in range(customers) for step in range(EVENTS_PER_CUSTOMER)]
    return [customer for _, customer in sorted(drawn)]


def events(customers: int, start: int = START, order: Sequence[int] = ()) -> Iterator[tuple[bytes, bytes, int]]:
    """Record key, value and time (ms) of every event, in an order of customers (`shuffled`, where none is given)."""
    rnd = random.Random(SEED)
    order = order or shuffled(customers)
    reached = [0] * customers
    encode = msgspec.json.Encoder().encode
    for number, customer in enumerate(order):
        step = reached[customer]
        reached[customer] += 1
        type_, properties = STORY[step]
        at = start + number // 50
        data = {
            "user_id": f"u{customer:06d}", "contact": f"u{customer:06d}@example.com", "handset": f"d{customer:06d}",
            "device": "phone", "session": f"{rnd.getrandbits(64):016x}", **properties,
        }  # fmt: skip
        if "order" in data:
            data["order"] = f"o{customer}"
        value = {
            "specversion": "1.0", "id": f"e{number:07d}", "source": "web-shop", "type": type_,
            "time": rfc3339(at), "channel": "web", "data": data,
        }  # fmt: skip
        yield f"default/user_id:u{customer:06d}".encode(), encode(value), at


def rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
