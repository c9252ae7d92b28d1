"""What came instead of what was expected: the lines of the trace about the same content, task or scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.model.effect import Action, Emitted, Publication, TaskNotice
from orchestrator.rehearsal.trace import said_of
from orchestrator.rehearsal.wording import SHOWN, length, short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.spec.story import Expectation
    from orchestrator.rehearsal.checks import Scene
    from orchestrator.rehearsal.record import Happening

_SENDS = frozenset({"sent", "held", "suppressed"})


def instead(scene: Scene, expected: Expectation) -> str:
    """What the run has to say about the subject of an expectation, at any time; "" where it has nothing."""
    scene.since, scene.until = scene.run.start, scene.run.end
    lines = list(dict.fromkeys(_lines(scene, expected)))
    if not lines:
        return _nothing(expected)
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more


def _nothing(expected: Expectation) -> str:
    kind = expected.kind
    if kind in _SENDS:
        return f"no scenario reached a send of {getattr(expected, kind)}"
    if kind == "task":
        return f"no task was opened in {expected.task}"
    if kind == "published":
        return f"no story of the brand published {expected.published}"
    if kind == "emitted":
        return f"no {expected.emitted} went out"
    if kind in {"entered", "ended"}:
        return f"nobody {'entered' if kind == 'entered' else 'was in'} {getattr(expected, kind)}"
    return ""


def _lines(scene: Scene, expected: Expectation) -> Iterator[str]:
    start = scene.run.start
    for one in scene.happenings(expected):
        said = _said(scene, expected, one)
        if said:
            yield f"{said} at {length(one.at - start)}"


def _said(scene: Scene, expected: Expectation, one: Happening) -> str:
    kind, note, effect = expected.kind, one.note, one.effect
    if kind in _SENDS:
        name = scene.run.told.get(getattr(expected, kind), getattr(expected, kind))
        if isinstance(effect, Action) and effect.content == name:
            return f"{name} was sent by {effect.channel} to {effect.address}{_values(effect)}"
        if note is not None and note.what in {"held", "suppressed"}:
            told = note.detail["content"]
            return (
                said_of(note, lambda at: length(at - scene.run.start)) if scene.run.told.get(told, told) == name else ""
            )
    if kind == "task" and isinstance(effect, TaskNotice) and effect.queue == expected.task:
        due = f", due {length(effect.due - scene.run.start)}" if effect.due else ""
        return f"{effect.queue} {effect.state} (key: {effect.key}{due})"
    if kind in {"emitted", "published"}:
        return _gone_out(expected, effect)
    if kind in {"entered", "ended", "standing"} and note is not None and note.scenario == getattr(expected, kind):
        return (
            said_of(note, lambda at: length(at - scene.run.start))
            if note.what in {"entered", "ended", "not_entered"}
            else ""
        )
    return ""


def _values(action: Action) -> str:
    return f" with {short(action.values)}" if action.values else ""


def _gone_out(expected: Expectation, effect: object) -> str:
    """What went out to other systems, or to everybody."""
    if isinstance(effect, Publication) and effect.content == expected.published:
        return f"{effect.content} was published on {effect.channel} {short(effect.values)}"
    if isinstance(effect, Emitted) and effect.type == expected.emitted:
        return f"{effect.type} {short(effect.data)}"
    return ""
