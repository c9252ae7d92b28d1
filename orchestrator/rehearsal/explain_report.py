"""An explanation for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from orchestrator.engine.slots import called
from orchestrator.rehearsal.journey_graph import outline
from orchestrator.rehearsal.trace import parts_in_words, said_of
from orchestrator.rehearsal.wording import clock, short

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from orchestrator.engine.program.plan import Program
    from orchestrator.model.effect import Note
    from orchestrator.rehearsal.explain import Account, Explanation, Told

MOST_MOVES = 8
IDLE = 3
"""Of `_nearness`: a scenario that has nothing to do with the customer."""


def as_text(found: Explanation, program: Program, *, moments: bool, zone: str) -> str:
    """A block a scenario: what happened, what did not and why, what comes next, and the way through the story.

    Scenarios under way come first, then those that were, then those not entered; a line each for all others.

    Args:
        found: what to show.
        program: the release it ran on.
        moments: show each moment's trace as well.
        zone: whose clock times are told on.
    """
    if not found.node:
        return "Nothing is known of this customer by then.\n"
    lines = [f"{found.node} at {clock(found.now, zone)} ({zone})", f"known as {', '.join(found.ids)}"]
    if moments:
        lines += ["", "Moments"]
        for at, notes in found.moments:
            said = [line for line in (said_of(note, lambda moment: clock(moment, zone)) for note in notes) if line]
            lines += [f"  {clock(at, zone)}  {line}" for line in said]
    if found.offers:
        lines += ["", "offers"]
        lines += [f"  {clock(one.at, zone)}  {said_of(one.note, lambda at: clock(at, zone))}" for one in found.offers]
    for account in sorted(found.scenarios, key=_nearness):
        if _nearness(account) < IDLE:
            lines += ["", *_account(account, program, zone)]
    idle = [account for account in found.scenarios if _nearness(account) == IDLE]
    if idle:
        width = max(len(account.scenario) for account in idle)
        lines += ["", "nothing happened in"]
        lines += [f"  {account.scenario:<{width}}  {account.starts}" for account in idle]
    return "\n".join(lines) + "\n"


def _nearness(account: Account) -> int:
    if account.stands or account.next:
        return 0
    if account.sends or account.reached:
        return 1
    return 2 if account.moves else IDLE


def _account(account: Account, program: Program, zone: str) -> list[str]:
    plan = program.scenarios.get(account.scenario)
    lines = [account.scenario]
    lines += _told("happened", account.moves, zone, lambda one: one.note.what not in {"not_entered", "not_matched"})
    lines += _told("did not", account.moves, zone, lambda one: one.note.what in {"not_entered", "not_matched"})
    lines += _told("messages", account.sends, zone, lambda _: True)
    if account.next:
        lines.append("  next")
        lines += [f"    {clock(one.at, zone) if one.at else 'at some event':<23}  {one.what}" for one in account.next]
    if plan is not None and account.reached:
        lines.append("  the way (● reached, ▶ stands here, ○ not reached)")
        lines += [f"    {line}" for line in outline(plan, account)]
    return lines


def _told(title: str, told: tuple[Told, ...], zone: str, wanted: Callable[[Told], bool]) -> list[str]:
    those = [one for one in told if wanted(one)]
    if not those:
        return []
    lines = [f"  {title}"]
    if len(those) > MOST_MOVES:
        lines.append(f"    ... {len(those) - MOST_MOVES} earlier ones")
    return lines + [
        f"    {clock(one.at, zone)}  {said_of(one.note, lambda at: clock(at, zone))}" for one in those[-MOST_MOVES:]
    ]


def slot_as_text(slot: str, answer: Mapping[str, Any], notes: Sequence[Note]) -> str:
    """What a slot shows, and why not the candidates that were left out."""
    shown = called(answer) or "nothing"
    if answer.get("items"):
        shown = ", ".join(called(item) for item in answer["items"])
    why = f" ({answer['reason']})" if answer.get("reason") else ""
    values = f" with {short(answer['values'])}" if answer.get("values") else ""
    lines = ["", f"slot {slot} shows {shown}{why}{values}"]
    for note in notes:
        detail = note.detail if isinstance(note.detail, dict) else {}
        parts = f": {parts_in_words(detail)}" if detail.get("parts") else ""
        offer = f" ({detail['offer']} is {detail['because']})" if "offer" in detail else ""
        if note.what == "left_out":
            lines.append(f"  not {note.step or 'any candidate'}: {note.reason}{offer}{parts}")
        elif note.what == "unknown":
            lines.append(f"  {said_of(note, str)}")
    return "\n".join(lines) + "\n"


def as_json(found: Explanation) -> str:
    """All of it, for programs. Times are milliseconds since the epoch."""
    plain: dict[str, Any] = {
        "node": found.node,
        "ids": found.ids,
        "now": found.now,
        "moments": [{"at": at, "trace": notes} for at, notes in found.moments],
        "scenarios": [
            {
                "scenario": one.scenario,
                "moves": [_line(told) for told in one.moves],
                "messages": [_line(told) for told in one.sends],
                "reached": sorted(one.reached),
                "stands": sorted(one.stands),
                "next": [{"at": coming.at or None, "what": coming.what} for coming in one.next],
                "starts": one.starts,
            }
            for one in found.scenarios
        ],
        "offers": [_line(told) for told in found.offers],
    }
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def _line(told: Told) -> dict[str, Any]:
    return {"at": told.at, **msgspec.structs.asdict(told.note)}
