"""What each word of a `kpi` document counts."""

import pytest

from tests.kpis.house import DAY, Told, count, rows

HOUR = 3_600_000


def value(kpi: str, told: Told) -> float | None:
    (row,) = count(f"kpi: it\n{kpi}", told).rows
    return row.value


def test_events_persons_and_what_there_is_none_of() -> None:
    told = Told()
    for _ in range(3):
        told.does("user_id:amy", "order_placed", 0)
    told.does("user_id:ben", "store.order_placed", 0)
    assert value("of: {count: events, on: order_placed}", told) == 4
    assert value("of: {count: persons, on: order_placed}", told) == 2
    assert value("of: {count: events, on: web.order_placed}", told) == 3
    assert value("of: {count: persons, on: order_placed}\nover: 4", told) == 0.5
    assert value("of: {count: events, on: order_returned}", told) == 0
    assert value("of: {count: events, on: order_placed}\nover: {count: events, on: order_returned}", told) is None


def test_an_event_whose_condition_cannot_be_evaluated_is_not_counted() -> None:
    told = Told()
    told.does("user_id:amy", "order_placed", 0, total=5.0)
    told.does("user_id:amy", "order_placed", 0)
    assert value("of: {count: events, on: order_placed, where: event.total > 1.0}", told) == 1
    assert value("of: {sum: event.total, on: order_placed}", told) == 5


def test_a_proxys_openings_count_only_for_who_asks_for_them() -> None:
    told = Told()
    source = told.sends("user_id:amy", "em.a", "email", 0)
    told.does("user_id:amy", "email.opened", 1, source, proxy=True)
    told.does("user_id:amy", "email.opened", 2, source, proxy=False)
    assert value("of: {count: events, on: email.opened}", told) == 1
    assert value("of: {count: events, on: email.opened, where: event.proxy}", told) == 1


def test_an_outcome_counts_for_its_own_message_however_old() -> None:
    told = Told()
    first = told.sends("user_id:amy", "em.a", "email", 0)
    told.sends("user_id:amy", "em.b", "email", 1 * DAY, "win_back")
    told.does("user_id:amy", "email.opened", 2 * DAY, first)
    told.does("user_id:amy", "order_placed", 3 * DAY)
    engaged = "of: {count: persons, on: [email.opened], within: 7d}\nover: {count: persons, on: delivered}\n"
    ordered = "of: {count: persons, on: [order_placed], within: 7d}\nover: {count: persons, on: delivered}\n"
    assert {name: row.of for name, row in rows(f"kpi: it\n{engaged}by: [campaign]", told).items()} == {
        "autumn": 0, "spring": 1,
    }  # fmt: skip
    assert {name: row.of for name, row in rows(f"kpi: it\n{ordered}by: [campaign]", told).items()} == {
        "autumn": 1, "spring": 0,
    }  # fmt: skip


def test_what_comes_too_late_or_before_counts_for_nothing() -> None:
    told = Told()
    told.does("user_id:amy", "order_placed", 0)
    told.sends("user_id:amy", "em.a", "email", HOUR)
    told.does("user_id:amy", "order_placed", 8 * DAY)
    kpi = "of: {count: events, on: order_placed, within: 7d}\nover: {count: persons, on: delivered}"
    assert value(kpi, told) == 0


def test_every_dimension() -> None:
    told = Told()
    told.person("user_id:amy", "good", "loyal")
    source = told.sends("user_id:amy", "em.a", "push", 0)
    told.does("user_id:amy", "push.opened", HOUR, source)
    told.does("user_id:ben", "order_placed", 28 * DAY)
    by = {
        "scenario": {"cross_sell": 1, "(none)": 1},
        "campaign": {"spring": 1, "(none)": 1},
        "content": {"em.a": 1, "(none)": 1},
        "channel": {"push": 1, "web": 1},
        "segment": {"good": 1, "loyal": 1, "(none)": 1},
        "label.moment": {"want_to_buy": 1, "(none)": 1},
        "week": {"2026-W02": 1, "2026-W06": 1},
        "month": {"2026-01": 1, "2026-02": 1},
        "channels_reached": {"1": 2},
        "path": {"push": 1, "web": 1},
    }
    for dimension, expected in by.items():
        kpi = f"kpi: it\nof: {{count: events, on: [push.opened, order_placed]}}\nby: [{dimension}]"
        assert {name: row.of for name, row in rows(kpi, told).items()} == expected, dimension


def test_a_month_begins_on_the_clock_of_the_bundles_zone() -> None:
    told = Told()
    told.does("user_id:amy", "order_placed", 26 * DAY + 13 * HOUR)  # 31 January 23:20 UTC, 1 February in Paris
    assert list(rows("kpi: it\nof: {count: events, on: order_placed}\nby: [month]", told)) == ["2026-02"]


