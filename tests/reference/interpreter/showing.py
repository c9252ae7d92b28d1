"""What a slot shows: the placements that `show` makes, when they go, and who rests while they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.reference.interpreter.endings import end
from tests.reference.interpreter.records import Placement
from tests.reference.interpreter.track import action_id, after, named, output, scope_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.spec.steps import Step
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Happened, Instance, Track


def show(moment: Moment, instance: Instance, track: Track, step: Step) -> str:
    """The new placement takes the place of the one that this step made before."""
    body: Any = step.body
    content = named(body.content, scope_of(moment, instance))
    if content not in moment.customer.contents:
        output(moment, instance, step, "error")
        return after(track)
    until = instance.ends_at if body.for_ is None else min(moment.now + body.for_, instance.ends_at)
    placement = Placement(action_id(moment, instance, step), step, content, moment.now, until)
    instance.placements = [one for one in instance.placements if one.step.id != step.id] + [placement]
    output(moment, instance, step, "placed", content=content, slots=body.slots, until=until, placement=placement.id)
    return after(track)


def count_shown(moment: Moment, event: Happened) -> None:
    """One that was shown as often as its `limit` says is gone."""
    for instance in list(moment.customer.instances):
        for placement in instance.placements:
            if event.is_one_of(("slot_shown",)) and event.data.get("placement") == placement.id:
                placement.shown += 1
        leave(moment, instance)


def leave(moment: Moment, instance: Instance) -> None:
    """Placements that are over are gone; an instance that rested for nothing else ends."""
    instance.placements = [one for one in instance.placements if not _over(one, moment.now)]
    if instance.mode == "rest" and instance in moment.customer.instances:
        instance.ends_at = min(instance.ends_at, rests_until(instance))
        if instance.ends_at <= moment.now:
            end(moment, instance, "done", "finished")


def rests_until(instance: Instance) -> int:
    """The last of its placements goes, and nobody watches for its goal any more."""
    return max([instance.watched_until, *(one.until for one in instance.placements)])


def follow(instance: Instance, steps: Mapping[str, str], newest: Any) -> None:
    """A placement is what its step of the new version says; without such a step it is gone, and nothing else.

    Args:
        instance: whose placements these are.
        steps: old id -> new id, of those that moved.
        newest: finds a step of the new version by its id, or gives None.
    """
    kept = []
    for placement in instance.placements:
        step = newest(steps.get(placement.step.id, placement.step.id))
        if step is not None and step.kind == "show":
            placement.step = step
            kept.append(placement)
    instance.placements = kept


def _over(placement: Placement, now: int) -> bool:
    limit = placement.step.body.limit  # type: ignore[union-attr]
    return placement.until <= now or (limit is not None and placement.shown >= limit)
