"""The expectation `kpi`: a figure, counted over what the test has seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose
from typing import TYPE_CHECKING, Any, Final

from orchestrator.kpis.figures import figure
from orchestrator.rehearsal.gathering import Gathering
from orchestrator.rehearsal.problem import Problem

if TYPE_CHECKING:
    from orchestrator.kpis.figures import Figure
    from orchestrator.language.spec.story import Expectation
    from orchestrator.rehearsal.checks import Scene

AS_GOOD_AS: Final = 0.00005
"""What a value may differ by: half of a hundredth of a per cent."""


def is_counted(scene: Scene, expected: Expectation) -> bool:
    """Whether the figure has this value, or each group named the one beside it.

    Raises:
        Problem: the value cannot be one of this figure.
    """
    found = _count(scene, expected)
    values = {"/".join(row.group): row.value for row in found.rows}
    wanted = expected.value if isinstance(expected.value, Mapping) else {"": expected.value}
    if not isinstance(expected.value, Mapping) and found.dimensions:
        groups = " / ".join(found.dimensions)
        raise Problem(
            expected.place("value"), f"`{expected.kpi}` is told by {groups}: write `value: {{GROUP: number}}`"
        )
    scene.found = ", ".join(_said(group, value) for group, value in values.items()) or "nothing was counted"
    return all(_is(value, values.get(str(group))) for group, value in wanted.items())


def _count(scene: Scene, expected: Expectation) -> Figure:
    run = scene.run
    gathering = Gathering(run.told, since=run.start)
    gathering.take(run.world.record.happenings, run.world.record.events or ())
    bundle = run.stage.bundle
    return figure(bundle.kpis[str(expected.kpi)], bundle, gathering.history(run.world))


def _said(group: str, value: float | None) -> str:
    said = "nothing to divide by" if value is None else f"{value:.6g}"
    return f"{group}: {said}" if group else said


def _is(wanted: Any, value: float | None) -> bool:
    if not isinstance(wanted, int | float) or isinstance(wanted, bool):
        return wanted is None and value is None
    return value is not None and isclose(wanted, value, rel_tol=1e-9, abs_tol=AS_GOOD_AS)
