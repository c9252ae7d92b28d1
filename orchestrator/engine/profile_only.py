"""The short way of an event that only tells of the customer.

Most events start nothing, end nothing and move nothing: no scenario that this customer could enter or is in listens
for them. Their moment is steps 3 and 4 alone, so it needs no rounds, no candidates and no clockwork. What is done
here is what `advance.py` would do with such an event, and nothing else (tests/engine/test_profile_only.py compares).
"""

from typing import TYPE_CHECKING

from orchestrator.engine.context import Context
from orchestrator.engine.intake import note_activity
from orchestrator.engine.timers import NEVER, earliest_due
from orchestrator.engine.traits.plan import apply_event
from orchestrator.model.effect import Note

if TYPE_CHECKING:
    from orchestrator.engine.facts import Facts
    from orchestrator.engine.identity.work import Work
    from orchestrator.engine.program.plan import EventPlan, Program
    from orchestrator.model.customer import Customer
    from orchestrator.model.event import Event


def only_tells(customer: "Customer", event: "Event", plan: "EventPlan", program: "Program", now: int) -> bool:
    """Whether nothing but the profile can come of this event, for this customer, at `now` (ms)."""
    if customer.tasks or customer.waiting or customer.matching or "thread" in event.data:
        return False
    if customer.instances and (plan.heard or program.looks_always):
        return False
    if customer.instances or customer.offers:
        due = earliest_due(customer)
        if due != NEVER and due <= max(now, customer.now):
            return False
    return plan.entries is None or not plan.entries.candidates(event.data)


def tell(
    work: "Work", customer: "Customer", event: "Event", plan: "EventPlan", program: "Program", facts: "Facts"
) -> None:
    """Take the event into the profile and the timeline; the version goes up by one."""
    customer.now = max(customer.now, work.now)
    customer.version += 1
    if plan.traits:
        scope = Context(customer, program, facts, customer.now)
        scope.look_at(event, plan.declared)
        for name, problem in apply_event(plan.traits, scope, customer, event):
            work.notes.append(Note("unknown", "", f"traits.{name}", "error", {"because": str(problem)}))
        scope.refresh()
    note_activity(customer, event, plan)
