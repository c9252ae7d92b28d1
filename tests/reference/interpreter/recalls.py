"""Consent when a message is chosen, and afterwards: a denial recalls what is on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.reference.interpreter.profile import denied, granted

if TYPE_CHECKING:
    from tests.reference.interpreter.moment import Moment


def consented(moment: Moment, class_: str, channel: str, purpose: str) -> bool:
    """Marketing needs consent for its purpose, service only that nobody denied it, transactional nothing."""
    if class_ == "marketing":
        return granted(moment.customer, channel, purpose)
    return class_ == "transactional" or not denied(moment.customer, channel)


def recall_denied(moment: Moment) -> None:
    """Of what is on its way (its fate is not known, it is still valid) all that may not be sent any more."""
    for message in moment.customer.sent:
        on_its_way = not message.settled and moment.now <= message.valid_until
        if on_its_way and not consented(moment, message.class_, message.channel, message.purpose):
            moment.customer.withdrawn.append((moment.now, message.id, "no_consent"))
