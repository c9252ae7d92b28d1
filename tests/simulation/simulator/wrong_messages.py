"""What could be wrong about messages: consent, caps, recalls, references, delivery. Each is made of the original."""

from typing import Any

from orchestrator.delivery.decide import NOTHING, on_send
from orchestrator.delivery.ledger import Pending
from orchestrator.engine import recalls
from orchestrator.engine.identity.handlers import over_unique
from orchestrator.engine.identity.work import members
from orchestrator.model.customer import FactRow, Reference


def counted_late(original: Any) -> Any:
    """A message counts for its cap once its outcome is known."""

    def counts(cap: Any, contact: Any, candidate: Any) -> bool:
        return bool(contact.settled) and bool(original(cap, contact, candidate))

    return counts


def newest_person(original: Any) -> Any:
    """A recall goes by the id that the customer has now."""

    def withdrawal(moment: Any, contact: Any, why: str) -> Any:
        known, contact.person = contact.person, ""
        found = original(moment, contact, why)
        contact.person = known
        return found

    return withdrawal


def denials_ignored(original: Any) -> Any:
    """Who said no is written to, too; recalls still work."""

    def allowed(*_: Any) -> bool:
        return True

    assert original is recalls.may_be_sent
    return allowed


def everything_is_new(original: Any) -> Any:
    """Delivery does not look an id up in its ledger."""
    assert original is on_send
    return lambda _, action, now: original(None, action, now)


def retries_go_on(original: Any) -> Any:
    """A recall does not reach what waits for another attempt."""

    def withdraw(entry: Any, *rest: Any, **more: Any) -> Any:
        return NOTHING if isinstance(entry, Pending) else original(entry, *rest, **more)

    return withdraw


def marks_dropped(original: Any) -> Any:
    """The winner forgets whom it has refused."""

    def absorb(work: Any, message: Any) -> None:
        before = work.customer().family.get(message.mover)
        original(work, message)
        family = work.customer().family
        known = family.get(message.mover)
        if known is not None and known is not before and any(_is_refusal(effect) for effect in work.effects):
            del family[message.mover]

    return absorb


def _is_refusal(effect: Any) -> bool:
    return type(getattr(effect, "message", None)).__name__ == "Refused"


def parcels_only_counted(original: Any) -> Any:
    """Of two whole customers only the numbers are looked at."""
    return lambda work, customer, parcel: over_unique(work, {*members(customer), *members(parcel)})


def waiting_dropped(original: Any) -> Any:
    """What waited for its reference does not go to the owner."""

    def claim(step: Any, record: Any, name: str, message: Any) -> None:
        node = step.partition.node(record.key)
        if isinstance(node.body, Reference):
            node.body.waiting = []
        original(step, record, name, message)

    return claim


def copies_claim(original: Any) -> Any:
    """Whatever uses a reference has it, though its owner was erased since."""

    def claim(step: Any, record: Any, name: str, message: Any) -> None:
        message.time = 1 << 62
        original(step, record, name, message)

    return claim


def references_kept(original: Any) -> Any:
    """Who was on the way when the customer was erased takes no leave of their orders."""

    def erased(work: Any, customer: Any, absorb: Any) -> None:
        absorb.customer.refs = {}
        original(work, customer, absorb)

    return erased


def last_word_wins(original: Any) -> Any:
    """A row is what came last, whenever it was so."""

    def change(body: FactRow, *rest: Any) -> Any:
        body.set_at = {}
        return original(body, *rest)

    return change


def nothing_is_late(original: Any) -> Any:
    """What comes a day late begins journeys like any other."""

    def event(self: Any, happened: Any, links: Any) -> None:
        time, happened.time = happened.time, max(happened.time, self.now)
        try:
            original(self, happened, links)
        finally:
            happened.time = time

    return event


def wiped_ignored(original: Any) -> Any:
    """Who was erased takes in what is older than that."""

    def event(work: Any, happened: Any, target: str) -> None:
        customer = work.customer()
        wiped, customer.wiped = customer.wiped, {}
        original(work, happened, target)
        work.customer().wiped = wiped

    return event


def done_in_any_order(original: Any) -> Any:
    """Whatever batch is out is committed, though one before it is not."""

    def skip(self: Any) -> None:
        for flight in list(self.flights):
            if flight.durable and not flight.lanes and flight is not self.opening:
                self.flights.remove(flight)
                self.done.update(flight.offsets)
        original(self)

    return skip
