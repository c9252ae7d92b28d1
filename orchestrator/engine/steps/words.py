"""Every step word that the engine runs, by name."""

from typing import Final

from orchestrator.engine.steps.acting import Award, Decide, Emit, OpenTask, Send
from orchestrator.engine.steps.flow import End, Experiment, GoTo, Parallel, SetValues, Split
from orchestrator.engine.steps.publishing import Publish
from orchestrator.engine.steps.showing import Show
from orchestrator.engine.steps.waiting import Delay, Silence, WaitUntil
from orchestrator.engine.steps.word import Word

WORDS: Final[dict[str, Word]] = {
    "delay": Delay(),
    "silence": Silence(),
    "wait_until": WaitUntil(),
    "send": Send(),
    "show": Show(),
    "decide": Decide(),
    "task": OpenTask(),
    "award": Award(),
    "emit": Emit(),
    "publish": Publish(),
    "set": SetValues(),
    "split": Split(),
    "experiment": Experiment(),
    "parallel": Parallel(),
    "go_to": GoTo(),
    "end": End(),
}
