"""What lint lets through is run: each step word has its work in the engine, or lint refuses it."""

from __future__ import annotations

from orchestrator.engine.steps.words import WORDS
from orchestrator.language.spec.not_run import STEPS_NOT_RUN
from orchestrator.language.spec.step_words import STEP_WORDS


def test_a_step_word_is_run_or_refused() -> None:
    assert set(WORDS) == set(STEP_WORDS) - set(STEPS_NOT_RUN)
    assert set(STEPS_NOT_RUN) <= set(STEP_WORDS)
