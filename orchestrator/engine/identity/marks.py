"""Marks that protect against late copies and late events, and when they have done so: nothing of them stays for good.

A record of an input topic can come again for as long as the topic keeps it. A mark older than that says nothing any
more, wherever it stands; a customer who was erased and has not come back since is gone altogether.
"""

from typing import Final

from orchestrator.model.customer import IN, Customer, Member, Node

KEPT: Final = 7 * 86_400_000
"""The longest time (ms) after which a record can come again: the topics' retention."""


def is_over(member: Member, now: int) -> bool:
    """Whether the mark of somebody who left, or was refused, says nothing any more. Its `since` is when that was."""
    return member.state != IN and member.since + KEPT < now


def drop_old_marks(customer: Customer, now: int) -> None:
    """Nobody is named for longer than it protects: marks that are over go whenever somebody joins or leaves."""
    over = [name for name, member in customer.family.items() if is_over(member, now)]
    for name in over:
        del customer.family[name]


def forgotten_at(customer: Customer) -> int:
    """When an erasure's marks are dropped, and what is empty then with them (ms); 0 where nobody was erased.

    Twice the time, so that nobody else's mark of these nodes still counts when they begin from nothing.
    """
    return max(customer.wiped.values()) + 2 * KEPT if customer.wiped else 0


def forget_marks(node: Node, now: int) -> bool:
    """Drop what an erasure left, when its time has come; gives whether anything was dropped."""
    customer = node.body
    if not isinstance(customer, Customer) or not 0 < forgotten_at(customer) <= now:
        return False
    customer.wiped, customer.erasing = {}, {}
    drop_old_marks(customer, now)
    if not customer.person and len(customer.family) <= 1 and not customer.waiting and node.to is None:
        node.body = None
    return True


def is_gone(node: Node) -> bool:
    """Whether nothing is left of a node: its key gets a tombstone."""
    return node.body is None and node.to is None and not node.outbox
