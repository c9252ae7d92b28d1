"""A scenario that raises costs that scenario that event, visibly: never the customer, never the partition."""

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.model.customer import Instance

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment

_REPLACED: Final = ("tasks", "ordinals", "packed_contacts", "used", "matching", "levels", "version")
"""What a scenario's work gives a customer anew instead of changing it in place."""


class _Before(NamedTuple):
    instance: Instance | None
    standing: list[Any]
    instances: list[Instance]
    traits: dict[str, bytes]
    replaced: tuple[Any, ...]
    candidates: list[Any]
    taken: dict[str, str]
    effects: int
    made: int
    notes: int


def guarded(moment: "Moment", scenario: str, instance: Instance | None, work: Callable[..., Any], *args: Any) -> Any:
    """Do a scenario's work. Where it raises, everything is as before, a note says so, and None comes back.

    Steps replace what an instance holds instead of changing it in place (but for `standing`, copied here), so a
    shallow copy is a whole one.
    """
    customer = moment.customer
    before = _Before(
        copy.copy(instance) if instance is not None else None,
        list(instance.standing) if instance is not None else [],
        list(customer.instances),
        dict(customer.traits),
        (
            customer.tasks, customer.ordinals, customer.packed_contacts, customer.used, customer.matching,
            customer.levels, customer.version,
        ),
        list(moment.candidates),
        dict(moment.taken),
        len(moment.effects),
        len(moment.made),
        len(moment.notes),
    )  # fmt: skip
    try:
        return work(*args)
    except Exception as problem:  # noqa: BLE001 - chosen: counted, traced, and undone
        _undo(moment, instance, before)
        moment.note("error", scenario, "", "error", {"raised": type(problem).__name__})
        return None


def _undo(moment: "Moment", instance: Instance | None, before: _Before) -> None:
    if instance is not None:
        for field in instance.__struct_fields__:
            setattr(instance, field, getattr(before.instance, field))
        instance.standing = before.standing
    customer = moment.customer
    customer.instances, customer.traits = before.instances, before.traits
    for field, value in zip(_REPLACED, before.replaced, strict=True):
        setattr(customer, field, value)
    moment.candidates, moment.taken = before.candidates, before.taken
    del moment.effects[before.effects :]
    del moment.made[before.made :]
    del moment.notes[before.notes :]
    moment.scope.refresh()
