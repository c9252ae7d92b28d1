"""Section 7.3: facts that everyone shares. A condition on one is a level: who waits for it looks when a row changes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError, Timestamp
from tests.reference.interpreter.conditions import Seen
from tests.reference.interpreter.endings import check_endings
from tests.reference.interpreter.entries import look_at_becomes
from tests.reference.interpreter.moment import Moment, check_waits, rounds, timers

if TYPE_CHECKING:
    from orchestrator.language.cel import Expression
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Happened

BY_KEY = {"price": "price", "stock": "stock", "catalog": "catalog"}
"""Functions that read one row of a fact, or the rows whose keys begin so."""


def changed_by(customer: Customer, event: Happened) -> set[str]:
    """What a brand event changes: the names under which somebody may wait for its rows."""
    changed: set[str] = set()
    for name, document in customer.bundle.facts.items():
        if event.is_one_of(document.on):
            scope = SimpleNamespace(event=Seen(event, customer.declared), now=Timestamp.of_ms(event.time))
            key = str(document.key.evaluate(scope))
            if _set(customer, name, key, event.time, document, scope):
                changed |= {name, f"{name}/{key.split('/', maxsplit=1)[0]}", f"{name}/{key}"}
    return changed


def _set(customer: Customer, name: str, key: str, time: int, document: Any, scope: Any) -> bool:
    """The newest event time wins, for each row; what the event does not say stays as it is."""
    shared = customer.shared
    if time < shared.row_time.get((name, key), 0):
        return False
    row = dict(shared.rows.get(name, {}).get(key, {}))
    for field, value in document.set.items():
        said = _known(value, scope)
        row = row if said is None else {**row, field: said}
    for field, latch in document.latch.items():
        row[field] = _known(latch.on, scope) is True or (row.get(field, False) and _known(latch.off, scope) is not True)
    shared.rows.setdefault(name, {})[key] = row
    shared.row_time[name, key] = time
    return True


def _known(value: Expression, scope: Any) -> Any:
    try:
        return value.evaluate(scope)
    except CelError:
        return None


def waits(customer: Customer, changed: set[str]) -> bool:
    """Whether something under way asks for one of these rows: an exit, `while`, or a wait for a level."""
    asked: set[str] = set()
    for instance in customer.instances:
        levels = [instance.scenario.while_, *(one.when for one in instance.scenario.exit)]
        steps = [track.standing.step for track in instance.tracks if track.standing is not None]
        levels += [step.body.when for step in steps if step.kind == "wait_until"]  # type: ignore[union-attr]
        asked |= {name for level in levels if level is not None for name in _read(level)}
    return bool(asked & changed)


def _read(level: Expression) -> set[str]:
    """The facts that a condition reads, by name; those of a key that is written in it, by name and key."""
    read = {path[1] for path in level.reads if path[0] == "facts" and len(path) > 1}
    for call in level.calls:
        known = call.args[0] if call.args and isinstance(call.args[0], str) else ""
        if call.name == "rows":
            read.add(known)
        elif call.name in BY_KEY:
            read.add(f"{BY_KEY[call.name]}/{known}" if known else BY_KEY[call.name])
    return read


def look(customer: Customer, at: int) -> None:
    """A row has changed: what is due acts first, then levels are looked at."""
    timers(customer, at)
    moment = Moment(customer, at, at)
    look_at_becomes(moment)
    check_endings(moment, None)
    check_waits(moment, None)
    rounds(moment)
