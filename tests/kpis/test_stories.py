"""The figures of the acceptance stories, KPI-01 to KPI-05 and KPI-07, counted from events."""

import pytest

from tests.kpis.house import DAY, Told, rows

HOUR = 3_600_000


def people(prefix: str, count: int) -> list[str]:
    return [f"user_id:{prefix}{number}" for number in range(count)]


def test_kpi_01_engagement_of_three_channels_and_of_one() -> None:
    told = Told()
    for number, person in enumerate(people("a", 1_000)):
        sent = [
            told.sends(person, "em.a", channel, hour * HOUR) for hour, channel in enumerate(("email", "push", "sms"))
        ]
        if number < 190:  # engaged, on two channels and twice on one: a person counts once
            told.does(person, "email.opened", 5 * HOUR, sent[0])
            told.does(person, "email.opened", 6 * HOUR, sent[0])
            told.does(person, "push.opened", 7 * HOUR, sent[1])
        elif number < 195:
            told.does(person, "email.opened", HOUR, sent[0], proxy=True)
        elif number < 200:
            told.does(person, "email.opened", 8 * DAY, sent[0])
    for number, person in enumerate(people("b", 1_000)):
        sent = [told.sends(person, "em.b", "email", 0)]
        if number < 54:
            told.does(person, "order_placed", DAY)
    kpi = """
kpi: engagement_rate
of: {count: persons, on: [email.opened, push.opened, link_clicked, order_placed], within: 7d}
over: {count: persons, on: delivered}
by: [campaign, channels_reached]
"""
    found = rows(kpi, told)
    assert {name: (row.of, row.over, row.value) for name, row in found.items()} == {
        "autumn/1": (54, 1_000, 0.054),
        "spring/3+": (190, 1_000, 0.19),
    }
    assert found["spring/3+"].of / found["autumn/1"].of == pytest.approx(3.52, abs=0.01)


def test_kpi_02_order_rate_with_three_channels_or_more() -> None:
    told = Told()
    for number, person in enumerate(people("one", 1_000)):
        told.sends(person, "em.a", "email", 0)
        if number < 10:
            told.does(person, "order_placed", 2 * DAY)
    for number, person in enumerate(people("three", 1_000)):
        for channel in ("email", "push", "sms"):
            told.sends(person, "em.a", channel, 0)
        if number < 59:
            told.does(person, "order_placed", 2 * DAY)
    kpi = """
kpi: order_rate
of: {count: persons, on: order_placed, within: 7d}
over: {count: persons, on: delivered}
by: [channels_reached]
versus: "1"
"""
    found = rows(kpi, told)
    assert (found["1"].of, found["3+"].of) == (10, 59)  # an order is attributed to one of both groups
    comparison = found["3+"].comparison
    assert comparison is not None
    assert comparison.difference == pytest.approx(0.049)
    assert comparison.uplift == pytest.approx(4.9)
    assert comparison.interval is not None
    assert comparison.interval.low == pytest.approx(0.0338, abs=0.0005)
    assert comparison.interval.high == pytest.approx(0.0660, abs=0.0005)
    assert found["1"].comparison is None


def test_kpi_03_retention_who_is_erased_is_lost() -> None:
    told = Told()
    for number, person in enumerate(people("c", 100)):
        told.does(person, "order_placed", 0, total=10.0)
        if number < 89:
            told.does(person, "order_placed", 400 * DAY, total=10.0)
    del told.people["user_id:c99"]
    kpi = """
kpi: retention
of: {count: persons, on: order_placed, where: 'event.meta.time >= timestamp("2027-01-01T00:00:00Z")', within: 730d}
over: {count: persons, on: order_placed, where: 'event.meta.time < timestamp("2027-01-01T00:00:00Z")'}
"""
    assert rows(kpi, told)[""].value == pytest.approx(0.89)


def test_kpi_04_spend_is_net_of_returns() -> None:
    told = Told()
    for person in people("plain", 50):
        told.does(told.person(person), "order_placed", 0, total=100.0)
    for person in people("omni", 50):
        told.person(person, "good")
        told.does(person, "order_placed", 0, total=150.0)
        told.does(person, "store.order_placed", DAY, total=200.0)
        told.does(person, "order_returned", 2 * DAY, total=100.0)
    kpi = """
kpi: spend
of: {sum: 'event.meta.type == "order_returned" ? -event.total : event.total', on: [order_placed, order_returned]}
over: {count: persons, on: order_placed}
by: [segment]
versus: (none)
"""
    found = rows(kpi, told)
    assert (found["(none)"].value, found["good"].value) == (100.0, 250.0)
    comparison = found["good"].comparison
    assert comparison is not None
    assert comparison.uplift == 1.5
    assert comparison.interval == (150.0, 150.0)


def test_kpi_05_online_share_by_month() -> None:
    told = Told()
    for month, online in ((0, 158), (31, 213)):
        for number in range(1_000):
            channel = "web" if number < online else "store"
            told.does(f"user_id:{month}-{number}", f"{channel}.order_placed", month * DAY, total=1.0)
    kpi = """
kpi: online_share
of: {sum: event.total, on: order_placed, where: 'event.meta.channel == "web"'}
over: {sum: event.total, on: order_placed}
by: [month]
"""
    assert {month: row.value for month, row in rows(kpi, told).items()} == {"2026-01": 0.158, "2026-02": 0.213}


def test_kpi_07_what_a_scenario_brings_against_those_who_are_held_out() -> None:
    told = Told()
    for number, person in enumerate(people("p", 1_000)):
        held = number % 10 == 0
        told.enters(person, "cross_sell", 0, holdout=held)
        told.enters(person, "win_back", HOUR)
        buys = number % 20 == 0 if held else number % 5 == 1
        if buys:
            told.does(person, "order_placed", DAY, total=40.0)
    kpi = """
kpi: margin
of: {sum: event.total, on: order_placed, within: 30d}
over: {count: persons, on: entered}
by: [scenario]
versus: holdout
"""
    found = rows(kpi, told)
    assert found["cross_sell/holdout"].value == 20.0
    assert found["cross_sell/treated"].value == pytest.approx(200 * 40 / 900)
    comparison = found["cross_sell/treated"].comparison
    assert comparison is not None
    assert comparison.interval is not None
    assert comparison.interval.low < comparison.difference < comparison.interval.high < 0
    assert found["win_back/treated"].comparison is None  # nobody is held out there
    assert found["win_back/treated"].of == 250 * 40.0  # every scenario is judged by all that followed it
