"""Every step word with its struct: the table that reading, JSON Schema and the reference share."""

from __future__ import annotations

from typing import Final

from orchestrator.language.spec import steps
from orchestrator.language.spec.step_list import StepWord

WAITING: Final = (
    StepWord("delay", steps.Delay),
    StepWord("silence", steps.Silence),
    StepWord("wait_until", steps.WaitUntil, beside=("then", "on_timeout")),
)
ACTING: Final = (
    StepWord("send", steps.Send),
    StepWord("show", steps.Show),
    StepWord("decide", steps.Decide),
    StepWord("task", steps.Task),
    StepWord("reserve", steps.Reserve, beside=("on_timeout",)),
    StepWord("award", steps.Award),
    StepWord("emit", steps.Emit),
    StepWord("publish", steps.Publish),
    StepWord("set", steps.SetValues),
    StepWord("split", steps.Split, holds="cases", beside=("else",)),
    StepWord("experiment", steps.Experiment),
    StepWord("parallel", steps.Parallel, holds="tracks"),
    StepWord("go_to", steps.GoTo),
    StepWord("end", steps.End),
)
STEP_WORDS: Final[dict[str, StepWord]] = {word.word: word for word in (*WAITING, *ACTING)}
