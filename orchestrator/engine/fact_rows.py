"""A fact's row and the brand events that change it: one writer per row; the newest event time wins."""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.context import Context, plain
from orchestrator.language.cel import CelError
from orchestrator.model.customer import Customer, FactRow
from orchestrator.model.effect import Note, Row

if TYPE_CHECKING:
    from orchestrator.engine.facts import Facts
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.spec.knowledge import Facts as FactDocument
    from orchestrator.model.event import Event

ROW: Final = "row"
PREFIX: Final = "fact:"


def row_node(document: "FactDocument", event: "Event", program: "Program", facts: "Facts") -> str:
    """The node of the row that a brand event changes: `fact:NAME/KEY`.

    Raises:
        CelError: the event does not tell which row.
    """
    return f"{PREFIX}{document.facts}/{row_key(document, event, program, facts)}"


def row_key(document: "FactDocument", event: "Event", program: "Program", facts: "Facts") -> str:
    """The key of the row that a brand event changes.

    Raises:
        CelError: the event does not tell which row.
    """
    return str(document.key.evaluate(_scope(event, program, facts)))


def _scope(event: "Event", program: "Program", facts: "Facts") -> Context:
    scope = Context(Customer(), program, facts, event.time)
    scope.look_at(event, program.event_plan(event.type, event.channel).declared)
    return scope


def change_row(
    body: FactRow, document: "FactDocument", node: str, event: "Event", program: "Program", facts: "Facts",
    notes: list[Note],
) -> Row | None:  # fmt: skip
    """Apply `set` and `latch`, in place; the row for everyone, or None where a newer event has the say already.

    The row holds only what events have said: what a file says beside it may be another with the next release.
    """
    if event.time < body.set_at.get(ROW, 0):
        notes.append(Note("late_fact", "", document.facts, "late_event"))
        return None
    scope = _scope(event, program, facts)
    row = dict(body.row)
    key = node[len(PREFIX) + len(document.facts) + 1 :]
    known = {**facts.row(document.facts, key), **row}
    for name, expression in document.set.items():
        try:
            value = plain(expression.evaluate(scope))
        except CelError as problem:
            notes.append(Note("unknown", "", f"facts.{document.facts}.{name}", "error", {"because": str(problem)}))
            continue
        if value is not None:
            row[name] = value
    for name, latch in document.latch.items():
        row[name] = _latched(known.get(name, False), latch, scope)
    body.row, body.set_at = row, {ROW: event.time}
    return Row(program.tenant, document.facts, key, row, event.time)


def _latched(before: bool, latch: Any, scope: Context) -> bool:
    """Hysteresis: stays as it was in between, and where it is unknown."""
    try:
        if latch.on.evaluate(scope) is True:
            return True
        return False if latch.off.evaluate(scope) is True else before
    except CelError:
        return before
