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

from orchestrator.engine import (
    advance,
    breaker,
    conversation,
    endings,
    entries,
    fact_rows,
    fallback,
    journey,
    levels,
    local_time,
    placements,
    releases,
    sequences,
    slots,
    waits,
)
from orchestrator.engine.facts import Facts
from orchestrator.engine.functions.history import HistoryFunctions
from orchestrator.engine.gates import arbitration, caps, expired, hours, min_gap, owned, pauses, redundancy, stopped
from orchestrator.engine.identity import references as used_first
from orchestrator.engine.program.schedule import Schedule
from orchestrator.engine.steps import acting, waiting
from orchestrator.engine.traits import values
from orchestrator.engine.traits.ordered import Basket, Ordered, Score
from orchestrator.engine.traits.sums import Ledger, Most, WindowSum
from orchestrator.engine.traits.values import First, Flag
from orchestrator.stream.lane import heads, partition, references, ticks
from tests.reference.comparison import Example, told_apart
from tests.reference.generated_bundles import small_bundles
from tests.reference.generated_events import STARTS, halved, streams
from tests.reference.generated_releases import followed, released
from tests.reference.generated_slots import looked_at

# ruff: noqa: E501 - a defect is a line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED: Final = 4
PART: Final = 15
RARE: Final = 60
"""A defect that may need more examples than this is planted only if asked for, by `REFERENCE_DEFECTS=all`."""


class Defect(NamedTuple):
    """What is broken: in this function that text is another; and in which examples, and how many, that is noticed."""

    name: str
    about: str
    function: Callable[..., Any]
    text: str
    instead: str
    within: int = RARE


@contextmanager
def planted(defect: Defect) -> Iterator[None]:
    """The engine with one defect in it.

    Raises:
        AssertionError: the function has another text now.
    """
    function = defect.function
    source = textwrap.dedent(inspect.getsource(function))
    assert source.count(defect.text) == 1, f"{function.__qualname__} was rewritten: plant {defect.name!r} anew"
    scope = dict(function.__globals__)
    exec(compile(source.replace(defect.text, defect.instead), "<planted>", "exec"), scope)  # noqa: S102 - our own text
    sound = function.__code__
    function.__code__ = scope[function.__name__].__code__  # whoever holds the function, holds the defect
    try:
        yield
    finally:
        function.__code__ = sound


@cache
def drawn(about: str, part: int) -> list[Example]:
    """A part of the examples of a rule or a story, always the same, with what the reference makes of them."""
    found: list[Example] = []

    @seed(SEED + part)
    @settings(
        max_examples=PART,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data(), st.sampled_from(STARTS))
    def draw(data: Any, start: int) -> None:
        texts: tuple[str, ...]
        text, beyond = data.draw(small_bundles(about))
        texts, stream = (text,), data.draw(streams(text, beyond))
        if about == "follow":
            texts, stream = (text, data.draw(followed(text))), data.draw(released(stream))
        if about == "showing":
            stream = data.draw(looked_at(stream))
        if about == "references" and beyond:
            stream = data.draw(halved(stream))
        example = Example.of(texts, stream, start)
        if example is not None:
            found.append(example)

    draw()
    return found


