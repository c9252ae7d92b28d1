"""Defects planted in the engine, one at a time, as another text of one of its functions.

Each must show as a difference from the reference within so many of the drawn examples; one that does not means that the
generators do not aim where it hurts.
"""

from __future__ import annotations

import inspect
import textwrap
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from orchestrator.engine import endings, entries, journey, levels, local_time, sequences, waits
from orchestrator.engine.functions.history import HistoryFunctions
from orchestrator.engine.gates import arbitration, caps, expired, hours, min_gap, owned, pauses, redundancy
from orchestrator.engine.program.schedule import Schedule
from orchestrator.engine.steps import waiting
from orchestrator.engine.traits.ordered import Basket, Ordered, Score
from orchestrator.engine.traits.sums import Ledger, Most, WindowSum
from orchestrator.engine.traits.values import First, Flag, Last
from tests.reference.comparison import Example, told_apart
from tests.reference.generated_bundles import small_bundles
from tests.reference.generated_events import STARTS, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED: Final = 4
RARE: Final = 150
"""A defect that needs more examples than this is planted only where there is time (`REFERENCE_EXAMPLES`)."""


class Defect(NamedTuple):
    """What is broken: in this function that text is another; and within how many examples that is noticed."""

    name: str
    function: Callable[..., Any]
    text: str
    instead: str
    within: int = RARE


@contextmanager
def planted(defect: Defect) -> Iterator[None]:
    """The engine with one defect in it."""
    function = defect.function
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(defect.text) == 1, f"{function.__qualname__} was rewritten: plant {defect.name!r} anew"
    scope = dict(function.__globals__)
    exec(compile(source.replace(defect.text, defect.instead), "<planted>", "exec"), scope)
    sound = function.__code__
    function.__code__ = scope[function.__name__].__code__  # whoever holds the function, holds the defect
    try:
        yield
    finally:
        function.__code__ = sound


@cache
def drawn(count: int) -> list[Example]:
    """Examples, always the same, with what the reference makes of them."""
    found: list[Example] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data(), st.sampled_from(STARTS))
    def draw(data: Any, start: int) -> None:
        text, beyond = data.draw(small_bundles())
        example = Example.of((text,), data.draw(streams(text, beyond)), start)
        if example is not None:
            found.append(example)

    draw()
    return found


def caught_by(defect: Defect, count: int) -> int | None:
    """The number of the first example that notices, None where none of so many does."""
    examples = drawn(count)
    with planted(defect):
        return next((number for number, one in enumerate(examples) if told_apart(one)), None)


