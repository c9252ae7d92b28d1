"""The customers of a test: which identifiers each has, and whose a line of the trace is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.model.customer import IN, Customer
from orchestrator.rehearsal.problem import Problem
from orchestrator.rehearsal.seeding import nodes_of

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.story import Story, StoryEvent
    from orchestrator.rehearsal.world import World


class Cast:
    """Who is who. A customer whom only events name has one identifier: the name, in the strongest namespace."""

    def __init__(self, story: Story, program: Program) -> None:
        self._story = story
        self._program = program
        self.nodes: dict[str, list[str]] = {}

    def learn(self) -> None:
        """Take in the customers that the test lists.

        Raises:
            Problem: something given as an identifier can be none.
        """
        for name, customer in self._story.customers.items():
            self.nodes[name] = nodes_of(customer.ids, self._program, customer.place("ids"))

    def of(self, name: str) -> list[str]:
        """A customer's identifiers as nodes, strongest first."""
        known = self.nodes.get(name)
        if known is None:
            known = self.nodes[name] = [f"{self._program.identity.order[0]}:{name}"]
        return known

    def ids(self, event: StoryEvent) -> dict[str, Any]:
        """The identifiers that an event of the test carries."""
        if event.customer is None:
            return dict(event.ids)
        strongest = self.of(event.customer)[0]
        namespace, _, value = strongest.partition(":")
        return {namespace: value}

    def family(self, world: World, name: str) -> set[str]:
        """Every identifier that is this customer's now."""
        found: set[str] = set()
        for node in self.of(name):
            root, customer = world.root(node)
            found |= {node, root}
            if customer is not None:
                found |= {member for member, known in customer.family.items() if known.state == IN}
        return found

    def customer(self, world: World, name: str, at: Position) -> tuple[str, Customer]:
        """The customer's record now, and where it lives.

        Raises:
            Problem: nothing is known of them.
        """
        for node in self.of(name):
            root, customer = world.root(node)
            if customer is not None:
                return root, customer
        raise Problem(at, f"nothing is known of `{name}` by then")

    def name(self, world: World, node: str) -> str:
        """The test's name of whoever has this identifier; the identifier itself where the test names nobody."""
        for name, nodes in self.nodes.items():
            if node in nodes or node in self.family(world, name):
                return name
        return node
