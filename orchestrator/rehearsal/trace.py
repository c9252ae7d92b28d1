"""The trace of a run as lines of text: what happened to a customer, when, and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from orchestrator.model.effect import Emitted, Note
from orchestrator.rehearsal.wording import length, short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orchestrator.rehearsal.record import Happening
    from orchestrator.rehearsal.run import Run

MOST: Final = 60
_TIMES: Final = frozenset({"until", "valid_until", "said_at", "last", "entered_at", "due", "lifted", "stopped_at"})
_LENGTHS: Final = frozenset({"gap", "delay"})


def trace_lines(run: Run, customer: str = "") -> list[str]:
    """What happened in a run, oldest first; to one customer of the test where one is named."""
    whose = run.cast.family(run.world, customer) if customer else None
    concerned = scenarios_named(run)
    found = [
        one
        for one in run.world.record.happenings
        if (whose is None or one.node in whose) and not _is_aside(one, concerned)
    ]
    lines = [line for one in found for line in _line(run, one, alone=bool(customer))]
    lines += [
        f"{_at(run, refusal.at)}  {refusal.event or 'a record'} was rejected: {refusal.reason}"
        for refusal in run.world.record.refusals
    ]
    if len(lines) > MOST:
        lines = [f"... {len(lines) - MOST} earlier lines", *lines[-MOST:]]
    return lines


def scenarios_named(run: Run) -> set[str]:
    """The scenarios that a test speaks of, by name or by what they send and open; all where it speaks of none."""
    scenarios = run.world.program.scenarios
    named: set[str] = set()
    for expected in (*run.story.expect, *run.story.never, *run.story.exactly):
        subject = getattr(expected, expected.kind)
        if expected.kind in {"entered", "ended", "standing"}:
            named.add(str(subject))
        elif isinstance(subject, str):
            told = run.told.get(subject, subject)
            named |= {
                name for name, plan in scenarios.items() if any(_does(step.body, told) for step in plan.steps.values())
            }
    return named or set(scenarios)


def _does(body: Any, subject: str) -> bool:
    """Whether a step sends this content, opens a task in this queue, or emits this event."""
    names = [getattr(body, field, None) for field in ("content", "queue", "event")]
    return any(subject in {name, getattr(name, "name", None)} for name in names if name is not None)


def _is_aside(one: Happening, concerned: set[str]) -> bool:
    """An entry that did not come about, into a scenario that the test does not speak of."""
    return one.note is not None and one.note.what == "not_entered" and one.note.scenario not in concerned


def _at(run: Run, at: int) -> str:
    return f"{length(at - run.start):>12}"


def _line(run: Run, one: Happening, alone: bool) -> Iterator[str]:
    said = ""
    if one.note is not None:
        said = said_of(one.note, lambda at: length(at - run.start))
    elif isinstance(one.effect, Emitted):
        said = f"emitted {one.effect.type} {short(one.effect.data)}"
    if said:
        who = "" if alone else f"{run.cast.name(run.world, one.node)}: "
        yield f"{_at(run, one.at)}  {who}{said}"


def said_of(note: Note, when: Callable[[int], str]) -> str:
    """A line of the trace in words; "" where another line says it better. `when` tells a time in the trace (ms)."""
    place = f"{note.scenario}{'/' if note.scenario and note.step else ''}{note.step}"
    detail: dict[str, Any] = note.detail if isinstance(note.detail, dict) else {}
    if "parts" in detail and note.what not in {"suppressed", "held"}:
        return f"{_not_so(note, place)}: {parts_in_words(detail)}"
    more = _with(note, when, "content", "queue", "outcome", "slots", "placement", "offer", "by", "was")
    if "parts" in detail:
        return f"{note.what} {detail['content']}: {note.reason}: {parts_in_words(detail)} ({place})"
    if note.what in {"suppressed", "held"}:
        return f"{note.what} {detail['content']}: {note.reason}{more} ({place})"
    if note.what.startswith("identity_"):
        return _identity(note, detail)
    if note.what.startswith("task"):
        return f"task {detail['queue']} {note.what.partition('_')[2] or 'opened'}{more} ({place})"
    return _other(note, place, detail, more)


def _identity(note: Note, detail: dict[str, Any]) -> str:
    """How identifiers came together, apart, or did not."""
    nodes, by = " and ".join(detail["nodes"]), " and ".join(detail["by"])
    seen = f" in {detail['event']}" if detail["event"] else ""
    return {
        "identity_joined": f"{nodes} joined: {by} were seen together{seen}",
        "identity_left": f"{nodes} left: {note.reason}" + (f", {by} were seen together{seen}" if by else ""),
        "identity_began": f"{nodes} began anew: {note.reason}",
        "identity_conflict": f"{nodes} were seen together{seen} and stay apart: {note.reason}",
        "identity_erased": "everything was erased",
    }[note.what]


def _not_so(note: Note, place: str) -> str:
    if note.what == "not_matched":
        return f"{note.detail['event']} does not match {place}"
    return f"not entered {note.scenario}" + ("" if note.reason in {"where", "each"} else f": {note.reason}")


def parts_in_words(detail: dict[str, Any]) -> str:
    """Which parts of a condition were not true, and what they read."""
    parts = "; ".join(f"`{part}` is {said}" for part, said in detail["parts"].items())
    values = ", ".join(f"{name} is {json.dumps(value, ensure_ascii=False)}" for name, value in detail["values"].items())
    return parts + (f" ({values})" if values else "")


def _other(note: Note, place: str, detail: dict[str, Any], more: str) -> str:
    condition = f"`{detail['condition']}`: " if "condition" in detail else ""
    said = {
        "gave": "",
        "emitted": "",
        "published": f"published {detail.get('content')} on {detail.get('channel')} ({place})",
        "sent": f"sent {detail.get('content')} by {detail.get('channel')} to {detail.get('to')} ({place})",
        "unknown": f"unknown at {place or 'the bundle'}: {condition}{detail.get('because', '')}",
        "step": f"at step {place}",
        "entered": f"entered {note.scenario}{' (holdout)' if note.reason else ''}{more}",
        "not_entered": f"not entered {note.scenario}: {note.reason}{more}",
        "ended": f"ended {note.scenario}: {detail.get('outcome', '')} {note.reason}{more}",
        "not_matched": f"{detail.get('event', '')} is not about {detail.get('of', '')}, which {place} waits for",
        "followed": f"{note.scenario} goes on as version {detail.get('version')}{more}",
        "rests": f"{note.scenario} rests: its goal is still watched, or what it placed is still shown",
        "placed": f"placed {detail.get('content')} in {' and '.join(detail.get('slots', ()))}{more} ({place})",
        "taken_down": f"{detail.get('content')} is shown no more: {note.reason} ({place})",
        "offer_shown": f"{detail.get('offer')} is theirs now, shown by {detail.get('by')}{more}",
        "offer_redeemed": f"{detail.get('offer')} is redeemed (it was {detail.get('was')})",
        "offer_refused": f"{detail.get('offer')} is refused (it was {detail.get('was')})",
        "offer_expired": f"{detail.get('offer')} has expired",
        "error": f"{place} failed inside: {detail.get('raised', '')}",
        "duplicate": "a copy of an event was dropped",
    }.get(note.what)
    return said if said is not None else f"{place} {note.what} {note.reason}{more}".strip()


def _with(note: Note, when: Callable[[int], str], *skip: str) -> str:
    numbers = _numbers(note.detail, when, frozenset(skip))
    return f" ({numbers})" if numbers else ""


def _numbers(detail: Any, when: Callable[[int], str], skip: frozenset[str]) -> str:
    """The values of a note as `name: value`."""
    if not isinstance(detail, dict):
        return "" if detail is None else short(detail)
    shown = []
    for name, value in detail.items():
        if name in skip or value in ("", None, {}, []) or (name in _TIMES and value == 0):
            continue
        if name in _TIMES and isinstance(value, int) and value > 0:
            shown.append(f"{name}: {when(value)}")
        elif name in _LENGTHS and isinstance(value, int):
            shown.append(f"{name}: {length(value)}")
        else:
            shown.append(f"{name}: {short(value)}")
    return ", ".join(shown)
