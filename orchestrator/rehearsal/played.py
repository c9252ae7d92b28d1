"""A customer's life played for `explain`: a test up to a moment, or recorded events."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.model.event import milliseconds
from orchestrator.rehearsal.explain import family_of
from orchestrator.rehearsal.run import Run
from orchestrator.rehearsal.stage import Stage
from orchestrator.rehearsal.world import World
from orchestrator.stream.lane.ticks import ON_ITS_WAY

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.bundle import Bundle
    from orchestrator.language.spec.story import Story
    from orchestrator.rehearsal.record import Happening
    from orchestrator.rehearsal.recorded import EventFile, Recorded


def play_test(story: Story, bundle: Bundle, at: int | datetime | None) -> Run:
    """A test's history and events, up to a moment (a duration after its start, or a time), else to its end.

    Raises:
        Problem: the test is wrong in itself.
    """
    stage = Stage(bundle)
    judged = Run(story, stage)
    judged.play()  # binds the names that events refer to
    run = Run(story, stage, explain=True, names=judged.bindings.known)
    until = _until(at, run.start, run.end)
    run.begin()
    for arrival in run.arrivals():
        if arrival.at <= until:
            run.arrive(arrival)
    run.world.advance(until + ON_ITS_WAY)
    return run


def _until(at: int | datetime | None, start: int, end: int) -> int:
    if at is None:
        return end
    return milliseconds(at) if isinstance(at, datetime) else start + at


def play_events(
    program: Program, file: EventFile, node: str, at: int | datetime | None
) -> tuple[World, list[Happening]]:
    """Recorded events up to a moment, else all of them; with what happened to one customer alone.

    They are played twice: once to learn under which identifiers the customer is known, once to keep their traces.
    """
    until = _until(at, file.first, file.last)
    first = World(program, file.first)
    for event in file:
        if event.at <= until:
            _arrive(first, event)
            first.record.happenings.clear()
    first.advance(until + ON_ITS_WAY)
    family = family_of(first, [node])
    world, kept = World(program, file.first, explain=True), []
    for event in file:
        if event.at <= until:
            _arrive(world, event)
            kept += _taken(world, family)
    world.advance(until + ON_ITS_WAY)
    return world, [*kept, *_taken(world, family)]


def _arrive(world: World, event: Recorded) -> None:
    world.arrive(event.topic, world.key_of(event.data), event.value, max(event.at, world.now))


def _taken(world: World, family: set[str]) -> list[Happening]:
    found = [one for one in world.record.happenings if one.node in family]
    world.record.happenings.clear()
    return found
