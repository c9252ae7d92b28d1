"""Suites: shuffles, languages, coverage, and what is reported of failures."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from orchestrator.rehearsal import report
from orchestrator.rehearsal.coverage import Coverage
from orchestrator.rehearsal.suite import chosen, play

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.language.bundle import Bundle

TESTS = """
test: a cart that is left
start: 2026-03-02T10:00:00+01:00
customers: {amy: {ids: {email: amy@example.com}, consent: {email: [product]}}}
facts: {price: {x1: {price: 80.0}}, stock: {x1/web: {qty: 4}}}
events: [{at: 0s, customer: amy, channel: web, on: cart_item_added, with: {sku: x1, qty: 1, cart: c1}}]
expect:
  - {at: 1h, customer: amy, sent: em.cart}
  - {at: 24h, customer: amy, ended: rescue, reason: unseen}
---
test: it fails
start: 2026-03-02T10:00:00+01:00
customers: {amy: {ids: {email: amy@example.com}}}
facts: {price: {x1: {price: 20.0}}}
events: [{at: 0s, customer: amy, channel: web, on: cart_item_added, with: {sku: x1, qty: 1, cart: c1}}]
expect: [{at: 0s, customer: amy, entered: rescue}]
"""


def test_a_failure_points_at_its_line_and_prints_the_trace_that_explains_it(shop: Callable[..., Bundle]) -> None:
    bundle = shop(TESTS)
    (outcome,) = play(bundle, chosen(bundle, pattern="fails"))
    said = report.failed(outcome, {"shop_test.yaml": TESTS.strip().splitlines()}, "scenarios")
    assert "scenarios/shop_test.yaml:15:10: amy: entered rescue" in said
    assert "  15 | expect: [{at: 0s, customer: amy, entered: rescue}]\n                ^" in said
    assert "not entered rescue: `profile.cart.total >= 50.0` is false (profile.cart.total is 20.0)" in said


def test_coverage_names_the_steps_and_branches_that_nothing_reaches(shop: Callable[..., Bundle]) -> None:
    bundle = shop(TESTS)
    coverage = Coverage(bundle)
    list(play(bundle, chosen(bundle), coverage=coverage))
    by_name = {one.scenario: one for one in coverage.scenarios()}
    assert [missing.name for missing in by_name["rescue"].missing] == ["which.none", "seen.then"]
    assert (by_name["rescue"].reached, by_name["rescue"].total) == (7, 9)
    assert by_name["thanks"].reached == 0
    shown = report.coverage(by_name.values(), "")
    assert "rescue: seen.then" in shown
    assert "7 of" in shown


def test_junit_has_a_case_for_each_test_and_the_failure_with_its_place(shop: Callable[..., Bundle]) -> None:
    bundle = shop(TESTS)
    suites = ET.fromstring(report.junit(list(play(bundle, chosen(bundle))), "scenarios"))  # noqa: S314 - our own
    cases = suites.findall(".//testcase")
    assert [case.get("name") for case in cases] == ["a cart that is left", "it fails"]
    assert [len(case.findall("failure")) for case in cases] == [0, 1]
    failure = cases[1].find("failure")
    assert failure is not None
    assert (failure.get("message") or "").startswith("scenarios/shop_test.yaml:15:10")


def test_events_may_be_shuffled_where_order_does_not_matter(shop: Callable[..., Bundle]) -> None:
    text = """
    test: visitors become known in any order
    start: 2026-03-02T10:00:00+01:00
    facts: {price: {x1: {price: 80.0}}, stock: {x1/web: {qty: 4}}}
    customers: {amy: {ids: {user_id: u-amy, email: amy@example.com}, consent: {email: [product]}}}
    events:
      - {at: 0s, ids: {anonymous_id: a1}, channel: web, on: page_viewed, with: {page: /a}}
      - {at: 1m, customer: amy, channel: web, on: page_viewed, with: {page: /b}}
      - {at: 2m, customer: amy, channel: web, on: cart_item_added, with: {sku: x1, qty: 1, cart: c1}}
      - {at: 3m, ids: {anonymous_id: a1, user_id: u-amy}, channel: web, on: page_viewed, with: {page: /a}}
    expect: [{at: 3m, customer: amy, profile: {views: 3}}]
    shuffle: 5m
    until: 3h
    """
    bundle = shop(text)
    for seed in range(5):
        (outcome,) = play(bundle, chosen(bundle), seed=seed)
        assert [(one.message, one.found) for one in outcome.failures] == [], f"seed {seed}"


def test_a_shuffle_that_matters_fails_with_the_seed_and_the_order(shop: Callable[..., Bundle]) -> None:
    text = """
    test: the second page is the one that counts
    start: 2026-03-02T10:00:00+01:00
    customers: {amy: {ids: {user_id: u-amy}}}
    events:
      - {at: 0s, customer: amy, channel: crm, on: ticket_opened, with: {ticket: t1}, id: opened}
      - {at: 1m, customer: amy, channel: crm, on: ticket_closed, with: {ticket: t1}, id: closed}
    expect: [{at: 1m, customer: amy, ended: care}]
    shuffle: 9m
    """
    bundle = shop(text)
    (outcome,) = play(bundle, chosen(bundle), seed=7)
    assert any("shuffled (--seed 7)" in one.message for one in outcome.failures)
    assert any(one.found == "order of arrival: closed, opened" for one in outcome.failures)


def test_a_test_also_runs_in_other_languages(shop: Callable[..., Bundle]) -> None:
    text = """
    test: it speaks
    start: 2026-03-02T10:00:00+01:00
    customers: {amy: {ids: {user_id: u-amy}}, eva: {ids: {user_id: u-eva}, language: fr}}
    expect:
      - {at: 0s, customer: eva, profile: {language: fr}}
      - {at: 0s, customer: amy, profile: {language: fr}}
    language: [de]
    until: 1s
    """
    bundle = shop(text)
    first, german = play(bundle, chosen(bundle))
    assert (first.name, first.failures) == ("it speaks", ())
    assert german.name == "it speaks [de]"
    assert [one.found for one in german.failures] == ["language is 'de', not 'fr'"]


def test_the_same_test_gives_the_same_record_every_time(shop: Callable[..., Bundle]) -> None:
    bundle = shop(TESTS)
    records = []
    for _ in range(2):
        (outcome,) = play(bundle, chosen(bundle, pattern="fails"))
        assert outcome.run is not None
        records.append(outcome.run.world.record.happenings)
    assert records[0] == records[1]
    assert records[0]


@pytest.mark.parametrize("name", ["opened", "email.opened"])
def test_an_event_declared_apart_by_channel_is_known_by_its_bare_name_too(
    shop: Callable[..., Bundle], name: str
) -> None:
    apart = """
    events: more
    define: {email.clicked: {channel: [email]}, push.clicked: {channel: [push]}}
    ---
    scenario: follow
    entry: {on: email.clicked}
    steps: [{id: wait, delay: {for: 1h}}]
    ---
    test: a click
    only: [follow]
    start: 2026-03-02T10:00:00+01:00
    customers: {amy: {ids: {email: amy@example.com}}}
    events: [{at: 0s, customer: amy, channel: email, on: NAME}]
    expect: [{at: 0s, customer: amy, entered: follow}]
    """
    bundle = shop(dedent(apart).replace("NAME", name.replace("opened", "clicked")))
    (outcome,) = play(bundle, chosen(bundle))
    assert not outcome.failures
