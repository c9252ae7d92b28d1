"""Marks that protect against late copies and late events, and when they have done so: nothing of them stays for good.

A record of an input topic can come again for as long as the topic keeps it. A mark older than that says nothing any
more, wherever it stands. Of who left, was refused or is kept apart for a while, the name goes then; an identifier that
began anew and that nobody has used since is gone altogether.
"""

from typing import Final

from orchestrator.model.customer import IN, Customer, Member, Node

KEPT: Final = 7 * 86_400_000
"""The longest time (ms) after which a record can come again: the topics' retention."""
FOREVER: Final = 1 << 62
"""Until when those are rivals whom an operator has split."""


def is_over(member: Member, now: int) -> bool:
    """Whether the mark of somebody who left, or was refused, says nothing any more. Its `since` is when that was."""
    return member.state != IN and member.since + KEPT < now


def drop_old_marks(customer: Customer, now: int) -> None:
    """Nobody is named for longer than it protects."""
    for name in [name for name, member in customer.family.items() if is_over(member, now)]:
        del customer.family[name]
    for name in [name for name, until in customer.rivals.items() if until <= now]:
        del customer.rivals[name]


def cleaned_at(customer: Customer) -> int:
    """When marks can be dropped next, and what is empty then with them (ms); 0 where there are none.

    An erasure's marks stay twice the time, and so do those of an identifier that began anew and was not used since:
    nobody else's mark of these nodes must still count when they begin from nothing.
    """
    if customer.wiped:
        return max(customer.wiped.values()) + 2 * KEPT
    since = [member.since for member in customer.family.values() if member.state != IN]
    if not since:
        return 0
    return max(since) + 2 * KEPT if _is_unused(customer) else min(since) + KEPT + 1


def clean(node: Node, now: int) -> bool:
    """Drop the marks whose time has come; gives whether anything was dropped."""
    customer = node.body
    if not isinstance(customer, Customer) or not 0 < cleaned_at(customer) <= now:
        return False
    unused = _is_unused(customer)
    customer.wiped, customer.erasing = {}, {}
    drop_old_marks(customer, now)
    if unused and len(customer.family) <= 1 and node.to is None:
        node.body = None
    return True


def _is_unused(customer: Customer) -> bool:
    """Whether nothing has happened to an identifier since it began anew; whom an operator split is remembered."""
    if customer.person or customer.waiting or FOREVER in customer.rivals.values():
        return False
    return sum(member.state == IN for member in customer.family.values()) <= 1


def is_gone(node: Node) -> bool:
    """Whether nothing is left of a node: its key gets a tombstone."""
    return node.body is None and node.to is None and not node.outbox
