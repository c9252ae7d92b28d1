"""E-WEIGHT: the weights of an experiment do not make 100%."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.lint.words import percent
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.steps import Experiment
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context

_EXACT: Final = 1e-9


def weights(context: Context) -> Iterator[Diagnostic]:
    for draft in context.sound("scenario"):
        for step in all_steps(draft.element.steps):
            if isinstance(step.body, Experiment):
                total = sum(arm.weight for arm in step.body.variants)
                if abs(total - 1) > _EXACT:
                    message = f"the weights of `{step.id}` make {percent(total)}, not 100%"
                    hint = "give the rest to one variant" if total < 1 else "take it from one variant"
                    yield diagnostic("E-WEIGHT", message, step.id_at, length=len(step.id), hint=hint)
