"""What a release means to an instance under way, told before it happens. `releases.py` is what does it."""

from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.engine.program.older import next_version
from orchestrator.model import reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.engine.program.plan import Program

STAYS: Final = "stays"
PINNED: Final = "pinned"
DRAINS: Final = "drains"
FOLLOWS: Final = "follows"
MOVED: Final = "moved"
BEGINS_ANEW: Final = "begins_anew"
ENDS: Final = "ends"


class Fate(NamedTuple):
    """What becomes of an instance.

    Attributes:
        what: "stays" on its version, which is the newest; "pinned" and "drains": finishes on its own; "follows" to the
            newest at the same step; "moved": at a step with another id; "begins_anew": the id is another word's now;
            "ends".
        reason: of an end.
        steps: where it stands afterwards.
    """

    what: str
    reason: str = ""
    steps: tuple[str, ...] = ()


def fate_of(program: "Program", scenario: str, version: int, steps: "Iterable[str]") -> Fate:
    """What a release does with an instance of this version that stands at these steps.

    Args:
        program: the release, built on the earlier ones.
        scenario: of the instance.
        version: of the instance.
        steps: where it stands, but for messages that wait for their fallback; none where it rests.
    """
    newest = program.scenarios.get(scenario)
    standing = tuple(steps)
    if newest is None:
        return Fate(ENDS, reason.SCENARIO_REMOVED)
    if next_version(program, scenario, version) is None:
        own = newest if newest.version == version else program.older.get((scenario, version))
        drains = newest.document.in_flight == "drain"
        return Fate(STAYS if own is newest else DRAINS if drains else PINNED, "", standing)
    if newest.document.in_flight == "end":
        return Fate(ENDS, reason.RELEASED)
    after = tuple(newest.document.moved.get(step, step) for step in standing)
    if any(step not in newest.steps for step in after):
        return Fate(ENDS, reason.STEP_REMOVED)
    return Fate(_how(program, scenario, version, standing, after), "", after)


def _how(program: "Program", scenario: str, version: int, before: tuple[str, ...], after: tuple[str, ...]) -> str:
    old = program.outdated.get((scenario, version))
    newest = program.scenarios[scenario]
    for step, now in zip(before, after, strict=True):
        known = old.steps.get(step) if old is not None else None
        if known is not None and known.kind != newest.steps[now].kind:
            return BEGINS_ANEW
    return FOLLOWS if before == after else MOVED
