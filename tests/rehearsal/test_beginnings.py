"""How a test begins: customers with what is known of them, facts, history, lots that are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.rehearsal.conftest import Plays

ADDED = "{at: 0s, customer: amy, channel: web, on: cart_item_added, with: {sku: x1, qty: 1, cart: c1}}"
IDS = "ids: {email: amy@example.com, user_id: u-amy}"


def failures(played: Plays, body: str, customers: str) -> list[str]:
    return [f"{one.message} | {one.found}" for one in played(body, customers).failures]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("views: 3", "views: 3"),
        ("pages: [/a, /b]", "pages: [/a, /b]"),
        ("interests: {/a: 2.0}", "interests./a: 2.0"),
        ("vip: true", "vip: true"),
        ("bought_at: -3d", "bought_at: 2026-02-27T09:00:00Z"),
        ("bought_at: 2026-02-01T00:00:00Z", "bought_at: 2026-02-01T00:00:00Z"),
        ("cart: {id: c1, lines: [{sku: x1, qty: 2}]}", "cart.total: 160.0"),
        ("views: 12", "loyal: true"),
        ("preferred_channel: push", "preferred_channel: push"),
    ],
)
def test_any_trait_can_be_set(played: Plays, given: str, read: str) -> None:
    body = f"expect: [{{at: 0s, customer: amy, profile: {{{read}}}}}]"
    assert failures(played, body, f"amy: {{{IDS}, profile: {{{given}}}}}") == []


@pytest.mark.parametrize(
    ("given", "message"),
    [("loyal: true", "`loyal` is computed"), ("interests: 3", "`interests` is keyed")],
)
def test_what_cannot_be_set_is_said(played: Plays, given: str, message: str) -> None:
    (failure,) = failures(played, "until: 1s", f"amy: {{{IDS}, profile: {{{given}}}}}")
    assert message in failure


def test_a_trait_that_was_set_goes_on_with_events(played: Plays) -> None:
    body = """
    events: [{at: 1m, customer: amy, channel: web, on: page_viewed, with: {page: /b}}]
    expect: [{at: 1m, customer: amy, profile: {views: 4, pages: [/a, /b]}}]
    """
    assert failures(played, body, f"amy: {{{IDS}, profile: {{views: 3, pages: [/a]}}}}") == []


def test_identifiers_of_a_customer_are_one_person_from_the_start(played: Plays) -> None:
    body = """
    events:
      - {at: 0s, ids: {email: amy@example.com}, channel: web, on: page_viewed, with: {page: /a}}
      - {at: 1m, ids: {user_id: u-amy}, channel: web, on: page_viewed, with: {page: /a}}
      - {at: 2m, ids: {anonymous_id: a1}, channel: web, on: page_viewed, with: {page: /a}}
      - {at: 3m, ids: {anonymous_id: a1, email: amy@example.com}, channel: web, on: page_viewed, with: {page: /a}}
    expect: [{at: 3m, customer: amy, profile: {views: 4, ids.anonymous_id: a1}}]
    """
    assert failures(played, body, f"amy: {{{IDS}}}") == []


def test_without_consent_nothing_is_sent(played: Plays) -> None:
    body = f"events: [{ADDED}]\nexpect: [{{at: 1h, customer: amy, suppressed: em.cart, reason: no_consent}}]"
    assert failures(played, body, f"amy: {{{IDS}}}") == []


def test_the_zone_of_a_customer_counts_for_quiet_hours(played: Plays) -> None:
    body = f"events: [{ADDED}]\nexpect: [{{at: 1h, customer: amy, held: em.cart, reason: quiet_hours}}]"
    customers = f"amy: {{{IDS}, zone: Asia/Tokyo, consent: {{email: [product]}}}}"
    late = "start: 2026-03-02T12:00:00+01:00\nfacts: {price: {x1: {price: 80.0}}, stock: {x1/web: {qty: 4}}}"
    assert not played(body, customers, late).failures


def test_history_counts_but_expectations_do_not_see_it(played: Plays) -> None:
    body = """
    history:
      - {at: -2d, customer: amy, channel: web, on: order_placed, with: {order: o0}}
      - {at: -1d, customer: amy, channel: web, on: page_viewed, with: {page: /a}}
    expect: [{at: 0s, customer: amy, profile: {views: 1, bought_at: 2026-02-28T09:00:00Z, consent.email.product: true}}]
    exactly: []
    """
    assert failures(played, body, f"amy: {{{IDS}}}") == []


def test_nobody_is_held_out_unless_the_test_says_so(played: Plays) -> None:
    body = f"events: [{ADDED}]\nexpect: [{{at: 1h, customer: amy, sent: em.cart}}]"
    assert failures(played, body, f"amy: {{{IDS}, consent: {{email: [product]}}}}") == []
    held_out = f"amy: {{{IDS}, consent: {{email: [product]}}, in: {{rescue: holdout}}}}"
    assert failures(played, f"events: [{ADDED}]\nexactly: []\nuntil: 2d", held_out) == []


def test_an_experiment_takes_its_first_variant_unless_the_test_says_another(played: Plays) -> None:
    other = f"amy: {{{IDS}, consent: {{email: [product]}}, in: {{rescue.which: none}}}}"
    body = f"events: [{ADDED}]\nexactly: []\nexpect: [{{at: 2h, customer: amy, standing: rescue, step: seen}}]"
    assert failures(played, body, other) == []
    (failure,) = failures(played, body, f"amy: {{{IDS}, in: {{rescue.which: loud}}}}")
    assert "no variant `loud`; there are soft, none" in failure


def test_only_some_scenarios(played: Plays) -> None:
    order = "{at: 0s, customer: amy, channel: web, on: order_placed, with: {order: o1}}"
    body = f"only: [rescue]\nevents: [{order}]\nexactly: []\nuntil: 1h"
    assert failures(played, body, f"amy: {{{IDS}}}") == []
