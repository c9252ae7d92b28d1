"""A scenario that raises costs that scenario that event, visibly: never the customer, never the partition."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestrator.model.customer import Instance

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment


def guarded(moment: "Moment", scenario: str, instance: Instance | None, work: Callable[..., Any], *args: Any) -> Any:
    """Do a scenario's work. Where it raises, everything is as before, a note says so, and None comes back.

    Steps replace what an instance holds instead of changing it in place (but for `standing`, copied here), so a
    shallow copy is a whole one.
    """
    customer = moment.customer
    before = (
        copy.copy(instance) if instance is not None else None,
        list(instance.standing) if instance is not None else [],
        list(customer.instances),
        list(customer.tasks),
        len(moment.effects),
        list(moment.candidates),
        len(moment.made),
        customer.ordinals,
    )
    try:
        return work(*args)
    except Exception as problem:  # noqa: BLE001 - chosen: counted, traced, and undone
        _undo(moment, instance, before)
        moment.note("error", scenario, "", "error", {"raised": type(problem).__name__})
        return None


def _undo(moment: "Moment", instance: Instance | None, before: tuple[Any, ...]) -> None:
    kept, standing, instances, tasks, effects, candidates, made, ordinals = before
    if instance is not None:
        for field in instance.__struct_fields__:
            setattr(instance, field, getattr(kept, field))
        instance.standing = standing
    moment.customer.instances = instances
    moment.customer.tasks = tasks
    moment.customer.ordinals = ordinals
    del moment.effects[effects:]
    moment.candidates = candidates
    while len(moment.made) > made:
        moment.made.pop()
