"""`never` and `exactly`: what must not have come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.model.effect import Action
from orchestrator.rehearsal.checks import WITHIN, Scene, check, fits_send
from orchestrator.rehearsal.nearest import instead
from orchestrator.rehearsal.problem import Problem
from orchestrator.rehearsal.wording import told

if TYPE_CHECKING:
    from orchestrator.language.spec.story import Expectation
    from orchestrator.rehearsal.record import Happening
    from orchestrator.rehearsal.run import Run


WATCHED: Final = frozenset({"profile", "context", "standing", "slot"})
"""Words that look at how things are: in `never` they are looked at after everything that happens."""


class Watch:
    """Looks at what must never be, each time that anything has happened."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._watched = [(one, *span(run, one)) for one in run.story.never if one.kind in WATCHED]

    def look(self) -> None:
        """Fail what is seen; each only once."""
        run, now = self._run, self._run.world.now
        for one in list(self._watched):
            expected, since, until = one
            if not since <= now <= until:
                continue
            scene = Scene(run, now, since, now, run.bindings.trial(), dry=True)
            if _seen(scene, expected):
                self._watched.remove(one)
                run.fail(expected.at, f"never: {told(expected)}", "it came", now, expected.customer or "")


def _seen(scene: Scene, expected: Expectation) -> bool:
    try:
        return check(scene, expected)
    except Problem:
        return False  # nothing is known of the customer yet


def span(run: Run, expected: Expectation) -> tuple[int, int]:
    """From when until when (ms) something must not be: before a time, after one, around one, or ever."""
    if expected.at_ is not None:
        at = run.start + expected.at_
        return at - WITHIN, at + WITHIN
    since = run.start + expected.after + 1 if expected.after is not None else run.start
    until = run.start + expected.before - 1 if expected.before is not None else run.end
    return since, until


def judge_never(run: Run) -> None:
    """What happened although it must not have. Words that look at how things are were watched on the way."""
    for expected in run.story.never:
        if expected.kind in WATCHED:
            continue
        since, until = span(run, expected)
        scene = Scene(run, until, since, until, run.bindings.trial())
        if check(scene, expected):
            at = _when(scene, expected)
            run.fail(expected.at, f"never: {told(expected)}", "it came", at, expected.customer or "")


def _when(scene: Scene, expected: Expectation) -> int:
    """The time of the first happening that made it true: the span shrinks until nothing is left."""
    times = sorted({one.at for one in scene.happenings(expected)})
    for at in times:
        narrow = Scene(scene.run, at, at, at, scene.bindings.trial())
        if check(narrow, expected):
            return at
    return scene.since


def judge_exactly(run: Run) -> None:
    """Each send named came once, and no other came to these customers."""
    story = run.story
    if "exactly" not in story.places:
        return
    left = _sends(run)
    for expected in story.exactly:
        if expected.kind != "sent" or expected.at_ is None:
            raise Problem(expected.at, "`exactly` names sends: {at: 1h, sent: CONTENT}")
        match = _match(run, expected, left)
        if match is None:
            at = run.start + expected.at_
            found = instead(Scene(run, at, at, at, run.bindings.trial()), expected)
            run.fail(expected.at, f"exactly: {told(expected)}", found, at, expected.customer or "")
        else:
            left.remove(match)
    for one in left:
        action = one.effect
        if isinstance(action, Action):
            whose = run.cast.name(run.world, one.node)
            message = f"exactly: {action.content} was sent to {whose} by {action.channel} as well"
            run.fail(story.place("exactly"), message, "", one.at, whose if whose in story.customers else "")


def _sends(run: Run) -> list[Happening]:
    """What was sent in the test, to the customers that `exactly` names: to everybody where it names none."""
    named = {expected.customer for expected in run.story.exactly if expected.customer is not None}
    nodes = {node for name in named for node in run.cast.family(run.world, name)}
    return [
        one
        for one in run.world.record.happenings[run.begun :]
        if isinstance(one.effect, Action) and (not named or one.node in nodes) and one.at <= run.end
    ]


def _match(run: Run, expected: Expectation, sends: list[Happening]) -> Happening | None:
    at = run.start + (expected.at_ or 0)
    whose = run.cast.family(run.world, expected.customer) if expected.customer is not None else None
    scene = Scene(run, at, at - WITHIN, at + WITHIN, run.bindings)
    for one in sends:
        if scene.since <= one.at <= scene.until and (whose is None or one.node in whose):
            trial = run.bindings.trial()
            if fits_send(scene, trial, expected, one):
                run.bindings.known = trial.known
                return one
    return None
