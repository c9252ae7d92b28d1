"""A candidate bundle against the live one, over the same recorded events: which actions differ, and why."""

from __future__ import annotations

from collections import deque
from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.model.effect import Action, Emitted, Publication, TaskNotice
from orchestrator.rehearsal.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from orchestrator.engine.program.plan import Program
    from orchestrator.model.effect import Note
    from orchestrator.rehearsal.record import Happening
    from orchestrator.rehearsal.recorded import Recorded

SAME: Final = 1_000
EVERY: Final = 200
SEND: Final = "send"
TASK: Final = "task"
EMIT: Final = "emit"
PUBLISH: Final = "publish"
SHOW: Final = "show"


class Act(NamedTuple):
    """One action: what was done, for whom and when.

    `what` is a content, a queue or an event; `how` a channel, or the slots that a content was placed in.
    """

    at: int
    kind: str
    what: str
    how: str
    scenario: str
    step: str
    key: str
    person: str
    node: str
    id: str

    @property
    def place(self) -> tuple[str, ...]:
        """What two bundles have in common even if the number of entries differs."""
        return (self.kind, self.person, self.scenario, self.key, self.step)


class Difference(NamedTuple):
    """One action that differs: only one of `before` and `after` where it is removed or added. `why` is a reason."""

    before: Act | None
    after: Act | None
    why: str = ""

    @property
    def kind(self) -> str:
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "moved"

    @property
    def act(self) -> Act:
        act = self.after if self.after is not None else self.before
        assert act is not None  # noqa: S101 - one of both is there
        return act


class Comparison(NamedTuple):
    """What came of a replay: actions under either bundle, and what differs, by scenario then time."""

    live: int
    candidate: int
    differences: tuple[Difference, ...]

    def by_scenario(self) -> Iterator[tuple[str, list[Difference]]]:
        """Scenario (or the event's name where a scenario does not say) and its differences."""
        for name, found in groupby(self.differences, key=lambda one: one.act.scenario):
            yield name, list(found)


class _Side:
    """One bundle over the events: keeps its actions, and why messages were not sent."""

    def __init__(self, program: Program, start: int, partitions: int) -> None:
        self.world = World(program, start, partitions)
        self.acts: list[Act] = []
        self.refused: dict[tuple[str, str], list[tuple[int, str]]] = {}
        self._tasks: set[str] = set()

    def take(self, event: Recorded) -> None:
        """Let an event arrive, and keep what came of it."""
        world = self.world
        world.arrive(event.topic, world.key_of(event.data), event.value, max(event.at, world.now))
        self.harvest()

    def harvest(self) -> None:
        """Keep what is needed of the record, and forget the rest."""
        for one in self.world.record.happenings:
            note = one.note
            if note is not None and note.what in {"suppressed", "held"}:
                found = self.refused.setdefault((note.scenario, note.step), [])
                found.append((one.at, f"{one.node}\n{note.what}, {note.reason}"))
            act = _placed(one, note) if note is not None and note.what == "placed" else self._act(one)
            if act is not None:
                self.acts.append(act)
        self.world.record.happenings.clear()
        self.world.record.refusals.clear()

    def _act(self, one: Happening) -> Act | None:
        effect = one.effect
        if isinstance(effect, Action):
            return Act(
                one.at, SEND, effect.content, effect.channel, effect.scenario, effect.step, effect.key, effect.person,
                one.node, effect.id,
            )  # fmt: skip
        if isinstance(effect, Publication):
            return Act(
                one.at, PUBLISH, effect.content, effect.channel, effect.scenario, effect.step, effect.key,
                effect.person, one.node, effect.id,
            )  # fmt: skip
        if isinstance(effect, TaskNotice) and effect.id not in self._tasks:
            self._tasks.add(effect.id)
            return Act(
                one.at, TASK, effect.queue, "", effect.scenario, effect.step, effect.key, effect.person, one.node,
                effect.id,
            )  # fmt: skip
        if isinstance(effect, Emitted):
            return Act(one.at, EMIT, effect.type, "", "", "", "", effect.person, one.node, effect.id)
        return None

    def why_not(self, act: Act) -> str:
        """Why this side did not do what the other did, "" where it never came to it."""
        near = [
            (abs(at - act.at), said.partition("\n")[2])
            for at, said in self.refused.get((act.scenario, act.step), ())
            if said.partition("\n")[0] == act.node
        ]
        return min(near)[1] if near else ""


def _placed(one: Happening, note: Note) -> Act:
    told = note.detail
    slots = " and ".join(told["slots"])
    return Act(
        one.at, SHOW, told["content"], slots, note.scenario, note.step, told["key"], one.node, one.node,
        told["placement"],
    )  # fmt: skip


def replay(
    live: Program,
    candidate: Program,
    events: Iterable[Recorded],
    start: int,
    *,
    onward: int = 0,
    partitions: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Comparison:
    """Run both bundles over the same events, on the production engine and a virtual clock; sends nothing.

    Args:
        live: the release that is compared against.
        candidate: the other one.
        events: in the order of their arrival.
        start: when the clock begins, ms: not after the first arrival.
        onward: how long (ms) the clock runs on after the last event, so that what was begun can end.
        partitions: of the input topics.
        progress: told how many events are done, now and then.
    """
    sides = (_Side(live, start, partitions), _Side(candidate, start, partitions))
    for number, event in enumerate(events, 1):
        for side in sides:
            side.take(event)
        if progress is not None and number % EVERY == 0:
            progress(number)
    for side in sides:
        side.world.advance(side.world.now + onward)
        side.harvest()
    return Comparison(len(sides[0].acts), len(sides[1].acts), tuple(_differences(*sides)))


def _differences(live: _Side, candidate: _Side) -> list[Difference]:
    pairs, gone, come = _paired(live.acts, candidate.acts)
    found = [Difference(before, after) for before, after in pairs if _moved(before, after)]
    found += [Difference(act, None, candidate.why_not(act)) for act in gone]
    found += [Difference(None, act, live.why_not(act)) for act in come]
    return sorted(found, key=lambda one: (one.act.scenario, one.act.at, one.act.node, one.act.id))


def _paired(live: list[Act], candidate: list[Act]) -> tuple[list[tuple[Act, Act]], list[Act], list[Act]]:
    """Actions that are the same by id, then by their place in the story in order of time; and what is left."""
    by_id = {act.id: act for act in candidate}
    pairs = [(act, by_id[act.id]) for act in live if act.id in by_id]
    paired = {act.id for act, _ in pairs}
    left: dict[tuple[str, ...], deque[Act]] = {}
    for act in candidate:
        if act.id not in paired:
            left.setdefault(act.place, deque()).append(act)
    gone = []
    for act in live:
        if act.id in paired:
            continue
        same = left.get(act.place)
        if same:
            pairs.append((act, same.popleft()))
        else:
            gone.append(act)
    return pairs, gone, [act for those in left.values() for act in those]


def _moved(before: Act, after: Act) -> bool:
    return abs(before.at - after.at) > SAME or (before.what, before.how) != (after.what, after.how)
