"""The customer's clock: delays over summer time, weekdays, calendars, zones that change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from play import START, D, H, M, Play, event_bytes, program_of

from orchestrator.engine.calendars import OpenHours
from orchestrator.engine.gates.hours import quiet_at
from orchestrator.engine.local_time import (
    instant,
    local,
    minutes_gone,
    minutes_of_day,
    next_time,
    start_of_day,
    start_of_month,
    start_of_week,
    within,
    zone,
)
from orchestrator.model.ids import node_key
from orchestrator.rehearsal.world import World

PARIS = ZoneInfo("Europe/Paris")


def ms(text: str) -> int:
    """A moment of Paris, unless it names its offset."""
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=PARIS)).timestamp() * 1000)


def text(at: int) -> str:
    return local(at, PARIS).isoformat(timespec="minutes")


# Pure time.


def test_an_hour_that_summer_time_skips_is_taken_at_its_end() -> None:
    assert text(instant(datetime(2026, 3, 29, tzinfo=UTC).date(), 2 * 60 + 30, PARIS)) == "2026-03-29T03:00+02:00"


def test_a_doubled_hour_counts_once_the_first() -> None:
    assert text(instant(datetime(2026, 10, 25, tzinfo=UTC).date(), 2 * 60 + 30, PARIS)) == "2026-10-25T02:30+02:00"


ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca")
TIMES = st.integers(ms("2020-01-01T00:00"), ms("2030-01-01T00:00"))


@given(TIMES, st.integers(0, 24 * 60 - 1), st.sampled_from(ZONES))
def test_the_next_time_of_day_is_not_past_and_within_two_days(at: int, minutes: int, name: str) -> None:
    where = ZoneInfo(name)
    due = next_time(at, minutes, where)
    assert at <= due <= at + 2 * D
    wall = local(due, where)
    assert wall.hour * 60 + wall.minute == minutes or local(due - 1, where).utcoffset() != wall.utcoffset()


@given(TIMES)
def test_days_weeks_and_months_begin_at_local_midnight(at: int) -> None:
    day, week, month = (begin(at, PARIS) for begin in (start_of_day, start_of_week, start_of_month))
    assert month <= day <= at
    assert week <= day
    assert {minutes_of_day(begin, PARIS) for begin in (day, week, month)} == {0}
    assert local(week, PARIS).weekday() == 0
    assert local(month, PARIS).day == 1


def test_days_later_and_weekdays() -> None:
    monday = ms("2026-03-02T10:00")
    assert text(next_time(monday, 9 * 60, PARIS)) == "2026-03-03T09:00+01:00"
    assert text(next_time(monday, 10 * 60, PARIS)) == "2026-03-02T10:00+01:00"
    assert text(next_time(monday, 9 * 60, PARIS, days_later=2)) == "2026-03-04T09:00+01:00"
    assert text(next_time(monday, 9 * 60, PARIS, weekdays=("mon",))) == "2026-03-09T09:00+01:00"
    assert text(next_time(monday, 9 * 60, PARIS, days_later=1, weekdays=("sat", "sun"))) == "2026-03-07T09:00+01:00"


@pytest.mark.parametrize(
    ("now", "inside"),
    [("21:00", True), ("23:59", True), ("00:00", True), ("07:59", True), ("08:00", False), ("20:59", False)],
)
def test_hours_across_midnight(now: str, inside: bool) -> None:
    hours, minutes = (int(part) for part in now.split(":"))
    assert within(hours * 60 + minutes, 21 * 60, 8 * 60) is inside


@given(TIMES, st.integers(0, 24 * 60 - 1), st.integers(0, 24 * 60 - 1), st.sampled_from(ZONES))
def test_hours_are_under_way_from_their_begin_to_their_end_over_every_change_of_the_clock(
    at: int, begin: int, end: int, name: str
) -> None:
    where = ZoneInfo(name)
    today = local(at, where).date()
    spans = [
        (instant(day, begin, where), instant(day + timedelta(days=end < begin), end, where))
        for day in (today - timedelta(days=1), today)
    ]
    assert within(minutes_gone(at, where), begin, end) == any(since <= at < until for since, until in spans)


@pytest.mark.parametrize(
    ("begin", "end", "now", "until"),
    [
        ("21:00", "02:30", "02:15+02:00", "02:30+02:00"),
        ("21:00", "02:30", "02:15+01:00", None),
        ("02:30", "08:00", "02:15+01:00", "08:00+01:00"),
        ("21:00", "03:00", "02:59+01:00", "03:00+01:00"),
        ("02:15", "02:45", "02:20+01:00", None),
    ],
    ids=["the first time", "over since the first time", "begun the first time", "not over yet", "once"],
)
def test_quiet_hours_know_that_of_a_doubled_hour_the_first_counts(
    begin: str, end: str, now: str, until: str | None
) -> None:
    """They ended at the first 02:30 and began again at the second 02:00, to hold a message for a day."""
    hours = f'quiet_hours: [{{from: "{begin}", to: "{end}"}}]'
    policy = program_of(f"policy: p\npreferred_order: [email]\n{hours}").policy
    assert policy is not None
    quiet = quiet_at(policy, "marketing", "push", ms(f"2026-10-25T{now}"), PARIS)
    assert (quiet and text(quiet.until)) == (until and f"2026-10-25T{until}")


def test_a_shop_that_opens_in_a_doubled_hour_opens_once() -> None:
    shop = OpenHours(("sun",), 2 * 60 + 30, 18 * 60, PARIS)
    assert [shop.is_open(ms(f"2026-10-25T{at}")) for at in ("02:15+02:00", "02:30+02:00", "02:15+01:00")] == [
        False, True, True,
    ]  # fmt: skip


def test_an_unknown_zone_is_the_bundles() -> None:
    assert zone("Mars/Olympus", "Europe/Paris") == PARIS
    assert zone("../../etc/passwd", "Europe/Paris") == PARIS
    assert zone("", "Europe/Paris") == PARIS


def test_opening_hours_know_weekdays_and_closed_dates() -> None:
    shop = OpenHours(("mon", "tue"), 9 * 60, 18 * 60, PARIS, frozenset({"2026-03-09"}))
    assert shop.is_open(ms("2026-03-02T09:00"))
    assert not shop.is_open(ms("2026-03-02T18:00"))
    assert text(shop.next_opening(ms("2026-03-03T18:00"))) == "2026-03-10T09:00+01:00"
    with pytest.raises(ValueError, match="400 days"):
        OpenHours((), 0, 60, PARIS).next_opening(START)


def test_hours_that_end_after_midnight_belong_to_the_day_they_began_on() -> None:
    bar = OpenHours(("fri",), 18 * 60, 2 * 60, PARIS)
    assert [bar.is_open(ms(f"2026-03-{at}")) for at in ("06T17:59", "06T18:00", "07T01:59", "07T02:00")] == [
        False, True, True, False,
    ]  # fmt: skip
    assert not bar.is_open(ms("2026-03-06T01:00"))
    assert text(bar.next_opening(ms("2026-03-07T02:00"))) == "2026-03-13T18:00+01:00"


# In a story.


def story_at(begin: str, delay: str, *more: str) -> Any:
    """A customer who begins to wait at a moment of Paris."""
    program = program_of(f"scenario: tale\nentry: {{on: seen}}\nsteps: [{{id: wait, delay: {delay}}}]", *more)
    world = World(program, ms(begin), 1)
    world.arrive(
        "channel.web", node_key("default", "user_id:amy"), event_bytes("seen", "e1", {"user_id": "amy"}), ms(begin)
    )
    [instance] = world.customers()[0][1].instances
    return instance.standing[0].due


@pytest.mark.parametrize(
    ("begin", "delay", "due"),
    [
        ("2026-03-28T20:00", "{for: 1d}", "2026-03-29T21:00+02:00"),
        ("2026-03-28T20:00", '{time: "20:00", days_later: 1}', "2026-03-29T20:00+02:00"),
        ("2026-03-28T20:00", '{time: "02:30"}', "2026-03-29T03:00+02:00"),
        ("2026-10-24T20:00", '{time: "02:30"}', "2026-10-25T02:30+02:00"),
        ("2026-10-24T20:00", "{for: 1d}", "2026-10-25T19:00+01:00"),
        ("2026-03-06T10:00", '{time: "09:00", weekdays: [mon]}', "2026-03-09T09:00+01:00"),
    ],
)
def test_delays_over_summer_time(begin: str, delay: str, due: str) -> None:
    """`for` is exact, a `time` is the o'clock on the wall."""
    assert text(story_at(begin, delay)) == due


