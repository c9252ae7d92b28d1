"""W-NO-EXIT: a long wait that nothing can end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.lint.flow import longest_wait
from orchestrator.language.lint.words import duration
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context

_LONG: Final = 3_600_000


def ends(context: Context) -> Iterator[Diagnostic]:
    """Scenarios with no goal, exit or `while` around a wait longer than 1 h; the first such wait is cited."""
    for draft in context.sound("scenario"):
        scenario = draft.element
        if scenario.goal is not None or scenario.exit or scenario.while_ is not None:
            continue
        for step in all_steps(scenario.steps):
            wait = longest_wait(step)
            if wait is not None and (wait < 0 or wait > _LONG):
                how_long = "until a time that is known only then" if wait < 0 else duration(wait)
                message = f"`{step.id}` waits {how_long}, and nothing ends the story meanwhile"
                hint = "add a `goal`, an `exit` (bought? returned? unsubscribed?), or `while`"
                yield diagnostic("W-NO-EXIT", message, step.id_at, length=len(step.id), hint=hint)
                break
