"""Steps 3 and 4 of a moment: what an event tells of the customer, before anything is decided."""

from typing import TYPE_CHECKING, Final

from orchestrator.engine.breaker import tell_met
from orchestrator.engine.consent import apply_consents
from orchestrator.engine.conversation import add_turns, find_thread
from orchestrator.engine.functions.history import remember
from orchestrator.engine.gates.pauses import follow_pauses
from orchestrator.engine.identity.merge import TIMELINE_KEPT
from orchestrator.engine.offers.states import apply_offers
from orchestrator.engine.traits.plan import apply_event
from orchestrator.language.cel import CelError
from orchestrator.model import ring
from orchestrator.model.lines import line_bytes

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import EventPlan
    from orchestrator.model.customer import Customer
    from orchestrator.model.event import Event

CONTACTS_KEPT: Final = 100
LONGEST_LINE: Final = 8_192
"""Bytes of a line of the timeline; a longer one goes without its properties. Twenty of the largest events would fill
more than half of what a broker takes as one record."""


def take_in(moment: "Moment", event: "Event", plan: "EventPlan") -> None:
    """Thread, derived properties, consent, traits, history, timeline; the version goes up by one."""
    moment.event, moment.plan = event, plan
    scope, program, customer = moment.scope, moment.program, moment.customer
    scope.look_at(event, plan.declared)
    if program.conversation is not None:
        find_thread(moment, event, plan)
    if plan.derive:
        _derive(moment, event, plan)
    customer.version += 1
    if plan.consents:
        apply_consents(moment, event, plan.consents)
    if plan.traits:
        for name, problem in apply_event(plan.traits, scope, customer, event):
            moment.note("unknown", "", f"traits.{name}", "error", {"because": str(problem)})
    if plan.tells:
        _remember(moment, event, plan)
    note_activity(customer, event, plan)
    scope.refresh()
    if program.pauses:
        follow_pauses(moment)


def _derive(moment: "Moment", event: "Event", plan: "EventPlan") -> None:
    """Derived properties are added first; they see the profile as it was before the event."""
    for name, expression in plan.derive:
        try:
            moment.scope.event[name] = event.data[name] = expression.evaluate(moment.scope)
        except CelError as problem:
            moment.unknown(expression, "", f"events.{plan.type}.{name}", problem)


def _remember(moment: "Moment", event: "Event", plan: "EventPlan") -> None:
    if plan.needs:
        remember(moment.customer, event, plan.needs, moment.now)
    if plan.turns or plan.closes:
        add_turns(moment, event, plan)
    if plan.offers or plan.shows:
        apply_offers(moment, event, plan)
    if plan.stops:
        tell_met(moment, event, plan.stops)


def note_activity(customer: "Customer", event: "Event", plan: "EventPlan") -> None:
    """What every event of a customer leaves behind: a channel used, a message settled, a line of the timeline.

    Not what the engine tells, such as what was shown: the timeline is what the customer did.
    """
    if event.channel == "engine":
        return
    time = event.time
    if plan.used:
        customer.used = {**customer.used, event.channel: max(time, customer.used.get(event.channel, 0))}
    if plan.outcome:
        _settle_contact(customer, event)
    line = line_bytes((event.type, event.channel, event.id, event.data if plan.watched else None))
    if len(line) > LONGEST_LINE:
        line = line_bytes((event.type, event.channel, event.id, None))
    customer.timeline = ring.append(customer.timeline, time, line, TIMELINE_KEPT)


def _settle_contact(customer: "Customer", event: "Event") -> None:
    """Delivery says what became of a message."""
    message = event.data.get("message")
    if message:
        customer.change_contact(message, settled=event.type)


def forget_contacts(moment: "Moment") -> None:
    """Keep what caps and gaps still count, and the newest besides; one customer's record stays bounded.

    For whenever there are more than before.
    """
    contacts = moment.customer.contacts
    if len(contacts) > CONTACTS_KEPT:
        since = moment.now - moment.program.contact_horizon
        surplus = len(contacts) - CONTACTS_KEPT
        moment.customer.contacts = [c for place, c in enumerate(contacts) if place >= surplus or c.at > since]
