"""What a test may expect, word by word: each holds where it should, and fails where it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrator.language.spec.story import EXPECTED
from orchestrator.rehearsal.checks import _CHECKS

if TYPE_CHECKING:
    from orchestrator.rehearsal.suite import Outcome
    from tests.rehearsal.conftest import Plays

ADDED = "{at: 0s, customer: amy, channel: web, on: cart_item_added, with: {sku: x1, qty: 1, cart: c1}}"
ORDERED = "{at: 20m, customer: amy, channel: web, on: order_placed, with: {order: o1}}"
TICKET = "{at: 0s, customer: amy, channel: crm, on: ticket_opened, with: {ticket: t1}}"


def messages(outcome: Outcome) -> str:
    return "\n".join(f"{failure.message} | {failure.found}" for failure in outcome.failures)


HOLDS = [
    (ADDED, "{at: 1h, customer: amy, sent: em.cart, channel: email, to: amy@example.com, with: {cart: {total: 80.0}}}"),
    (ADDED, "{at: 1h, sent: cart-reminder}"),
    (ADDED, "{at: 30m, customer: amy, silence: true}"),
    (ADDED, "{at: 30m, customer: amy, standing: rescue, step: left_alone}"),
    (ADDED, "{at: 0s, customer: amy, entered: rescue}"),
    (ADDED, "{at: 24h, customer: amy, ended: rescue, outcome: lost, reason: unseen}"),
    (ADDED, "{at: 0s, customer: amy, profile: {cart.total: 80, cart.lines.0.sku: x1, views: 0}}"),
    (ORDERED, "{at: 20m, customer: amy, emitted: order_confirmed, with: {order: o1}}"),
    (ORDERED, "{at: 20m, customer: amy, entered: thanks, key: o1}"),
    (ORDERED, "{at: 20m, customer: amy, profile: {bought_at: 2026-03-02T09:20:00Z}}"),
    (TICKET, "{at: 0s, customer: amy, task: care, key: t1, due: 4h}"),
    (TICKET, "{at: 4h, customer: amy, task: care, state: overdue}"),
    (TICKET, "{at: 1h, customer: amy, task: care, state: open}"),
    (TICKET, "{at: 1s, customer: amy, context: {tasks.0.queue: care, views: 0}}"),
]
FAILS = [
    (ADDED, "{at: 2h, customer: amy, sent: em.cart}", "em.cart was sent by email"),
    (ADDED, "{at: 1h, customer: amy, sent: em.cart, to: eva@example.com}", "to amy@example.com"),
    (ADDED, "{at: 1h, customer: amy, sent: em.thanks}", "no scenario reached a send of em.thanks"),
    (ADDED, "{at: 2h, customer: amy, silence: true}", "em.cart was sent by email to amy@example.com at 1h"),
    (ADDED, "{at: 1h, customer: amy, emitted: order_confirmed}", "no order_confirmed went out"),
    (ADDED, "{at: 30m, customer: amy, standing: rescue, step: nudge}", "stands at left_alone"),
    (ADDED, "{at: 0s, customer: amy, entered: care}", "nobody entered care"),
    (ADDED, "{at: 24h, customer: amy, ended: rescue, outcome: won}", "ended rescue: lost unseen"),
    (ADDED, "{at: 0s, customer: amy, profile: {cart.total: 81}}", "cart.total is 80.0, not 81"),
    (ADDED, "{at: 0s, customer: amy, profile: {cart.size: 1}}", "cart.size is not there"),
    (TICKET, "{at: 0s, customer: amy, task: care, due: 5h}", "task care (due: 5h) | care open (key: t1, due 4h)"),
    (TICKET, "{at: 0s, customer: amy, task: sales}", "no task was opened in sales"),
]


@pytest.mark.parametrize(("event", "expected"), HOLDS)
def test_what_came_is_seen(played: Plays, event: str, expected: str) -> None:
    assert messages(played(f"events: [{event}]\nexpect: [{expected}]")) == ""


@pytest.mark.parametrize(("event", "expected", "instead"), FAILS)
def test_what_did_not_come_fails_with_what_came_instead(played: Plays, event: str, expected: str, instead: str) -> None:
    said = messages(played(f"events: [{event}]\nexpect: [{expected}]"))
    assert said != ""
    assert instead in said


def test_a_message_at_night_is_held_until_the_morning(played: Plays) -> None:
    night = "start: 2026-03-02T20:30:00+01:00\nfacts: {price: {x1: {price: 80.0}}, stock: {x1/web: {qty: 4}}}"
    outcome = played(
        f"""
        events: [{ADDED}]
        expect:
          - {{at: 1h, customer: amy, held: em.cart, reason: quiet_hours}}
          - {{at: 5h, customer: amy, held: em.cart, reason: quiet_hours}}
          - {{at: 11h30m, customer: amy, sent: em.cart}}
        """,
        begins=night,
    )
    assert messages(outcome) == ""


def test_a_message_that_was_not_sent_names_its_gate(played: Plays) -> None:
    outcome = played(
        f"""
        events:
          - {ADDED}
          - {{at: 30m, channel: stock, on: level_changed, with: {{sku: x1, place: web, qty: 0}}}}
        expect:
          - {{at: 1h, customer: amy, suppressed: em.cart, reason: out_of_stock}}
          - {{at: 1h, customer: amy, sent: em.cart}}
        """
    )
    assert messages(outcome).startswith("amy: sent em.cart | suppressed cart-reminder: out_of_stock (channel: email")


def test_a_slot_is_asked_then_and_sees_the_request_that_asks(played: Plays) -> None:
    outcome = played(
        """
        events: [{at: 0s, customer: amy, channel: web, on: page_viewed, with: {page: /a}}]
        expect:
          - {at: 1m, slot: web.top, ids: {user_id: u-amy}, ask: {channel: web}, gives: ct.hello, reason: fallback}
          - at: 2m
            slot: web.top
            customer: amy
            ask: {channel: web}
            event: {on: page_viewed, with: {page: /b}}
            gives: ct.back
            values: {views: 2}
          - {at: 3m, slot: web.top, ids: {anonymous_id: stranger}, ask: {channel: web}, gives: ct.hello}
          - {at: 3m, slot: web.top, ids: {anonymous_id: stranger}, ask: {channel: web}, gives: ct.back}
        """
    )
    asked = '(ids: {"anonymous_id": "stranger"}, ask: {"channel": "web"}, gives: ct.back)'
    assert messages(outcome) == f"slot web.top {asked} | it gives ct.hello (fallback)"


def test_a_name_is_bound_where_it_appears_first_and_known_to_later_events(played: Plays) -> None:
    outcome = played(
        """
        events:
          - {at: 0s, customer: amy, channel: crm, on: ticket_opened, with: {ticket: t-77}}
          - {at: 1h, channel: crm, on: ticket_closed, with: {ticket: $ticket}}
        expect:
          - {at: 0s, customer: amy, task: care, key: $ticket}
          - {at: 1h, customer: amy, task: care, state: closed, key: t-77}
          - {at: 1h, customer: amy, ended: care, key: $ticket, reason: solved}
          - {at: 0s, customer: amy, entered: care, key: $other}
          - {at: 1h, customer: amy, ended: care, key: $other}
        """
    )
    assert messages(outcome) == ""


def test_a_name_that_nothing_bound_is_an_error_at_its_place(played: Plays) -> None:
    outcome = played("events: [{at: 0s, customer: amy, channel: crm, on: ticket_opened, with: {ticket: $t}}]")
    (failure,) = outcome.failures
    assert "`$t` is not bound yet" in failure.message
    assert failure.at.file == "shop_test.yaml"


def test_an_event_that_cannot_be_taken_in_is_rejected(played: Plays) -> None:
    outcome = played(
        """
        events:
          - {at: 0s, channel: web, on: page_viewed, id: e-nobody, with: {page: /a}}
          - {at: 1m, happened: 2h, customer: amy, channel: web, on: page_viewed, id: e-future, with: {page: /a}}
        expect:
          - {at: 0s, rejected: e-nobody, reason: no_identifier}
          - {at: 1m, rejected: e-future, reason: future_time}
        """
    )
    assert messages(outcome) == ""


def test_copies_of_an_event_count_once(played: Plays) -> None:
    outcome = played(
        """
        events: [{at: 0s, customer: amy, channel: web, on: page_viewed, with: {page: /a}, copies: 3}]
        expect: [{at: 0s, customer: amy, profile: {views: 1, pages: [/a], interests./a: 1.0}}]
        """
    )
    assert messages(outcome) == ""


def test_never_looks_at_what_happened_and_at_how_things_were(played: Plays) -> None:
    outcome = played(
        f"""
        events: [{ADDED}]
        never:
          - {{customer: amy, sent: em.cart, before: 1h}}
          - {{sent: em.thanks}}
          - {{customer: amy, sent: em.cart, after: 30m}}
          - {{customer: amy, standing: rescue, step: seen}}
          - {{customer: amy, profile: {{cart.total: 80}}, before: 10m}}
        until: 2h
        """
    )
    assert [failure.message for failure in outcome.failures] == [
        "never: amy: sent em.cart (after: 30m)".replace(" (after: 30m)", ""),
        "never: amy: standing rescue (step: seen)",
        "never: amy: profile (cart.total: 80)",
    ]


def test_exactly_names_every_send(played: Plays) -> None:
    both = f"events: [{ADDED}, {{at: 2h, customer: amy, channel: web, on: order_placed, with: {{order: o1}}}}]"
    named = "exactly: [{at: 1h, sent: em.cart}, {at: 2h, sent: em.thanks}]"
    assert messages(played(f"{both}\n{named}\nuntil: 3h")) == ""
    one_more = played(f"{both}\nexactly: [{{at: 1h, sent: em.cart}}]\nuntil: 3h")
    assert messages(one_more) == "exactly: em.thanks was sent to amy by email as well | "
    one_less = played(f"{both}\nexactly: [{{at: 1h, sent: em.cart}}, {{at: 90m, sent: em.thanks}}]\nuntil: 95m")
    assert "exactly: sent em.thanks" in messages(one_less)


def test_what_was_sent_to_somebody_was_not_published(played: Plays) -> None:
    outcome = played(f"events: [{ADDED}]\nexpect: [{{at: 0s, published: em.cart}}]")
    assert "no story of the brand published em.cart" in messages(outcome)


def test_whatever_a_test_may_expect_can_be_looked_at() -> None:
    assert set(EXPECTED) == _CHECKS.keys()
