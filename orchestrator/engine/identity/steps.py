"""What a customer's record remembers of its identity: who joined by which evidence, who left, what was refused."""

from typing import TYPE_CHECKING, Final

from orchestrator.model import ring
from orchestrator.model.customer import Customer
from orchestrator.model.lines import IdentityStep, step_bytes, steps_of

if TYPE_CHECKING:
    from orchestrator.engine.identity.work import Work
    from orchestrator.model.message import Link

STEPS_KEPT: Final = 48


def remember(work: "Work", customer: Customer, step: IdentityStep) -> None:
    """Remember a step; of the same one, told again, only the newest time is kept."""
    known = [(at, step_bytes(old)) for at, old in steps_of(customer.steps) if not _same(old, step)]
    customer.steps = ring.pack(sorted([*known, (work.now, step_bytes(step))]), STEPS_KEPT)
    work.changed = True
    work.journeys.noted(work, step)


def _same(one: IdentityStep, other: IdentityStep) -> bool:
    return (one.what, one.nodes, one.why) == (other.what, other.nodes, other.why)


def joined(link: "Link", nodes: list[str]) -> IdentityStep:
    """These nodes moved in, because the link's two were seen together."""
    return IdentityStep(
        "joined", tuple(nodes), (link.a, link.target), "seen", link.event_type, link.event_id, link.time
    )


def left(node: str, why: str, link: "Link | None") -> IdentityStep:
    """A node was let go; a link is the evidence of where it went."""
    if link is None:
        return IdentityStep("left", (node,), (), why)
    return IdentityStep("left", (node,), (link.a, link.target), why, link.event_type, link.event_id, link.time)


def began(node: str, why: str) -> IdentityStep:
    """A node has begun anew, by itself."""
    return IdentityStep("began", (node,), (), why)


def conflict(link: "Link", why: str) -> IdentityStep:
    """The link's two are not one customer, though they were seen together."""
    pair = tuple(sorted((link.a, link.target)))
    return IdentityStep("conflict", pair, (), why, link.event_type, link.event_id, link.time)
