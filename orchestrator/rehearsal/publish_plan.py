"""What publishing a bundle would do: which scenarios change, and what becomes of whom is in them. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.engine.program.fates import STAYS, Fate, fate_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.engine.program.plan import Program
    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.census import Group

ADDED: Final = "added"
REMOVED: Final = "removed"
CHANGED: Final = "changed"
UNCHANGED: Final = "unchanged"


class Fated(NamedTuple):
    """So many instances of one version that stand at the same steps, and what becomes of them."""

    version: int
    steps: tuple[str, ...]
    rests: bool
    fate: Fate
    number: int


class ScenarioChange(NamedTuple):
    """One scenario of the candidate or of the live bundle.

    Attributes:
        scenario: its name.
        change: "added", "removed", "changed" or "unchanged".
        before: its live version, 0 where it is added.
        after: its version in the candidate, 0 where it is removed.
        in_flight: what the candidate says of instances of earlier versions; "" where it is removed.
        instances: who is in it, most first.
    """

    scenario: str
    change: str
    before: int
    after: int
    in_flight: str
    instances: tuple[Fated, ...]

    @property
    def live(self) -> int:
        """How many instances there are, resting ones too."""
        return sum(one.number for one in self.instances)

    def by_fate(self) -> Counter[tuple[str, str]]:
        """(what, reason) -> how many."""
        counted: Counter[tuple[str, str]] = Counter()
        for one in self.instances:
            counted[one.fate.what, one.fate.reason] += one.number
        return counted


def plan_publish(
    live: Bundle | None, candidate: Bundle, program: Program, groups: Mapping[Group, int]
) -> list[ScenarioChange]:
    """What every scenario of either bundle would see, by name.

    Args:
        live: the bundle that counts now; None where none does.
        candidate: the bundle to publish.
        program: the candidate, built on the releases before it.
        groups: who is under way; also in scenarios that neither bundle has any more.
    """
    before = live.scenarios if live is not None else {}
    names = {*before, *candidate.scenarios, *(group.scenario for group in groups)}
    return [_change(name, live, candidate, program, groups) for name in sorted(names)]


def _change(
    name: str, live: Bundle | None, candidate: Bundle, program: Program, groups: Mapping[Group, int]
) -> ScenarioChange:
    old = live.scenarios.get(name) if live is not None else None
    new = candidate.scenarios.get(name)
    fated = [
        Fated(group.version, group.steps, group.rests, fate_of(program, name, group.version, group.steps), count)
        for group, count in groups.items()
        if group.scenario == name
    ]
    fated.sort(key=lambda one: (-one.number, one.version, one.steps))
    return ScenarioChange(
        name,
        _kind(name, live, candidate),
        old.version if old is not None else 0,
        new.version if new is not None else 0,
        new.in_flight if new is not None else "",
        tuple(fated),
    )


def _kind(name: str, live: Bundle | None, candidate: Bundle) -> str:
    if name not in candidate.scenarios:
        return REMOVED
    if live is None or name not in live.scenarios:
        return ADDED
    same = live.meanings[name] == candidate.meanings[name]
    return UNCHANGED if same else CHANGED


def touched(change: ScenarioChange) -> bool:
    """Whether there is anything to say of a scenario: it changes, or somebody in it does."""
    return change.change != UNCHANGED or any(one.fate.what != STAYS for one in change.instances)
