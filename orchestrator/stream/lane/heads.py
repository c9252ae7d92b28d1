"""What stands in the head of a value, told from its node: when something is due, and which facts are waited for."""

from orchestrator.engine.identity.marks import cleaned_at
from orchestrator.engine.program.plan import Program
from orchestrator.engine.timers import earliest_due
from orchestrator.model.customer import Customer, Node, Reference


def node_due(node: Node) -> int:
    """When something in a node is due (ms, 0: never). A moving customer is frozen."""
    body = node.body
    if node.to is not None or body is None:
        return 0
    if isinstance(body, Customer):
        due = earliest_due(body)
        if len(body.family) < 2 and not body.wiped:  # nobody has left, or was refused
            return due
        cleaned = cleaned_at(body)
        return min(due, cleaned) if due and cleaned else due or cleaned
    if isinstance(body, Reference):
        dues = [until for until, _ in body.waiting]
        return min([*dues, body.forgotten_at] if body.forgotten_at else dues, default=0)
    return 0


def facts_waited(node: Node, program: Program) -> str:
    """The facts that a customer's levels read, joined with newlines."""
    body = node.body
    if node.to is not None or not isinstance(body, Customer) or not body.instances:
        return ""
    found: set[str] = set()
    for instance in body.instances:
        plan = program.scenario(instance.scenario, instance.version)
        if plan is None:
            continue
        found |= plan.facts_read
        for standing in instance.standing:
            step = plan.steps.get(standing.step)
            if step is not None:
                found |= step.facts
    return "\n".join(sorted(found)) if found else ""
