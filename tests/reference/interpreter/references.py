"""Events that carry only a reference (an order, a case): they belong to the customer who had it first."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from tests.reference.interpreter.records import Happened


class References:
    """Whose a reference is, by its name `NAMESPACE:VALUE`, and what waits for that to be known.

    Args:
        bundle: its `identity` says which events make a reference somebody's, its `lateness` how long an event waits.
        gives_up: so much later (ms) nobody waits any more.
    """

    def __init__(self, bundle: Bundle, gives_up: int) -> None:
        assert bundle.identity is not None
        self.uses = bundle.identity.references
        self.waits = bundle.settings.lateness + gives_up
        self.owner: dict[str, str] = {}
        self.waiting: list[tuple[str, Happened]] = []
        self.refused: list[tuple[int, str, str]] = []

    def whose(self, event: Happened) -> str:
        """Who had first what the event names; "" where nobody has yet (then it waits), or where it names nothing."""
        named = [f"{name}:{event.data[name]}" for name in self.uses if event.data.get(name)]
        if not named:
            self.refused.append((event.received, event.id, "no_identifier"))
            return ""
        if named[0] not in self.owner:
            self.waiting.append((named[0], event))
        return self.owner.get(named[0], "")

    def used(self, event: Happened, by: str) -> list[Happened]:
        """What somebody's event uses first is theirs; gives what has waited for that."""
        found: list[Happened] = []
        for name, types in self.uses.items():
            reference = f"{name}:{event.data.get(name)}"
            if event.data.get(name) and event.is_one_of(types) and reference not in self.owner:
                self.owner[reference] = by
                found += [one for node, one in self.waiting if node == reference]
                self.waiting = [(node, one) for node, one in self.waiting if node != reference]
        return found

    def give_up(self, at: int) -> None:
        """Nobody had it in time: what waited until `at` (ms) is refused."""
        for node, one in list(self.waiting):
            if one.received + self.waits <= at:
                self.waiting.remove((node, one))
                self.refused.append((one.received + self.waits, one.id, "unowned_reference"))
