"""Where a message goes at a node: handled here, or passed on. Messages about an identifier go to its root."""

from typing import Final

from orchestrator.engine.identity import handlers
from orchestrator.engine.identity.work import Work, is_member
from orchestrator.model.customer import Customer
from orchestrator.model.effect import Tell
from orchestrator.model.message import Absorb, Erase, Home, Inquire, Link, Noted, Refused, Reset, Split, Stays

About = Link | Absorb | Reset | Erase | Inquire | Stays | Noted
ForNode = Home | Refused | Split

MANY_HOPS: Final = 20


def destination(work: Work, target: str) -> str | None:
    """The node that a message about `target` must go on to, or None where this node is the one."""
    node = work.node
    if node.to is not None:
        return node.to
    if target == work.name or (isinstance(node.body, Customer) and is_member(node.body, target)):
        return None
    return target


def handle(work: Work, message: About | ForNode) -> None:
    """Handle a message here, or leave it in `work.passed`. An event's own way is `stream/lane/core`'s."""
    match message:
        case Home():
            handlers.on_home(work, message)
        case Refused():
            handlers.on_refused(work, message)
        case Split():
            handlers.on_split(work, message)
        case _:
            onward = destination(work, message.target)
            if onward is None:
                _at_root(work, message)
            else:
                message.hops += 1
                if message.hops > MANY_HOPS:
                    work.note("many_hops", "", message.hops)
                work.passed.append(Tell(onward, message))


def _at_root(work: Work, message: About) -> None:
    match message:
        case Link():
            handlers.on_link(work, message)
        case Absorb():
            handlers.on_absorb(work, message)
        case Reset():
            handlers.on_reset(work, message)
        case Erase():
            handlers.on_erase(work, message)
        case Inquire():
            handlers.on_inquire(work, message)
        case Stays():
            handlers.on_stays(work, message)
        case Noted():
            handlers.on_noted(work, message)
