"""Section 4: `every` and `at`. Each customer has a timer of their own for each schedule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from tests.reference.interpreter.clock import WEEKDAYS, local, time_on
from tests.reference.interpreter.entries import enter_at

if TYPE_CHECKING:
    from orchestrator.language.spec.scenario import Entry, Scenario
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.moment import Moment

DAYS_AHEAD = 40
MINUTE = 60_000


@dataclass
class Timer:
    """When a schedule is next due: the day that names the occurrence, and when that is (ms), None for never again."""

    zone: str
    day: str
    due: int | None
    been: str = ""


def keep_schedules(customer: Customer) -> bool:
    """Every schedule has its timer, as the customer's clock stands now; True where one is to come that was not."""
    anew = False
    for name, scenario in customer.bundle.scenarios.items():
        entry = scenario.entry
        if entry.every is None and entry.at_ is None:
            continue
        zone = _zone(customer, entry)
        timer = customer.schedules.get(name)
        if timer is None:
            customer.schedules[name] = _next(entry, zone, customer.now, "")
            anew = anew or customer.schedules[name].due is not None
        elif timer.zone != zone:
            timer.zone = zone
            if timer.due is not None:  # another clock: the same day comes earlier or later, or at once
                timer.due = max(_instant(entry, timer.day, zone), customer.now)
                anew = True
    return anew


def _zone(customer: Customer, entry: Entry) -> str:
    """Whose clock counts."""
    brand = entry.every is not None and entry.every.zone == "brand"
    fixed = entry.at_ is not None and not entry.at_.local
    return customer.bundle.settings.zone if brand or fixed else customer.zone


def _next(entry: Entry, zone: str, now: int, been: str) -> Timer:
    """The first time after now whose day has not been."""
    if entry.at_ is not None:
        due = _instant(entry, "once", zone)
        return Timer(zone, "once", due if due > now and not been else None, been)
    assert entry.every is not None
    today = local(now, zone).date()
    for later in range(DAYS_AHEAD):
        day = today + timedelta(days=later)
        wanted = WEEKDAYS[day.weekday()] in entry.every.days or str(day.day) in entry.every.days
        if wanted and day.isoformat() > been and _instant(entry, day.isoformat(), zone) > now:
            return Timer(zone, day.isoformat(), _instant(entry, day.isoformat(), zone), been)
    return Timer(zone, "", None, been)


def _instant(entry: Entry, day: str, zone: str) -> int:
    if entry.at_ is None:
        assert entry.every is not None
        return time_on(date.fromisoformat(day), entry.every.time, zone)
    if not entry.at_.local:
        return entry.at_.ms
    wall = datetime.fromtimestamp(entry.at_.ms / 1000, UTC)
    return time_on(wall.date(), wall.hour * 60 + wall.minute, zone) + entry.at_.ms % MINUTE


def scheduled(customer: Customer) -> list[int]:
    """When something is due."""
    return [timer.due for timer in customer.schedules.values() if timer.due is not None]


def come(moment: Moment, scenario: Scenario, at: int) -> None:
    """Step 7 in a timer's moment, for one scenario: its time may have come."""
    customer = moment.customer
    timer = customer.schedules.get(scenario.scenario)
    if timer is None or timer.due is None or timer.due > at:
        return
    customer.schedules[scenario.scenario] = _next(scenario.entry, timer.zone, moment.now, timer.day)
    enter_at(moment, scenario, "every" if scenario.entry.every is not None else "at")
