"""Entry by `every` and `at`: each customer's own timer; neither publishing nor a changed zone floods or doubles.

Plays start on Monday, 2 March 2026, 10:00 in Paris (09:00 UTC).
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from play import START, D, H, M, Play, program_of

from orchestrator.engine.program.schedule import Schedule
from orchestrator.rehearsal.explain import explain

EVENTS = """
---
events: told_outside
define: {wave: {channel: [web]}}
---
traits: spoken
define:
  zone: {last: [{on: told, where: 'event.word == "zone"', value: event.value}]}
  gone: {last: event.flag, on: told}
"""


def wave(entry: str, more: str = "") -> str:
    return f"""
scenario: wave
audience: profile.id != "" && profile.gone != true
entry: {{{entry}}}
{more}
steps:
  - {{id: tell, emit: {{event: wave, with: {{at: string(entry.meta.time), now: string(now), by: entry.meta.type}}}}}}
{EVENTS}"""


def waves(play: Play) -> list[str]:
    """Local times of Paris at which it was sent."""
    paris = ZoneInfo("Europe/Paris")
    return [
        datetime.fromtimestamp(emitted.time / 1000, UTC).astimezone(paris).strftime("%a %d %H:%M")
        for emitted in play.emitted
    ]


EVERY = 'every: {days: [wed, fri], time: "09:00"}'


def test_every_wednesday_and_friday_at_nine() -> None:
    play = Play(wave(EVERY))
    play.comes("seen", 0)
    play.passes(12 * D)
    assert waves(play) == ["Wed 04 09:00", "Fri 06 09:00", "Wed 11 09:00", "Fri 13 09:00"]
    assert {emitted.data["by"] for emitted in play.emitted} == {"every"}


def test_days_of_the_month() -> None:
    play = Play(wave('every: {days: ["1", "15"], time: "09:00"}'))
    play.comes("seen", 0)
    play.passes(40 * D)
    assert waves(play) == ["Sun 15 09:00", "Wed 01 09:00"]


def test_nobody_enters_for_a_time_that_was_before_they_were_known() -> None:
    play = Play(wave(EVERY))
    play.comes("seen", 2 * D)
    play.passes(3 * D)
    assert waves(play) == []


def test_the_clock_is_the_customers_own() -> None:
    play = Play(wave(EVERY))
    play.comes("told", 0, word="zone", value="America/New_York")
    play.passes(3 * D)
    assert waves(play) == ["Wed 04 15:00"]


def test_or_the_brands() -> None:
    play = Play(wave('every: {days: [wed], time: "09:00", zone: brand}'))
    play.comes("told", 0, word="zone", value="America/New_York")
    play.passes(3 * D)
    assert waves(play) == ["Wed 04 09:00"]


def test_the_same_day_does_not_come_twice_when_somebody_flies_west() -> None:
    play = Play(wave(EVERY))
    play.comes("seen", 0)
    play.passes(2 * D)
    assert waves(play) == ["Wed 04 09:00"]
    play.comes("told", 2 * D + M, word="zone", value="America/New_York")
    play.passes(3 * D + 12 * H)
    assert waves(play) == ["Wed 04 09:00"]
    play.passes(5 * D)
    assert waves(play) == ["Wed 04 09:00", "Fri 06 15:00"]


def test_a_time_that_a_flight_east_jumped_over_comes_at_once() -> None:
    play = Play(wave(EVERY))
    play.comes("told", 0, word="zone", value="America/New_York")
    play.comes("told", 2 * D, word="zone", value="Asia/Tokyo")
    play.passes(2 * D + M)
    assert waves(play) == ["Wed 04 10:00"]
    play.passes(3 * D)
    assert waves(play) == ["Wed 04 10:00"]


def test_the_audience_is_asked_when_it_is_time() -> None:
    play = Play(wave(EVERY))
    play.comes("seen", 0)
    play.comes("told", 3 * D, flag=True)
    play.passes(10 * D)
    assert waves(play) == ["Wed 04 09:00"]
    play.comes("told", 10 * D, flag=False)
    play.passes(12 * D)
    assert waves(play) == ["Wed 04 09:00", "Fri 13 09:00"]


def test_at_is_one_wave_for_everybody() -> None:
    play = Play(wave("at: 2026-03-02T12:00:00+01:00"))
    play.comes("seen", 0)
    play.comes("told", 0, "user_id:ben", word="zone", value="America/New_York")
    play.passes(3 * D)
    assert waves(play) == ["Mon 02 12:00", "Mon 02 12:00"]


def test_at_without_offset_is_each_customers_local_time_once() -> None:
    play = Play(wave("at: 2026-03-02T12:00:00"))
    play.comes("seen", 0)
    play.comes("told", 0, "user_id:ben", word="zone", value="America/New_York")
    play.passes(2 * H)
    assert waves(play) == ["Mon 02 12:00"]
    play.comes("told", 2 * H + M, word="zone", value="America/New_York")
    play.passes(3 * D)
    assert waves(play) == ["Mon 02 12:00", "Mon 02 18:00"]


def test_a_wave_that_is_over_is_nobodys_any_more() -> None:
    play = Play(wave("at: 2026-03-02T09:59:00+01:00"))
    play.comes("seen", 0)
    play.passes(D)
    assert waves(play) == []
    assert play.customer().matching == {}


def test_two_halves_of_a_customer_enter_once() -> None:
    play = Play(wave(EVERY), partitions=4)
    play.comes("seen", 0, "anonymous_id:a1")
    play.comes("seen", 0, "user_id:amy")
    play.comes("seen", 1 * H, "user_id:amy anonymous_id:a1")
    play.passes(3 * D)
    assert waves(play) == ["Wed 04 09:00"]


def test_a_key_and_a_live_instance_keep_their_rules() -> None:
    play = Play(wave(EVERY).replace("steps:\n", "steps:\n  - {id: week, delay: {for: 5d}}\n"))
    play.comes("seen", 0)
    play.passes(20 * D)
    assert waves(play) == ["Mon 09 09:00", "Mon 16 09:00"]


def test_schedules_leave_a_bundle_without_them_alone() -> None:
    play = Play("scenario: a\nentry: {on: seen}\nsteps: [{id: stop, end: {}}]\n")
    play.comes("seen")
    assert play.program.schedules == ()
    assert play.customer().matching == {}


def schedule(entry: str) -> Schedule:
    planned = program_of(wave(entry)).scenarios["wave"].schedule
    assert planned is not None
    return planned


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-28T12:00+01:00", "2026-03-29T03:00+02:00"),  # 02:30 does not exist that day: the end of the gap
        ("2026-10-24T12:00+02:00", "2026-10-25T02:30+02:00"),  # 02:30 comes twice: the first counts
        ("2026-10-25T02:30+02:00", "2026-10-26T02:30+01:00"),
    ],
)
def test_hours_that_summer_time_skips_or_doubles(now: str, due: str) -> None:
    days = "[mon, tue, wed, thu, fri, sat, sun]"
    occurrence = schedule(f'every: {{days: {days}, time: "02:30"}}').next(at(now), ZoneInfo("Europe/Paris"), "")
    assert occurrence is not None
    assert occurrence.due == at(due)


def test_the_plays_start_where_the_docstring_says() -> None:
    assert at("2026-03-02T10:00+01:00") == START


def test_explain_says_when_it_starts() -> None:
    play = Play(wave(EVERY))
    play.comes("seen", 0)
    (account,) = explain(play.world, ["user_id:amy"], play.world.record.happenings).scenarios
    assert [(one.at, one.what) for one in account.next] == [
        (at("2026-03-04T09:00+01:00"), "it starts by the clock, if they are of the audience then")
    ]
