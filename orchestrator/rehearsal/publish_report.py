"""What publishing would do, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.engine.program.fates import BEGINS_ANEW, DRAINS, ENDS, FOLLOWS, MOVED, PINNED, STAYS
from orchestrator.rehearsal.publish_plan import ADDED, CHANGED, REMOVED, touched

if TYPE_CHECKING:
    from orchestrator.rehearsal.publish_plan import Fated, ScenarioChange

_FATES: Final = {
    STAYS: "go on, they are on version {after}",
    PINNED: "finish on the version they began",
    DRAINS: "finish on the version they began; who is in it does not enter version {after} until then",
    FOLLOWS: "follow to version {after}, at the step where they stand",
    MOVED: "follow to version {after}, at a step with another id",
    BEGINS_ANEW: "follow to version {after}; the step where they stand is another word's, and begins anew",
    ENDS: "end, {reason}",
}
_STEPS_SHOWN: Final = frozenset({MOVED, BEGINS_ANEW, ENDS})


class Releases(NamedTuple):
    """Which release would take the place of which; `live` is "" where none counts yet."""

    live: str
    candidate: str


def as_text(changes: list[ScenarioChange], releases: Releases, customers: int) -> str:
    """A block a scenario that changes, or whose instances do."""
    told = [change for change in changes if touched(change)]
    rest = [change for change in changes if not touched(change)]
    before = f"Release {releases.live[:12]}" if releases.live else "Nothing"
    lines = [f"{before} counts now; {releases.candidate[:12]} would. {_many(customers, 'customer')} under way."]
    for change in told:
        lines += ["", *_block(change)]
    if rest:
        live = sum(change.live for change in rest)
        lines += ["", f"{_many(len(rest), 'other scenario')} as before, with {_many(live, 'live instance')}."]
    return "\n".join(lines) + "\n\nNothing was published.\n"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _block(change: ScenarioChange) -> list[str]:
    lines = [f"{change.scenario}: {_headline(change)}"]
    if not change.instances:
        return [*lines, "  nobody is in it"]
    resting = sum(one.number for one in change.instances if one.rests)
    lines.append(f"  {_many(change.live, 'live instance')}" + (f", {resting:,} of them at rest" if resting else ""))
    for (what, why), count in change.by_fate().most_common():
        lines.append(f"  {count:>9,} {_FATES[what].format(after=change.after, reason=why)}")
        if what in _STEPS_SHOWN:
            those = [one for one in change.instances if (one.fate.what, one.fate.reason) == (what, why)]
            lines += [f"            {one.number:,} {_where(one)}" for one in those if one.steps]
    return lines


def _headline(change: ScenarioChange) -> str:
    if change.change == REMOVED:
        return "removed"
    if change.change == ADDED:
        return f"new, version {change.after}"
    moves = f"version {change.before} -> {change.after}" if change.before != change.after else f"version {change.after}"
    how = "changed" if change.change == CHANGED else "as it was"
    return f"{how}, {moves}, in_flight: {change.in_flight}"


def _where(one: Fated) -> str:
    at = ", ".join(one.steps)
    after = ", ".join(one.fate.steps)
    return f"at {at} of version {one.version}" + (f" -> {after}" if after and after != at else "")


def as_json(changes: list[ScenarioChange], releases: Releases, customers: int) -> str:
    """All scenarios, for programs."""
    return json.dumps(
        {
            "live": releases.live or None,
            "candidate": releases.candidate,
            "customers": customers,
            "scenarios": [_plain(change) for change in changes],
        },
        ensure_ascii=False,
        indent=2,
    )


def _plain(change: ScenarioChange) -> dict[str, Any]:
    return {
        "scenario": change.scenario,
        "change": change.change,
        "live_version": change.before or None,
        "version": change.after or None,
        "in_flight": change.in_flight or None,
        "live_instances": change.live,
        "instances": [
            {
                "version": one.version,
                "steps": list(one.steps),
                "rests": one.rests,
                "count": one.number,
                "fate": one.fate.what,
                "reason": one.fate.reason or None,
                "steps_after": list(one.fate.steps),
            }
            for one in change.instances
        ],
    }
