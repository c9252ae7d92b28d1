"""Traits of generated bundles, each with what conditions may ask of it."""

from __future__ import annotations

from typing import Any, Final

_SCORE_LINES: Final = [
    {"on": "seen", "add": 5, "once_per": "10m"},
    {"on": "bought", "add": 10},
    {"on": "seen", "where": "event.n > 1", "add": 3},
]
TRAITS: Final[dict[str, tuple[dict[str, Any], tuple[str, ...]]]] = {
    "visits": ({"on": "seen", "count": "true"}, ("profile.visits >= 2", "profile.visits < 3")),
    "long_visits": ({"on": "seen", "count": "event.seconds >= 30.0", "window": "30m"}, ("profile.long_visits >= 1",)),
    "spent": ({"on": "bought", "sum": "event.total"}, ("profile.spent >= 100.0",)),
    "spent_lately": ({"on": "bought", "sum": "event.total", "window": "1h"}, ("profile.spent_lately < 60.0",)),
    "first_page": ({"on": "seen", "first": "event.page"}, ('profile.first_page == "a"',)),
    "last_page": ({"on": ["seen", "idle"], "last": "event.page"},
                  ('profile.last_page == "a"', 'profile.last_page != "b"')),
    "page_now": ({"on": "seen", "last": "event.page", "keep_for": "30m"}, ('profile.page_now == ""',)),
    "level": ({"last": [
        {"on": "told", "where": 'event.word == "level"', "value": "event.value"},
        {"on": "seen", "where": "event.n > 1", "value": "event.page"},
    ]}, ('profile.level == "a"', 'profile.level != ""')),
    "pages": ({"on": "seen", "set": "event.page", "remove": [{"on": "idle", "value": "event.page"}]},
              ('"a" in profile.pages', "size(profile.pages) >= 2")),
    "tags": ({"on": "seen", "each": "event.tags", "set": "item"}, ('"x" in profile.tags',)),
    "recent": ({"on": "seen", "where": "has(event.page)", "list": "{'page': event.page}", "keep": 3},
               ("size(profile.recent) == 3",)),
    "heat": ({"score": _SCORE_LINES}, ("profile.heat >= 15.0",)),
    "warmth": ({"half_life": "1h", "score": _SCORE_LINES}, ("profile.warmth >= 12.0",)),
    "streak": ({"reset_after": "30m", "score": _SCORE_LINES}, ("profile.streak >= 10.0",)),
    "interest": ({"per": "event.page", "score": _SCORE_LINES[:1]}, ('profile.interest["a"] >= 10.0',)),
    "views": ({"on": "seen", "per": "event.page", "count": "true"}, ('profile.views["b"] >= 1',)),
    "stage": ({"per": "key_of(interest)", "choose": [
        {"when": "profile.interest[key] >= 10.0", "is": "hot"}, {"when": "profile.interest[key] >= 5.0", "is": "warm"},
    ], "else": "cold"}, ('profile.stage["a"] == "hot"',)),
    "points": ({"ledger": [
        {"on": "bought", "amount": "event.total", "ref": "event.order"},
        {"on": "returned", "reverse": "event.order", "share": "event.share"},
    ]}, ("profile.points >= 60.0",)),
    "case": ({"flag": {"on": "case_opened", "off": "case_closed", "longest": "2h"}}, ("profile.case", "!profile.case")),
    "mood": ({"stored": "string"}, ('profile.mood == "good"',)),
    "usual": ({"on": "seen", "where": "has(event.page)", "most": "event.page", "share": "50%"},
              ('profile.usual == "a"',)),
    "biggest": ({"on": "bought", "best": "event.order", "by": "event.total"}, ('profile.biggest == "o1"',)),
    "mail": ({"on": "contact_sent", "count": "true"}, ("profile.mail >= 1",)),
    "kind": ({"choose": [{"when": 'count("bought", "1h") > 0', "is": "buyer"}], "else": "visitor"},
             ('profile.kind == "buyer"',)),
    "cart": ({"basket": {"id": "event.cart", "add": "put", "remove": "taken", "empty": "emptied"}},
             ("size(profile.cart.lines) == 0", "profile.cart.total >= 20.0", 'profile.cart.id == "k1"')),
    "preferred_channel": ({"on": "told", "where": 'event.word == "prefer"', "last": "event.value"}, ()),
    "zone": ({"on": "told", "where": 'event.word == "zone"', "last": "event.value"}, ('profile.zone == "Asia/Tokyo"',)),
    "topics": ({"on": "told", "where": 'event.word == "likes"', "set": "event.value"}, ()),
    "preferred_hours": ({"on": "told", "where": 'event.word == "hours"', "last": "event.value"}, ()),
}  # fmt: skip
ORDERED: Final = frozenset({"heat", "warmth", "streak", "interest", "stage", "cart"})
"""What the engine keeps in order for `lateness` only: no bundle has both these and events later than that."""
NEEDS: Final = {"stage": "interest"}
LASTING: Final = frozenset({"visits", "spent", "first_page", "last_page", "level", "pages", "tags", "recent", "points"})
"""What time alone does not change: when a pause began and ended is known of these."""
UNASKED: Final = ("long_visits", "spent_lately", "page_now", "views", "case", "usual", "biggest", "mail")
"""These are in every bundle, to be compared at the end; conditions read only what was drawn."""
UNSPOKEN: Final = frozenset({"interest", "views", "stage", "pages", "tags", "cart"})
"""No message says these: maps are long, and a set has no order that two lists could agree on."""
