"""Which steps and branches of each scenario the tests reached."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.language.bundle import Bundle
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.scenario import Scenario
    from orchestrator.language.spec.steps import Step
    from orchestrator.model.effect import Note
    from orchestrator.rehearsal.record import Record


class Missing(NamedTuple):
    """A step, or a branch of a step (`STEP.BRANCH`), that no test reached, and where it stands."""

    name: str
    at: Position


class Covered(NamedTuple):
    """How far the tests went into one scenario."""

    scenario: str
    reached: int
    total: int
    missing: tuple[Missing, ...]


class Coverage:
    """Collects what runs reached; they have to run with `explain`.

    Branches are the ways on from a step: the cases of a split and `else` (written or not), the awaited events and
    `on_timeout` of a wait, the variants of an experiment, the tracks of a parallel.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._scenarios = bundle.scenarios
        self._reached: set[tuple[str, str]] = set()

    def take(self, record: Record) -> None:
        """Take in what a run reached."""
        for one in record.notes():
            if one.note is not None:
                self._reached.update((one.note.scenario, name) for name in reached_by(one.note))

    def scenarios(self, names: Iterable[str] | None = None) -> Iterator[Covered]:
        """Each scenario with what is missing, by name."""
        for name in sorted(self._scenarios if names is None else names):
            places = list(places_of(self._scenarios[name]))
            missing = tuple(one for one in places if (name, one.name) not in self._reached)
            yield Covered(name, len(places) - len(missing), len(places), missing)


def reached_by(note: Note) -> tuple[str, ...]:
    """The steps and branches that a line of a trace shows to be reached."""
    if note.what == "step":
        return (note.step,)
    if note.what != "gave":
        return ()
    outcome, more = note.reason, note.detail or {}
    if outcome == "matched":
        return tuple(f"{note.step}.{branch}" for branch in ("then", more.get("matched", "")))
    if outcome == "timeout":
        return (f"{note.step}.on_timeout",)
    if outcome == "open":
        return (f"{note.step}.",)
    return (f"{note.step}.{outcome}",)


def places_of(scenario: Scenario) -> Iterator[Missing]:
    """Every step and branch of a scenario, in the order of the file."""
    yield from _places(scenario.steps)


def _places(steps: tuple[Step, ...]) -> Iterator[Missing]:
    for step in steps:
        at = step.id_at or step.at
        yield Missing(step.id, at)
        for branch in branches_of(step):
            yield Missing(f"{step.id}.{branch}", at)
        for _, inner in step.branches:
            yield from _places(inner)


def branches_of(step: Step) -> list[str]:
    """The ways on from a step, where there is more than one."""
    body = step.body
    if step.kind == "split":
        return [*(str(number) for number, _ in enumerate(getattr(body, "cases", ()), 1)), "else"]
    if step.kind == "experiment":
        return [arm.name for arm in getattr(body, "variants", ())]
    if step.kind == "wait_until":
        awaited = [one.name for one in getattr(body, "any", ())]
        return [*(awaited or ["then"]), "on_timeout"]
    return []
