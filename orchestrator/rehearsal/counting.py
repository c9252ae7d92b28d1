"""Figures over recorded events: the bundle is played over them, and what happened is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.kpis.figures import figure
from orchestrator.rehearsal.gathering import Gathering
from orchestrator.rehearsal.stage import names_of_variants
from orchestrator.rehearsal.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from orchestrator.engine.program.plan import Program
    from orchestrator.kpis.figures import Figure
    from orchestrator.kpis.history import History
    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.recorded import Recorded

EVERY: Final = 200


class Counted(NamedTuple):
    """Figures, and how far they can be trusted.

    Attributes:
        figures: in the order asked for.
        events: how many were played.
        refused: how many of them could not be taken in.
        strangers: how many outcomes of messages came of which this bundle knows nothing: it did not decide them.
    """

    figures: tuple[Figure, ...]
    events: int
    refused: int
    strangers: int


class Played(NamedTuple):
    """What happened, over how many events, and how many of them could not be taken in."""

    history: History
    events: int
    refused: int


def play(
    bundle: Bundle,
    program: Program,
    events: Iterable[Recorded],
    start: int,
    *,
    since: int = 0,
    onward: int = 0,
    partitions: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Played:
    """Play a bundle over recorded events, on the production engine and a virtual clock; sends nothing.

    Args:
        bundle: what is played.
        program: the bundle's, which decides what is sent.
        events: in the order of their arrival.
        start: when the clock begins, ms: not after the first arrival.
        since: what happened before is played, so that everybody stands where they stood, and not counted, ms.
        onward: how long (ms) the clock runs on after the last event.
        partitions: of the input topics.
        progress: told how many events are done, now and then.
    """
    world, gathering = World(program, start, partitions), Gathering(names_of_variants(bundle), since)
    number = refused = 0
    world.record.events = []
    for number, event in enumerate(events, 1):
        world.arrive(event.topic, world.key_of(event.data), event.value, max(event.at, world.now))
        refused += _harvest(world, gathering)
        if progress is not None and number % EVERY == 0:
            progress(number)
    world.advance(world.now + onward)
    _harvest(world, gathering)
    return Played(gathering.history(world), number, refused)


def count(names: Iterable[str], bundle: Bundle, played: Played) -> Counted:
    """Figures of a bundle over what happened when it was played."""
    found = tuple(figure(bundle.kpis[name], bundle, played.history) for name in names)
    return Counted(found, played.events, played.refused, played.history.strangers)


def _harvest(world: World, gathering: Gathering) -> int:
    """Take what is on record, and forget it; gives how many records could not be taken in."""
    record = world.record
    refused = len(record.refusals)
    assert record.events is not None  # noqa: S101 - it was asked for
    gathering.take(record.happenings, record.events)
    record.happenings.clear()
    record.events.clear()
    record.refusals.clear()
    return refused
