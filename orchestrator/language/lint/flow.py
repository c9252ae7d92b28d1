"""How the steps of a scenario follow each other."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.language.spec import steps as kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.spec.steps import Step

END = ""
"""Where a story ends: no step has this id."""


@dataclass(slots=True)
class Flow:
    """The steps of a scenario as a graph.

    Attributes:
        steps: Id → step; of two with one id the first.
        next: Id → (id of a step that may follow, least time in ms until it does).
        first: Id of the first step, END when there is none.
        tracks: Id → the parallel tracks that the step lies in, outermost first.
    """

    first: str = END
    steps: dict[str, Step] = field(default_factory=dict)
    next: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    tracks: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def reached_from(self, start: str) -> set[str]:
        """The steps that may follow `start`, itself only by going back."""
        found: set[str] = set()
        waiting = [to for to, _ in self.next.get(start, ())]
        while waiting:
            step = waiting.pop()
            if step not in found:
                found.add(step)
                waiting.extend(to for to, _ in self.next.get(step, ()))
        return found

    def least_times(self) -> dict[str, int]:
        """Id → the least time in ms in which the step can be reached; only steps that can be."""
        times: dict[str, int] = {}
        waiting = [(0, self.first)]
        while waiting:
            time, step = heapq.heappop(waiting)
            if step not in times:
                times[step] = time
                for to, cost in self.next.get(step, ()):
                    heapq.heappush(waiting, (time + cost, to))
        return times


def flow_of(steps: tuple[Step, ...]) -> Flow:
    """The graph of a scenario's steps."""
    flow = Flow(first=_first(steps, END))
    _link(flow, steps, END, ())
    return flow


def _first(steps: tuple[Step, ...], after: str) -> str:
    return steps[0].id if steps else after


def _link(flow: Flow, steps: tuple[Step, ...], after: str, tracks: tuple[str, ...]) -> None:
    for index, step in enumerate(steps):
        following = steps[index + 1].id if index + 1 < len(steps) else after
        if step.id not in flow.steps:
            flow.steps[step.id] = step
            flow.tracks[step.id] = tracks
            flow.next[step.id] = list(_following(step, following))
        for label, branch in step.branches:
            inner = (*tracks, f"{step.id}.{label}") if step.kind == "parallel" else tracks
            _link(flow, branch, following, inner)


def _following(step: Step, after: str) -> Iterator[tuple[str, int]]:
    body = step.body
    if isinstance(body, kinds.End):
        yield END, 0
    elif isinstance(body, kinds.GoTo):
        yield body.step, 0
        if body.limit is not None:
            yield after, 0  # the limit passed, the story goes on below
    elif isinstance(body, kinds.WaitUntil):
        yield from _after_wait(step, body, after)
    elif isinstance(body, kinds.Split | kinds.Experiment | kinds.Parallel):
        for _, branch in step.branches:
            yield _first(branch, after), 0
        if isinstance(body, kinds.Split) and not step.else_:
            yield after, 0
    else:
        if isinstance(body, kinds.Reserve):
            yield _first(step.on_timeout, after), 0
        yield after, waiting_time(step)


def _after_wait(step: Step, body: kinds.WaitUntil, after: str) -> Iterator[tuple[str, int]]:
    for awaited in body.any:
        yield _first(awaited.then, after), 0
    if not body.any:
        yield _first(step.then, after), 0
    yield _first(step.on_timeout, after), body.timeout or 0


def waiting_time(step: Step) -> int:
    """How long a step waits at least, in ms, where that is known; a timeout is not a least time."""
    body = step.body
    if isinstance(body, kinds.Delay | kinds.Silence):
        return body.for_ or 0
    return 0


def longest_wait(step: Step) -> int | None:
    """How long a step may wait at most, in ms; None when it does not wait, -1 when that is not known."""
    body = step.body
    if isinstance(body, kinds.Delay):
        return body.for_ if body.for_ is not None else -1
    if isinstance(body, kinds.Silence):
        return body.for_
    if isinstance(body, kinds.WaitUntil):
        return body.timeout if body.timeout is not None else -1
    return None
