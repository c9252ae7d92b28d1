from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.spec.steps import Step


def all_steps(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Every step of a list and of its branches, in the order of the file."""
    for step in steps:
        yield step
        for _, branch in step.branches:
            yield from all_steps(branch)