def test_a_person_counts_in_the_highest_reach_of_each_other_group() -> None:
    told = Told()
    for channel in ("email", "push", "sms", "email"):
        told.sends("user_id:amy", "em.a", channel, 0)
    told.sends("user_id:amy", "em.b", "email", 0, "win_back")
    told.sends("user_id:ben", "em.a", "email", 0)
    kpi = "kpi: it\nof: {count: persons, on: delivered}\nby: [campaign, channels_reached]"
    assert {name: row.of for name, row in rows(kpi, told).items()} == {"autumn/1": 1, "spring/1": 1, "spring/3+": 1}


def test_tp_05_the_path_of_a_person_over_the_channels() -> None:
    told = Told()
    for hour, channel in enumerate(("tv", "web", "web", "store", "social", "web")):
        told.does("user_id:dan", f"{channel}.order_placed", hour * HOUR)
    told.does("user_id:eva", "web.order_placed", 0)
    told.does("user_id:fay", "web.order_placed", 9 * HOUR)
    kpi = "kpi: path_report\nof: {count: persons, on: order_placed}\nby: [path]"
    assert {name: row.of for name, row in rows(kpi, told).items()} == {"tv>web>store>social": 1, "web": 2}


def test_instances_and_customers() -> None:
    told = Told()
    told.person("user_id:amy", "good")
    told.person("user_id:ben")
    for hour in range(3):
        told.enters("user_id:amy", "win_back", hour * HOUR)
    assert value("of: {count: instances}", told) == 3
    assert value("of: {count: instances}\nover: {count: customers}", told) == 1.5
    kpi = "kpi: it\nof: {count: customers}\nby: [segment]"
    assert {name: row.of for name, row in rows(kpi, told).items()} == {"(none)": 1, "good": 1}


def test_the_time_from_one_event_to_another() -> None:
    told = Told()
    for minutes in (1, 2, 3, 4, 100):
        person = f"user_id:{minutes}"
        source = told.sends(person, "em.a", "email", 0)
        told.does(person, "email.opened", minutes * 60_000, source)
        told.does(person, "email.opened", 200 * HOUR, source)
    told.sends("user_id:never", "em.a", "email", 0)
    kpi = """
kpi: answered_in
of: {time: {from: delivered, to: email.opened}}
by: [campaign]
percentiles: [50, 80, 99]
"""
    row = rows(kpi, told)["spring"]
    assert (row.over, row.value) == (5, 22 * 60_000)
    assert row.percentiles == {50: 180_000, 80: 240_000, 99: 6_000_000}
    within = kpi.replace("opened}}", "opened}, within: 1h}")
    assert rows(within, told)["spring"].over == 4


def test_a_time_ends_with_the_same_message() -> None:
    told = Told()
    first = told.sends("user_id:amy", "em.a", "email", 0)
    second = told.sends("user_id:amy", "em.a", "email", HOUR)
    told.does("user_id:amy", "email.opened", 2 * HOUR, second)
    told.does("user_id:amy", "email.opened", 5 * HOUR, first)
    row = rows("kpi: it\nof: {time: {from: contact_sent, to: email.opened}}", told)[""]
    assert (row.over, row.of) == (2, 6 * HOUR)


def test_who_did_it_without_being_among_those_makes_no_interval() -> None:
    told = Told()
    for person, content in (("amy", "em.a"), ("ben", "em.b")):
        told.sends(f"user_id:{person}", content, "email", 0)
    told.does("user_id:cleo", "order_placed", 0, told.sends("user_id:dan", "em.a", "push", 0))
    kpi = """
kpi: it
of: {count: persons, on: order_placed}
over: {count: persons, on: delivered}
by: [campaign]
versus: autumn
"""
    comparison = rows(kpi, told)["spring"].comparison
    assert comparison is not None
    assert (comparison.difference, comparison.uplift, comparison.interval) == (0.5, None, None)


@pytest.mark.parametrize(("of", "kind"), [("persons", "share"), ("events", "number")])
def test_a_share_is_told_from_a_number(of: str, kind: str) -> None:
    kpi = f"kpi: it\nof: {{count: {of}, on: order_placed}}\nover: {{count: persons, on: delivered}}"
    assert count(kpi, Told()).kind == kind


def test_kpi_06_rows_of_a_fact_as_they_are_at_the_end() -> None:
    told = Told()
    told.facts["campaign"] = {f"s-{n}": {"kerbside": n < 687} if n < 987 else {} for n in range(1000)}
    figure = count(
        "kpi: coverage\nof: {count: facts, fact: campaign, where: event.kerbside}\n"
        "over: {count: facts, fact: campaign}",
        told,
    )
    (row,) = figure.rows
    assert (figure.kind, row.of, row.over, row.value) == ("share", 687, 1000, 0.687)
