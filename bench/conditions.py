"""What one evaluation of typical conditions costs, compiled, with the context at hand.

    python bench/conditions.py

Prints a line per condition and, last, one JSON line with the median of them.
"""

import json
import statistics
import timeit
from types import SimpleNamespace
from typing import Any

from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    Environment,
    Function,
    Overload,
    Timestamp,
    compile_expression,
    list_of,
    map_of,
    nullable,
    record,
)

BAR_US = 1.0
RUNS, ROUNDS = 50_000, 7

EVENT = record(
    "event",
    {
        "price": DOUBLE, "product": STRING, "sku": STRING, "text": nullable(STRING), "items": list_of(STRING),
        "meta": record("event.meta", {"time": TIMESTAMP, "channel": STRING}),
    },
)  # fmt: skip
PROFILE = record(
    "profile",
    {
        "stage": map_of(STRING, STRING), "orders_count": INT, "interests": list_of(STRING),
        "cart": record("cart", {"total": DOUBLE, "lines": list_of(map_of(STRING, DYN))}),
        "bought": map_of(STRING, TIMESTAMP),
    },
)  # fmt: skip
ENVIRONMENT = Environment(
    {"event": EVENT, "first": EVENT, "profile": PROFILE, "now": TIMESTAMP},
    [
        Function("catalog", (Overload((STRING,), record("catalog", {"family": STRING}, open=True)),)),
        Function("count", (Overload((STRING, DURATION), INT),)),
    ],
)

TYPICAL = [
    'event.price >= 50.0 && profile.stage[event.product] == "decide"',
    "event.sku != first.sku && catalog(event.sku).family == catalog(first.sku).family",
    "profile.cart.total >= 50.0 && size(profile.cart.lines) > 0",
    'event.meta.channel in ["email", "chat"] && profile.orders_count >= 2',
    'now - profile.bought[event.sku] > duration("365d")',
    'profile.cart.lines.exists(l, l.sku == event.sku) || "lamp" in profile.interests',
]

MORE = [
    'has(event.text) && event.text.startsWith("help")',
    'event.text != "no" && event.price > 1.0',
    "event.text.size() > 3 || event.price > 1.0",
]


class Context(SimpleNamespace):
    """The context of one event: plain dicts, and one function."""

    def catalog(self, sku: str) -> dict[str, Any]:
        return self.rows[sku]  # type: ignore[no-any-return]


def context() -> Context:
    day = 86_400_000
    event = {
        "price": 72, "product": "lumo", "sku": "x2", "items": ["x2"],
        "meta": {"time": Timestamp.of_ms(900 * day), "channel": "chat"},
    }  # fmt: skip
    profile = {
        "stage": {"lumo": "decide"}, "orders_count": 3, "interests": ["desk"],
        "cart": {"total": 80.0, "lines": [{"sku": "x1", "qty": 1}, {"sku": "x2", "qty": 2}]},
        "bought": {"x2": Timestamp.of_ms(500 * day)},
    }  # fmt: skip
    rows = {"x1": {"family": "lamp"}, "x2": {"family": "lamp"}}
    return Context(
        event=event, first={**event, "sku": "x1"}, profile=profile, now=Timestamp.of_ms(901 * day), rows=rows,
    )  # fmt: skip


def microseconds(source: str) -> float:
    """The best of several rounds: what the machine does besides only adds."""
    evaluate, at_hand = compile_expression(source, ENVIRONMENT, BOOL).evaluate, context()
    evaluate(at_hand)
    return min(timeit.repeat(lambda: evaluate(at_hand), number=RUNS, repeat=ROUNDS)) / RUNS * 1e6


def compile_microseconds() -> float:
    """Parse, check and generate one expression, no cache."""

    def compiled() -> None:
        environment = Environment(ENVIRONMENT.roots, ENVIRONMENT.functions.values())
        for source in TYPICAL:
            compile_expression(source, environment, BOOL)

    return min(timeit.repeat(compiled, number=50, repeat=3)) / 50 / len(TYPICAL) * 1e6


def main() -> None:
    typical = [microseconds(source) for source in TYPICAL]
    for source, value in zip(TYPICAL, typical, strict=True):
        print(f"{value:6.3f} us  {source}")
    for source in MORE:
        print(f"{microseconds(source):6.3f} us  {source}   (an absent property)")
    print(f"{compile_microseconds():6.1f} us  to parse and check one of them")
    value = round(statistics.median(typical), 3)
    print(json.dumps({"figure": "condition_us", "value": value, "unit": "us", "bar": BAR_US, "holds": value <= BAR_US}))


if __name__ == "__main__":
    main()
