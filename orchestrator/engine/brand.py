"""Stories of the brand: events that are nobody's start them, and a node that is nobody's keeps them.

A story `for: brand` is told to the brand itself, under the key of the fact that its event changes (a shop, a product).
Its record is a node `brand:KEY`, run by the engine like any customer's: so timers, dedupe, releases and what is to be
sent come with it. Scenarios of customers do not begin there, and those of the brand nowhere else.
"""

from typing import TYPE_CHECKING, Final

from orchestrator.engine.fact_rows import row_key

if TYPE_CHECKING:
    from orchestrator.engine.facts import Facts
    from orchestrator.engine.program.plan import EventPlan, Program, ScenarioPlan
    from orchestrator.model.event import Event

NAMESPACE: Final = "brand"
PREFIX: Final = f"{NAMESPACE}:"


def is_brands(node: str) -> bool:
    """Whether a node is one of the brand."""
    return node.startswith(PREFIX)


def may_begin(plan: "ScenarioPlan", node: str) -> bool:
    """Whether a scenario is for whom a node stands."""
    return (plan.document.for_ == NAMESPACE) is is_brands(node)


def starts_stories(plan: "EventPlan") -> bool:
    """Whether any story of the brand begins with such an event, or waits for it."""
    return plan.for_ == NAMESPACE and (plan.heard or plan.entries is not None)


def story_node(event: "Event", plan: "EventPlan", program: "Program", facts: "Facts") -> str:
    """The node whose stories an event of the brand concerns: `brand:KEY`, by the first fact that it changes.

    Raises:
        CelError: the event does not tell which row.
    """
    key = row_key(plan.facts[0], event, program, facts) if plan.facts else ""
    return f"{PREFIX}{key}"
