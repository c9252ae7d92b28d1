"""Messages on their way that are not to be sent any more: their customer has said no since, or is erased.

Delivery withdraws what has not left yet, so a denial overtakes a retry.
"""

from typing import TYPE_CHECKING

from orchestrator.engine.profile import is_denied, is_granted
from orchestrator.model import reason
from orchestrator.model.customer import Contact, Customer
from orchestrator.model.effect import Withdrawal

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment


def may_be_sent(customer: Customer, class_: str, channel: str, purpose: str) -> bool:
    """Marketing needs consent for its purpose; service only no denial; transactional nothing."""
    if class_ == "marketing":
        return is_granted(customer, channel, purpose)
    return class_ == "transactional" or not is_denied(customer, channel)


def recall_denied(moment: "Moment") -> None:
    """After a denial, or a merge with who had denied: what is on its way without consent is withdrawn."""
    customer = moment.customer
    for contact in customer.contacts:
        if not is_on_its_way(contact, moment.now):
            continue
        if not may_be_sent(customer, contact.class_, contact.channel, contact.purpose):
            moment.effects.append(withdrawal(moment, contact, reason.NO_CONSENT))
            detail = {"content": contact.content, "channel": contact.channel, "id": contact.id}
            moment.note("withdrawn", contact.scenario, contact.step, reason.NO_CONSENT, detail)


def is_on_its_way(contact: Contact, now: int) -> bool:
    """Whether a message may still be sent: nobody knows what became of it, and it has not lost its sense."""
    return not contact.settled and not 0 < contact.valid_until < now


def withdrawal(moment: "Moment", contact: Contact, why: str) -> Withdrawal:
    """The recall of a message, under the person of its action: behind it, on the same partition of `actions`."""
    tenant, person = moment.program.tenant, contact.person or moment.customer.person
    return Withdrawal(contact.id, person, tenant, f"{tenant}/{moment.node}", why, moment.now)
