"""What is drawn for one bundle."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

from tests.reference.generated_traits import LASTING, NEEDS, TRAITS, UNASKED, UNSPOKEN
from tests.reference.house import CUSTOMER_EVENTS, EVENT_CONDITIONS

CONSENTED: Final = "profile.consent.push.product"
ALWAYS_ASKED: Final = (
    'count("bought", "1h") > 0',
    'seen("told", "2h")',
    CONSENTED,
    'live("s1")',
    'open("office")',
    'open("night")',
    'in_segment("buyers")',
)


FACTS_ASKED: Final = {
    "gauge": (
        "facts.gauge.g1.high", "facts.gauge.g1.level > 5.0", 'facts.gauge["g2"].mood == "good"', "!facts.gauge.g1.high",
        'size(rows("gauge")) > 1',
    ),
    "stock": ('stock("A") > 0', 'stock("A", "p1") > 1', 'stock("A") < 2'),
    "price": ('price("A") < 10.0', 'price("B") > 4.0'),
}  # fmt: skip
"""What conditions ask of each fact."""


class Draw:
    """What is drawn for one bundle."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.steps = 0
        names = draw(st.lists(st.sampled_from(sorted(TRAITS)), min_size=2, max_size=4, unique=True))
        self.traits = sorted({*names, *(NEEDS[name] for name in names if name in NEEDS)})
        self.conditions = [*ALWAYS_ASKED, *(one for name in self.traits for one in TRAITS[name][1])]
        self.lasting = [*(one for name in self.traits if name in LASTING for one in TRAITS[name][1]), CONSENTED]
        self.contents: list[str] = []
        self.shows = False

    def one(self, *choices: Any) -> Any:
        return self.draw(st.sampled_from(choices))

    def maybe(self, chance: int = 3) -> bool:
        """True one time in so many."""
        return bool(self.draw(st.integers(1, chance)) == chance)

    def condition(self) -> str:
        return str(self.one(*self.conditions))

    def values(self) -> dict[str, str]:
        """What a message says of the customer: traits as they are when it leaves."""
        names = sorted({*self.traits, *UNASKED} - UNSPOKEN)
        return {
            name: f"profile.{name}" for name in self.draw(st.lists(st.sampled_from(names), max_size=4, unique=True))
        }

    def heard(self, *more: str) -> dict[str, Any]:
        """`on`, and sometimes `where`."""
        on = self.one(*CUSTOMER_EVENTS, "seen", "seen", "bought", *more)
        heard: dict[str, Any] = {"on": on}
        if self.maybe(3):
            heard["where"] = self.one(*EVENT_CONDITIONS[on])
        if "where" not in heard and self.maybe(4):
            heard["on"] = [on, *{"clicked", "bought"} - {on}]
        return heard

    def id(self, word: str) -> str:
        self.steps += 1
        return f"{word}{self.steps}"
