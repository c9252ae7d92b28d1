"""References: threads, orders, tickets that a customer was the first to use; a message about one finds its customer.

A record knows its newest ones. One that it no longer knows is nobody's: an erasure could not reach it any more.
"""

from typing import Final

from orchestrator.engine.identity.work import Work
from orchestrator.model.customer import REFUSED, Customer
from orchestrator.model.event import Event
from orchestrator.model.message import Forget, Refer

REFERENCES_KEPT: Final = 200
"""Of how many a record knows that they are the customer's, so that an erasure reaches them."""


def refer(work: Work, customer: Customer, event: Event) -> None:
    """References that this event uses first become this customer's."""
    for namespace, types in work.rules.references.items():
        if event.type not in types:
            continue
        value = event.data.get(namespace) or (event.thread if namespace == "thread" else "")
        if not value or not isinstance(value, str | int):
            continue
        node = f"{namespace}:{value}"
        if node in customer.refs:
            continue
        customer.refs = {**customer.refs, node: event.time}
        owner = event.identifiers[0] if event.identifiers else work.name
        work.tell(node, Refer(node, owner, time=event.time))
        keep_newest(work, customer)


def keep_newest(work: Work, customer: Customer) -> None:
    """Let the oldest go, by when they were used, where there are too many."""
    surplus = len(customer.refs) - REFERENCES_KEPT
    if surplus <= 0:
        return
    oldest = sorted(customer.refs, key=lambda name: (customer.refs[name], name))[:surplus]
    _let_go(work, customer, {name: customer.refs[name] for name in oldest})
    customer.refs = {name: used for name, used in customer.refs.items() if name not in oldest}


def forget(work: Work, customer: Customer, request: str, time: int) -> None:
    """The customer was erased at `time`: all of them, also what was used later and came before the request did."""
    _let_go(work, customer, {name: max(time, used) for name, used in customer.refs.items()}, request)


def _let_go(work: Work, customer: Customer, references: dict[str, int], request: str = "") -> None:
    """They stand under whichever identifier used them, also one that has left since."""
    owners = [node for node, member in customer.family.items() if member.state != REFUSED]
    for name, time in references.items():
        work.tell(name, Forget(name, owners, request, time))
