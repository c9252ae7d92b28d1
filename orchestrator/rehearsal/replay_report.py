"""The difference between two bundles' actions, for people and for programs."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from orchestrator.rehearsal.wording import clock, length

if TYPE_CHECKING:
    from orchestrator.rehearsal.replay import Act, Comparison, Difference

_KINDS = ("added", "removed", "moved")
_DID = {"send": "sent", "task": "opened a task in", "emit": "emitted", "publish": "published", "show": "placed"}
_HOW = {"show": "in"}


def as_text(found: Comparison, events: int, examples: int, zone: str) -> str:
    """A block a scenario: how many actions were added, removed and moved, with examples."""
    lines = [f"{events} events: {found.live} actions under the live bundle, {found.candidate} under the candidate."]
    for scenario, differences in found.by_scenario():
        counts = Counter(one.kind for one in differences)
        said = ", ".join(f"{counts[kind]} {kind}" for kind in _KINDS if counts[kind])
        lines += ["", f"{scenario or 'events'}: {said}"]
        for kind in _KINDS:
            those = [one for one in differences if one.kind == kind]
            lines += [f"  {_words(one, zone)}" for one in those[:examples]]
            if len(those) > examples > 0:
                lines.append(f"  ... {len(those) - examples} more {kind}")
    if not found.differences:
        lines.append("No action differs.")
    return "\n".join(lines) + "\n"


def _words(one: Difference, zone: str) -> str:
    act = one.act
    when = f"{clock(act.at, zone)}  {act.node}"
    if one.before is not None and one.after is not None:
        return f"moved    {when}: {_did(one.after)}{_from(one.before, one.after)}"
    why = f" ({'candidate' if one.after is None else 'live'}: {one.why})" if one.why else ""
    return f"{one.kind:<8} {when}: {_did(act)}{why}"


def _did(act: Act) -> str:
    return f"{_DID[act.kind]} {act.what}{_how(act)}{f' ({act.key})' if act.key else ''}"


def _how(act: Act) -> str:
    """The channel, or the slots."""
    return f" {_HOW.get(act.kind, 'by')} {act.how}" if act.how else ""


def _from(before: Act, after: Act) -> str:
    parts = []
    if before.at != after.at:
        late = after.at - before.at
        parts.append(f"{length(abs(late))} {'later' if late > 0 else 'earlier'}")
    if (before.what, before.how) != (after.what, after.how):
        parts.append(f"instead of {before.what}{_how(before)}")
    return ", " + ", ".join(parts)


def as_json(found: Comparison) -> str:
    """All differences, for programs. Times are milliseconds since the epoch."""
    return json.dumps(
        {
            "live": found.live,
            "candidate": found.candidate,
            "differences": [
                {"kind": one.kind, "why": one.why, "live": _plain(one.before), "candidate": _plain(one.after)}
                for one in found.differences
            ],
        },
        ensure_ascii=False,
        indent=2,
    )


def _plain(act: Act | None) -> dict[str, Any] | None:
    return None if act is None else act._asdict()
