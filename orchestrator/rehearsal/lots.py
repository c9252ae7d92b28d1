"""Who is held out and which variant somebody gets, as a test says; else nobody, and the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.engine.gates.control_group import SALT
from orchestrator.rehearsal.problem import Problem

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.steps import Experiment
    from orchestrator.language.spec.story import StoryCustomer
    from orchestrator.model.customer import Customer

OUT: Final = 100.0
HELD: Final = 0.0


class Lots:
    """Stands in for `Program.draw`: salt -> what the customer at work draws, in [0, 100]."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._experiments = _salts(program)
        self._wanted: dict[str, dict[str, float]] = {}
        self._names: dict[str, str] = {}
        self._current = ""

    def want(self, name: str, customer: StoryCustomer, nodes: list[str]) -> None:
        """Take in what a test says of a customer.

        Raises:
            Problem: there is no such scenario, holdout, experiment or variant.
        """
        self._names.update(dict.fromkeys(nodes, name))
        at = customer.place("in")
        for place, choice in customer.in_.items():
            salt, drawn = self._lot(place, choice, at)
            self._wanted.setdefault(name, {})[salt] = drawn

    def about(self, customer: Customer) -> None:
        """This customer is at work."""
        self._current = next((self._names[node] for node in customer.family if node in self._names), "")

    def draw(self, tenant: str, salt: str, person: str) -> float:
        """What `Program.draw` asks."""
        del tenant, person
        drawn = self._wanted.get(self._current, {}).get(salt)
        if drawn is not None:
            return drawn
        return HELD if salt in self._experiments else OUT

    def _lot(self, place: str, choice: str, at: Position) -> tuple[str, float]:
        if choice == "holdout":
            if place == SALT:
                return SALT, HELD
            if place not in self._program.scenarios:
                raise Problem(at, f"`in: {{{place}: holdout}}`: there is no scenario `{place}`")
            if not self._program.scenarios[place].document.holdout:
                raise Problem(at, f"scenario `{place}` has no holdout: nobody can be in it")
            return place, HELD
        scenario, _, step = place.rpartition(".")
        plan = self._program.scenarios.get(scenario)
        found = plan.steps.get(step) if plan is not None else None
        if found is None or found.kind != "experiment":
            raise Problem(at, f"`{place}` names no experiment: write SCENARIO.STEP: variant")
        return found.body.salt or f"{scenario}/{step}", _ticket(found.body, choice, at)


def _salts(program: Program) -> frozenset[str]:
    return frozenset(
        step.body.salt or f"{plan.name}/{step.id}"
        for plan in program.scenarios.values()
        for step in plan.steps.values()
        if step.kind == "experiment"
    )


def _ticket(experiment: Experiment, choice: str, at: Position) -> float:
    """The middle of a variant's share."""
    reached = 0.0
    for arm in experiment.variants:
        if arm.name == choice:
            return reached + arm.weight * 50
        reached += arm.weight * 100
    names = ", ".join(arm.name for arm in experiment.variants)
    raise Problem(at, f"there is no variant `{choice}`; there are {names}")
