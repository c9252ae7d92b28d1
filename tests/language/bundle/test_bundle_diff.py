"""Two bundles, and how they differ, in words."""

from __future__ import annotations

import pytest

from orchestrator.language.bundle.diff import bundle_diff

BEFORE = b"""
scenario: cart_rescue
priority: 70
entry: {on: cart_item_added}
steps:
  - {id: left_alone, silence: {of: [cart_item_added], for: 1h}}
  - {id: nudge, send: {content: em.cart-reminder}}
  - {id: over, end: {}}
---
segment: loyal
where: profile.known
"""


def differences(after: bytes, **more: bytes) -> list[str]:
    return bundle_diff({"a.yaml": BEFORE, "prices.csv": b"sku\n"}, {"b.yaml": after, "prices.csv": b"sku\n", **more})


def test_the_same_documents_in_another_file_and_layout_are_no_difference() -> None:
    assert differences(b"# a comment\n" + BEFORE.replace(b"{on: cart_item_added}", b"\n  on: cart_item_added")) == []


def test_a_changed_value_is_told_with_its_step() -> None:
    assert differences(BEFORE.replace(b"1h", b"45m")) == ["scenario cart_rescue: left_alone silence for: 1h -> 45m"]


def test_documents_fields_and_steps_come_and_go() -> None:
    after = BEFORE.replace(b"priority: 70\n", b"holdout: 10%\n").replace(b"  - {id: over, end: {}}\n", b"")
    after = after.replace(b"segment: loyal", b"segment: known")
    assert differences(after) == [
        "scenario cart_rescue: priority: 70 removed",
        "scenario cart_rescue: over: removed",
        "scenario cart_rescue: holdout: 10% added",
        "segment loyal: removed",
        "segment known: added",
    ]


POLICY = b"""
policy: contact
preferred_order: [email]
caps:
  - {class: marketing, limit: 2, per: 7d, on_hit: hold}
  - {class: marketing, channel: sms, limit: 1, per: month, on_hit: next_channel}
"""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b"limit: 1", b"limit: 3", "policy contact: caps 2 limit: 1 -> 3"),
        (
            b"caps:\n",
            b"caps:\n  - {limit: 9, per: 7d}\n",
            'policy contact: caps: {"limit": 9, "per": "7d"} added',
        ),
        (
            b"  - {class: marketing, limit: 2, per: 7d, on_hit: hold}\n",
            b"",
            'policy contact: caps: {"class": "marketing", "limit": 2, "per": "7d", "on_hit": "… removed',
        ),
    ],
)
def test_of_rules_without_names_those_that_changed_are_told(old: bytes, new: bytes, said: str) -> None:
    assert bundle_diff({"a.yaml": POLICY}, {"a.yaml": POLICY.replace(old, new)}) == [said]


def test_steps_in_another_order() -> None:
    lines = BEFORE.splitlines(keepends=True)
    lines[6], lines[7] = lines[7], lines[6]
    assert differences(b"".join(lines)) == ["scenario cart_rescue: steps: in another order: left_alone, over, nudge"]


def test_files_that_are_no_documents() -> None:
    changed = bundle_diff({"prices.csv": b"a\n", "gone.liquid": b"x"}, {"prices.csv": b"b\n", "new.liquid": b"y"})
    assert changed == ["file gone.liquid: removed", "file new.liquid: added", "file prices.csv: changed"]
