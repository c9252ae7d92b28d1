"""What a record keeps for entries that need more than one event or a time: a state a scenario, its due time first."""

from typing import Any

from orchestrator.engine import schedules, sequences


def join_matching(one: list[Any], other: list[Any]) -> list[Any]:
    """The states of two halves of a customer, for the same scenario, as one."""
    of_sequences = [state for state in (one, other) if isinstance(state[1], bytes)]
    if len(of_sequences) == 1:  # one half has not looked since the scenario changed its entry
        return of_sequences[0]
    return sequences.join(one, other) if of_sequences else schedules.join(one, other)