def caught_by(defect: Defect) -> int | None:
    """How many examples it takes until one notices, None where none does within the limit."""
    for part in range(-(-defect.within // PART)):
        examples = drawn(defect.about, part)
        with planted(defect):
            for number, example in enumerate(examples, 1):
                if told_apart(example):
                    return part * PART + number
    return None


DEFECTS: Final = (
    # Gates.
    Defect("a cap counts what is just out of its window", "cap", caps.caps, "c.at > since", "c.at >= since"),
    Defect("a cap lets one more pass", "cap", caps.caps, "len(counted) >= cap.limit", "len(counted) > cap.limit"),
    Defect("a cap holds a millisecond too long", "cap", caps._free_at, "oldest + cap.per.ms", "oldest + cap.per.ms + 1"),
    Defect("a cap of a channel counts every channel", "any cap", caps._counts, "cap.channel in {None, contact.channel}", "True", 400),
    Defect("a gap is a millisecond too long", "gap", min_gap.min_gap, "moment.now >= last + rule.gap", "moment.now > last + rule.gap"),
    Defect("a topic is redundant for a millisecond more", "redundancy", redundancy.redundancy, "contact.at <= moment", "contact.at < moment"),
    Defect("nobody notes when a pause began and ended", "pause", pauses.follow_pauses, "in moment.program.pauses", "in ()"),
    Defect("what follows a pause is a millisecond too long", "pause", pauses.paused_until, "moment.now < lifted", "moment.now <= lifted", 400),
    Defect("the longest pause counts from the last look", "pause", pauses.paused_until, "start = marks[began]", "start = moment.now"),
    Defect("quiet hours begin a minute late", "quiet", hours.quiet_at, "rule.from_, rule.to)", "rule.from_ + 1, rule.to)", 400),
    Defect("quiet hours are those of the bundle's zone", "quiet", hours.quiet_hours, "moment.scope.zone_name()", "''", 400),
    Defect("a message is valid a millisecond too long", "none", expired.expired, "content.valid_for", "content.valid_for + 1"),
    Defect("two messages of one scenario may leave together", "none", arbitration.arbitration, "winner is None", "winner in {None, candidate.plan.name}"),
    Defect("an instance that rests owns", "owner", owned.owned, 'instance.mode != "live"', 'instance.mode == "holdout"', 400),
    Defect("browsing is forgotten a millisecond late", "browse", hours.browse_delay, "entry_time + policy", "entry_time + 1 + policy"),
    # Waits.
    Defect("grace covers no late event", "wait", waits._may_move, 'bool(getattr(step.body, "grace", 0))', "False"),
    Defect("what happened in the grace counts", "wait", waiting.WaitUntil.touched, "body.grace and event.time > standing.due - body.grace", "False", 400),
    Defect("nobody waits for the grace", "wait", waiting.WaitUntil.enter, "journey.stand(step, end + body.grace)", "journey.stand(step, end)"),
    Defect("a silence counts from any touch", "silence", waiting.restart_silence, "time > standing.data", "True"),
    Defect("a silence begins when it is reached", "silence", waiting.Silence._last_touch, "return led_at", "return journey.moment.now"),
    Defect("what is no activity breaks a silence", "silence", waits._may_move, 'step.kind == "silence"', "False"),
    Defect("a standing delay keeps its zone", "clock", waiting.Delay.look, "standing.data is not None", "False", 400),
    Defect("a late event ends a wait", "wait", waits._may_move, "not event.late or", "True or", 400),
    # The next channel of a message.
    Defect("the next channel comes a millisecond late", "fallback", fallback.watch, "now + rule.after", "now + 1 + rule.after"),
    Defect("one more channel than the rule allows", "fallback", fallback.watch, "left < 1", "left < 0"),
    Defect("the next channel makes a message valid anew", "fallback", fallback.watch, 'data["decided"]', "now"),
    Defect("the fate of the first message is that of the newest", "fallback", fallback.fits, '["messages"][-1]', '["messages"][0]', 400),
    Defect("what is delivered goes out again", "fallback", acting.Send.touched, "event.type not in UNDELIVERED", "event.type in UNDELIVERED"),
    Defect("what has failed waits for its time", "fallback", acting.Send.touched, '"held" not in standing.data', "False"),
    Defect("only the newest message can be answered", "fallback", waiting.about_step, 'output.get("messages") or ', "", 400),
    Defect("a message on its next channel counts twice", "fallback", caps._counts, "contact.replaced or contact.id in candidate.messages", "False", 400),
    Defect("a message is redundant on its next channel", "fallback", redundancy.redundancy, "contact.id in candidate.messages", "False"),
    Defect("a story is over while its message is on its way", "fallback", journey._arrive, "finish_if_over(journey)", "finish(journey)"),
    # Releases that everybody follows.
    Defect("who follows counts the tracks of the version before", "follow", releases._go_over, "_count_tracks(journey)", "pass", 400),
    Defect("another word goes on where the one before stood", "follow", releases._go_over, "kind is not None and kind != step.kind", "False", 400),
    Defect("a step that is gone is waited for", "follow", releases._go_over, "elif step is None:", "elif False:"),
    Defect("where it stands keeps its former name", "follow", releases._rename, "moved.get(standing.step, standing.step)", "standing.step"),
    Defect("a step that comes again makes the same again", "follow", journey.run, "or journey.instance.visits", "", 400),
    # Conversations.
    Defect("a thread takes turns a millisecond longer", "conversation", conversation._open, "t.last_at > since", "t.last_at >= since"),
    Defect("a bot answers nothing", "conversation", conversation._asked, 'turn.by != "customer"', 'turn.by == "agent"'),
    Defect("a turn goes to the thread that is open, whatever it names", "conversation", conversation.find_thread, "_named(moment) or _open(moment, event)", "_open(moment, event) or _named(moment)"),
    Defect("who speaks again does not open the thread", "conversation", conversation._add, "thread.open = True", "thread.open = thread.open"),
    Defect("a thread that is closed still asks", "conversation", conversation.add_turns, "thread.asked = 0", "pass"),
    Defect("the agent is forgotten when the customer speaks", "conversation", conversation._add, "turn.agent or thread.agent", "turn.agent"),
    Defect("more turns are kept than the bundle says", "conversation", conversation._add, "[-moment.program.conversation.keep :]", "[-20:]"),
    Defect("a turn without a name goes to the oldest thread", "conversation", conversation._open, "max(threads", "min(threads"),
    # Scenarios that stop themselves.
    Defect("a scenario stops at its limit", "stopping", breaker.trip, "met <= rule.over * sent", "met < rule.over * sent"),
    Defect("a scenario stops before there is enough to say", "stopping", breaker.trip, "sent < rule.at_least", "sent < rule.at_least - 1"),
    Defect("what has left the window counts", "stopping", breaker.count, "for part in body.parts if part[0] > now - rule.in_ - width", "for part in body.parts"),
    Defect("a complaint counts when it comes", "stopping", breaker.tell_met, "first.at, met", "moment.now, met"),
    Defect("a complaint is about the oldest message", "stopping", breaker._about, "for one in reversed(contacts) if one.at", "for one in contacts if one.at"),
    Defect("who is reopened stays stopped for everyone", "stopping", breaker.reopen, "Row(tenant, FACT, scenario, None, now)", 'Row(tenant, FACT, scenario, {"at": time}, now)'),
    Defect("a scenario that has stopped goes on sending", "stopping", stopped.stopped, "if not row:", "if True:"),
    # Facts that change.
    Defect("a row takes what happened before", "facts", fact_rows.change_row, "event.time < body.set_at.get(ROW, 0)", "False"),
    Defect("of two events of one time the first counts", "facts", fact_rows.change_row, "event.time < body.set_at.get(ROW, 0)", "event.time <= body.set_at.get(ROW, 0)", 400),
    Defect("what an event does not say is nothing", "facts", fact_rows.change_row, "if value is not None:", "if True:"),
    Defect("a latch does not stay as it is", "facts", fact_rows._latched, "else before", "else False"),
    Defect("nobody looks when a row changes", "facts", partition.Partition.waiting_for, "self._waiters.get(fact, set())", "set()"),
    Defect("who stands at a level is not told of its row", "facts", heads.facts_waited, "found |= step.facts", "pass"),
    Defect("what a change of a row ends is not told of it", "facts", heads.facts_waited, "found |= plan.facts_read", "pass", 400),
    Defect("what is due waits while a row changes", "facts", advance.Advance.facts_changed, "self.timers(self.now)", "pass", 400),
    Defect("stock everywhere is stock somewhere", "facts", Facts.stock, "sum(int", "max(int"),
    # References.
    Defect("only one of those that wait for an owner is told", "references", references.claim, "in body.waiting:", "in body.waiting[:1]:"),
    Defect("whoever names a reference has it", "references", used_first.refer, "if event.type not in types:", "if False:"),
    Defect("nobody waits for the owner of a reference", "references", references.refer, "record.timestamp + step.program.lateness", "record.timestamp"),
    Defect("what is late by a millisecond finds no owner", "references", ticks._unowned, "due > until", "due > until + 1", 400),
    Defect("what has an owner waits for one", "references", references.refer, "if body.owner:", "if False:"),
    # What is placed in slots.
    Defect("a placement is shown once more than its limit", "showing", placements.count_shown, "shown >= step.body.limit", "shown > step.body.limit"),
    Defect("what was placed before stands on", "showing", placements.place, "if one.step != step.id or not one.is_placement", "if True"),
    Defect("a placement stands until its instance ends", "showing", placements.place, "min(instance.ends_at, now + body.for_)", "instance.ends_at"),
    Defect("nobody rests for what is placed", "showing", journey.finish, ", *(placed.due for placed in instance.standing)]", "]"),
    Defect("resting ends with the first placement that goes", "showing", placements.take_down, "and not instance.standing", ""),
    Defect("who rests for nothing rests on", "showing", placements.take_down, 'instance.mode == "rest"', "False"),
    Defect("a slot has one name only", "showing", placements.placements_in, "{slot.slot, *slot.also}", "{slot.slot}"),
    Defect("placements stand behind candidates", "showing", slots._placed, "0.0, False, place", "0.0, True, place + 9"),
    Defect("the priority of a candidate is ignored", "showing", slots._candidates, "-float(candidate.priority)", "-50.0"),
    Defect("what lacks a fact is shown all the same", "showing", slots._unfit, "not moment.holds(content.requires, *place)", "False"),
    Defect("who knows it is shown it", "showing", slots._unfit, "content.once is not None and", "False and"),
    Defect("any channel shows anything", "showing", slots._refused, "if channel and", "if False and"),
    Defect("the values of a slot count last", "showing", slots._shown, "(content.with_, slot.with_, eligible.with_)", "(content.with_, eligible.with_, slot.with_)"),
    # Endings.
    Defect("what happened before a story ends it", "goal", endings._was_before, "event.time < instance.entered_at", "False", 400),
    # Traits.
    Defect("a window is a millisecond too long", "traits", WindowSum.read, "now - self.window < time", "now - self.window <= time"),
    Defect("a count looks a millisecond too far back", "traits", HistoryFunctions.count, "since + 1)", "since)", 400),
    Defect("a value is kept a millisecond too long", "traits", values._kept, ">= keep_for", "> keep_for"),
    Defect("a flag stands a millisecond too long", "traits", Flag.read, ">= self.longest", "> self.longest", 800),
    Defect("the first value is the first to arrive", "traits", First.add, "(line, time, id_) < ", "line < state[_LINE] and () < ", 400),
    Defect("a run of events ends a millisecond late", "traits", Score.fold, "time - before < once_per", "time - before <= once_per"),
    Defect("a score is forgotten a millisecond late", "traits", Score._aged, "age >= self.reset_after", "age > self.reset_after"),
    Defect("what is older than the lateness is lost", "traits", Ordered._settled, "self.fold(base, recent.pop(0))", "recent.pop(0)"),
    Defect("a line of a basket is never gone", "basket", Basket.fold, "if left > 0", "if left >= 0", 400),
    Defect("a ref is entered as often as it comes", "traits", Ledger.add, '_earliest(entry["a"], str(line),', '_earliest(entry["a"], id_,'),
    Defect("the commonest value needs more than its share", "traits", Most.read, "count >= self.share", "count > self.share"),
    # Entries, goals and exits.
    Defect("entering again is a millisecond late", "again", entries._admits, "moment.now >= known[1]", "moment.now > known[1]", 400),
    Defect("re-entry counts from the end of the world", "again", entries._admits, 'entry.re_entry == "always"', "True"),
    Defect("a key is any key", "again", entries._twin, "and instance.key == key", ""),
    Defect("a late event enters", "none", entries.check_entries, "if event.late:", "if False:"),
    Defect("what is unknown ends", "unknown", endings.level_ends, "unknown=not ending.ends_when", "unknown=ending.ends_when"),
    Defect("who entered is not told what came since", "late", endings.check_against, "if named and", "if False and"),
    Defect("a goal is watched a millisecond too long", "goal", journey.finish, "now + goal_watched(journey.plan)", "now + 1 + goal_watched(journey.plan)"),
    Defect("an instance lives a millisecond too long", "short", entries._instance, "moment.now + document.lives", "moment.now + 1 + document.lives"),
    Defect("a level that was true is true anew", "becomes", levels.compare_levels, "if level == before:", "if level is None:"),
    Defect("who is held out gets the story", "held out", entries.enter, 'instance.mode == "live"', "True"),
    Defect("what must be absent may come", "sequence", sequences._broken, "one.at <= pending.due", "one.at <= began"),
    Defect("what must be absent may come at the last moment", "sequence", sequences._broken, "<= pending.due", "< pending.due", 400),
    Defect("a sequence spans a millisecond less", "sequence", sequences._Search.__init__, "one.at >= since", "one.at > since", 400),
    Defect("a schedule skips the day after", "schedule", Schedule.next, "day > last", 'day > last + "~"'),
    Defect("an hour that is skipped is taken at its beginning", "clock", local_time._end_of_gap, "return high", "return high - 1"),
)  # fmt: skip