def test_an_end_outside_of_a_calendar_moves_to_the_next_opening() -> None:
    shop = 'calendar: shop\ndays: [mon, tue, wed, thu, fri]\nfrom: "09:00"\nto: "18:00"'
    assert text(story_at("2026-03-06T17:30", "{for: 1h, calendar: shop}", shop)) == "2026-03-09T09:00+01:00"


def test_an_end_that_is_past_is_now_and_then_opening_hours_count_too() -> None:
    shop = 'calendar: shop\ndays: [mon, tue, wed, thu, fri]\nfrom: "09:00"\nto: "18:00"'
    past = """{until: 'entry.meta.time - duration("1d")', calendar: shop}"""
    assert text(story_at("2026-03-06T19:30", past, shop)) == "2026-03-09T09:00+01:00"


def test_a_changed_zone_re_times_a_delay_that_waits_for_an_oclock() -> None:
    zones = "traits: t\ndefine: {zone: {last: event.value, on: told}}"
    steps = '[{id: wait, delay: {time: "18:00"}}, {id: exact, delay: {for: 1h}}]'
    play = Play(zones, f"scenario: tale\nentry: {{on: seen}}\nsteps: {steps}")
    play.comes("seen")
    assert play.customer().instances[0].standing[0].due == START + 8 * H
    play.comes("told", 1 * M, value="America/New_York")
    assert play.customer().instances[0].standing[0].due == START + 14 * H


def test_a_delay_that_is_past_passes_at_once() -> None:
    wait = """{id: wait, delay: {until: 'entry.meta.time - duration("1d")'}}"""
    play = Play(f"scenario: tale\nentry: {{on: seen}}\nsteps: [{wait}, {{id: say, emit: {{event: opened}}}}]")
    play.comes("seen")
    assert len(play.emitted) == 1