DEFECTS: Final = (
    # Gates.
    Defect("a cap counts what is just out of its window", caps.caps, "c.at > since", "c.at >= since"),
    Defect("a cap lets one more pass", caps.caps, "len(counted) >= cap.limit", "len(counted) > cap.limit"),
    Defect("a cap holds a millisecond too long", caps._free_at, "oldest + cap.per.ms", "oldest + cap.per.ms + 1"),
    Defect("a cap of a channel counts every channel", caps._counts, "cap.channel in {None, contact.channel}", "True"),
    Defect("a gap is a millisecond too long", min_gap.min_gap, "moment.now >= last + rule.gap", "moment.now > last + rule.gap"),
    Defect("a topic is redundant for a millisecond more", redundancy.redundancy, "contact.at <= moment", "contact.at < moment"),
    Defect("nobody notes when a pause began and ended", pauses.follow_pauses, "in moment.program.pauses", "in ()"),
    Defect("what follows a pause is a millisecond too long", pauses.paused_until, "moment.now < lifted", "moment.now <= lifted"),
    Defect("the longest pause counts from the last look", pauses.paused_until, "start = marks[began]", "start = moment.now"),
    Defect("quiet hours begin a minute late", hours.quiet_hours, "quiet.from_, quiet.to)", "quiet.from_ + 1, quiet.to)"),
    Defect("quiet hours are those of the bundle's zone", hours.quiet_hours, "moment.scope.zone_name()", "''"),
    Defect("a message is valid a millisecond too long", expired.expired, "content.valid_for", "content.valid_for + 1"),
    Defect("two messages of one scenario may leave together", arbitration.arbitration, "winner is None", "winner in {None, candidate.plan.name}"),
    Defect("an instance that rests owns", owned.owned, 'instance.mode != "live"', 'instance.mode == "holdout"'),
    Defect("browsing is forgotten a millisecond late", hours.browse_delay, "entry_time + policy", "entry_time + 1 + policy"),
    # Waits.
    Defect("grace covers no late event", waits._may_move, 'bool(getattr(step.body, "grace", 0))', "False"),
    Defect("what happened in the grace counts", waiting.WaitUntil.touched, "body.grace and event.time > standing.due - body.grace", "False"),
    Defect("nobody waits for the grace", waiting.WaitUntil.enter, "journey.stand(step, end + body.grace)", "journey.stand(step, end)"),
    Defect("a silence counts from any touch", waiting.restart_silence, "time > standing.data", "True"),
    Defect("a silence begins when it is reached", waiting.Silence._last_touch, "return led_at", "return journey.moment.now"),
    Defect("what is no activity breaks a silence", waits._may_move, 'step.kind == "silence"', "False"),
    Defect("a standing delay keeps its zone", waiting.Delay.look, "standing.data is not None", "False"),
    Defect("a late event ends a wait", waits._may_move, "not event.late or", "True or"),
    # Traits.
    Defect("a window is a millisecond too long", WindowSum.read, "now - self.window < time", "now - self.window <= time"),
    Defect("a count looks a millisecond too far back", HistoryFunctions.count, "since + 1)", "since)"),
    Defect("a value is kept a millisecond too long", Last.read, ">= self.keep_for", "> self.keep_for"),
    Defect("a flag stands a millisecond too long", Flag.read, ">= self.longest", "> self.longest"),
    Defect("the first value is the first to arrive", First.add, "(line, time, id_) < ", "line < state[_LINE] and () < "),
    Defect("a run of events ends a millisecond late", Score.fold, "time - before < once_per", "time - before <= once_per"),
    Defect("a score is forgotten a millisecond late", Score._aged, "age >= self.reset_after", "age > self.reset_after"),
    Defect("what is older than the lateness is lost", Ordered._settled, "self.fold(base, recent.pop(0))", "recent.pop(0)"),
    Defect("a line of a basket is never gone", Basket.fold, "if left > 0", "if left >= 0"),
    Defect("a ref is entered as often as it comes", Ledger.add, '_earliest(entry["a"], str(line),', '_earliest(entry["a"], id_,'),
    Defect("the commonest value needs more than its share", Most.read, "count >= self.share", "count > self.share"),
    # Entries, goals and exits.
    Defect("entering again is a millisecond late", entries._admits, "moment.now >= known[1]", "moment.now > known[1]"),
    Defect("re-entry counts from the end of the world", entries._admits, 'entry.re_entry == "always"', "True"),
    Defect("a key is any key", entries._twin, "and instance.key == key", ""),
    Defect("a late event enters", entries.check_entries, "if event.late:", "if False:"),
    Defect("what is unknown ends", endings.level_ends, "unknown=not ending.ends_when", "unknown=ending.ends_when"),
    Defect("who entered is not told what came since", endings.check_against, "if named and", "if False and"),
    Defect("a goal is watched a millisecond too long", journey.finish, "moment.now + document.goal.keep_watching", "moment.now + 1 + document.goal.keep_watching"),
    Defect("an instance lives a millisecond too long", entries._instance, "moment.now + document.lives", "moment.now + 1 + document.lives"),
    Defect("a level that was true is true anew", levels.compare_levels, "if level == before:", "if level is None:"),
    Defect("who is held out gets the story", entries.enter, 'instance.mode == "live"', "True"),
    Defect("what must be absent may come", sequences._broken, "one.at <= pending.due", "one.at <= began"),
    Defect("what must be absent may come at the last moment", sequences._broken, "<= pending.due", "< pending.due"),
    Defect("a sequence spans a millisecond less", sequences._Search.__init__, "one.at >= since", "one.at > since"),
    Defect("a schedule skips the day after", Schedule.next, "day > last", 'day > last + "~"'),
    Defect("an hour that is skipped is taken at its beginning", local_time._end_of_gap, "return high", "return high - 1"),
)  # fmt: skip
