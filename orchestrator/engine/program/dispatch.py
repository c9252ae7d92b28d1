"""Which scenarios an event could start: by type, then by equality on one field, then the rest.

A scenario whose condition asks a field to equal something is only looked at for events with that value, so that a
scenario that cannot match costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.engine.program.plan import ScenarioPlan


class Dispatch:
    """The entries of one event type.

    Args:
        plans: scenarios with this type in their entry, each with the (field, values) that its condition demands,
            or None where no equality on a field of the event can be told from the condition.
    """

    __slots__ = ("by_field", "rest", "sequences")

    def __init__(self, plans: "Iterable[tuple[ScenarioPlan, tuple[str, frozenset[Any]] | None]]") -> None:
        self.rest: list[ScenarioPlan] = []
        fields: dict[str, dict[Any, list[ScenarioPlan]]] = {}
        for plan, demand in plans:
            if demand is None:
                self.rest.append(plan)
                continue
            field, values = demand
            for value in values:
                fields.setdefault(field, {}).setdefault(value, []).append(plan)
        self.by_field = tuple(fields.items())
        self.sequences = tuple(plan for plan in self.rest if plan.sequence is not None)

    def all(self) -> "list[ScenarioPlan]":
        """Every scenario with this type in its entry, by name: for traces, which say why one was not entered."""
        found = [*self.rest, *(plan for _, plans in self.by_field for those in plans.values() for plan in those)]
        return sorted(dict.fromkeys(found), key=_name)

    def candidates(self, data: dict[str, Any]) -> "Iterator[ScenarioPlan] | list[ScenarioPlan]":
        """The scenarios worth a look, by name."""
        found = self.rest
        for field, plans in self.by_field:
            value = data.get(field)
            try:
                matching = plans.get(value)
            except TypeError:  # a list or a map equals none of the literals
                continue
            if matching:
                found = found + matching
        return sorted(found, key=_name) if len(found) > 1 else found


def _name(plan: "ScenarioPlan") -> str:
    return plan.name
