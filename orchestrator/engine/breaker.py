"""`stop_when`: a scenario that goes wrong for too many customers stops itself, until a person reopens it.

What happens to all customers together is counted at one node, `scenario:NAME`: every message that the scenario sends is
told there, and every message that meets an event of `on`, once. When the node trips, a row that everyone holds says so.
"""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.identity.handlers import seen
from orchestrator.model.customer import Breaker
from orchestrator.model.effect import Note, Row, Tell
from orchestrator.model.ids import EVENT_HASH_BYTES, event_hash
from orchestrator.model.message import Counted

if TYPE_CHECKING:
    from orchestrator.engine.facts import Facts
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import ScenarioPlan
    from orchestrator.language.spec.scenario import StopWhen
    from orchestrator.model.customer import Contact
    from orchestrator.model.event import Event

PREFIX: Final = "scenario:"
FACT: Final = ":stopped"
"""The rows that say which scenarios are stopped; no bundle can declare a fact of this name."""
PARTS: Final = 60
"""The window moves on in so many steps."""
MARKS: Final = 2_048
"""Of so many messages, the newest, it is known that they are counted."""


def breaker_node(scenario: str) -> str:
    """The node that counts for a scenario."""
    return f"{PREFIX}{scenario}"


def stopped(facts: "Facts", plan: "ScenarioPlan") -> dict[str, Any]:
    """Since when a scenario is stopped, and by which numbers; empty where it is open."""
    return facts.row(FACT, plan.name) if plan.document.stop_when is not None else {}


def tell_sent(moment: "Moment", scenario: str, message: str) -> None:
    """A message of a scenario with `stop_when` leaves; `message` is its id."""
    node = breaker_node(scenario)
    moment.effects.append(Tell(node, Counted(node, moment.now, id=message)))


def tell_met(moment: "Moment", event: "Event", scenarios: frozenset[str]) -> None:
    """An event that some `stop_when` names: the message that it is about has met it."""
    contact = _about(moment.customer.contacts, event)
    if contact is None or contact.scenario not in scenarios:
        return
    first = _first(moment.customer.contacts, contact)
    if not first.met:
        moment.customer.change_contact(first.id, met=True)
        node = breaker_node(contact.scenario)
        moment.effects.append(Tell(node, Counted(node, first.at, met=True, id=contact.first or contact.id)))


def _first(contacts: "tuple[Contact, ...]", contact: "Contact") -> "Contact":
    """The message on the channel that it took first, the one that was counted; itself where that is forgotten."""
    return next((one for one in contacts if contact.first and one.id == contact.first), contact)


def _about(contacts: "tuple[Contact, ...]", event: "Event") -> "Contact | None":
    """The message that an event is about: the one it names, else the newest on its channel, else the newest."""
    named = event.data.get("message")
    if named:
        return next((one for one in reversed(contacts) if named in (one.id, one.content)), None)
    before = [one for one in reversed(contacts) if one.at <= event.time]
    return next((one for one in before if one.channel == event.channel), before[0] if before else None)


def count(body: Breaker, counted: Counted, rule: "StopWhen", now: int) -> None:
    """Take a message into its part of the window, in place; parts that have left the window go.

    One that was counted before comes again where a worker crashed between sending and committing.
    """
    mark = event_hash("met" if counted.met else "sent", counted.id)
    if counted.time < body.reopened_at or seen(body.marks, mark):
        return
    body.marks = (body.marks + mark)[-MARKS * EVENT_HASH_BYTES :]
    width = max(rule.in_ // PARTS, 1)
    begins = counted.time - counted.time % width
    parts = {part[0]: part for part in body.parts if part[0] > now - rule.in_ - width}
    if begins > now - rule.in_ - width:
        _, sent, met = parts.get(begins, (begins, 0, 0))
        parts[begins] = (begins, sent, met + 1) if counted.met else (begins, sent + 1, met)
    body.parts = [parts[at] for at in sorted(parts)]


def trip(body: Breaker, rule: "StopWhen", scenario: str, tenant: str, now: int, notes: list[Note]) -> Row | None:
    """Stop the scenario where too many of its messages met what it stops for; the row for everyone, or None."""
    sent = sum(part[1] for part in body.parts)
    met = sum(part[2] for part in body.parts)
    if body.stopped_at or sent < rule.at_least or met <= rule.over * sent:
        return None
    body.stopped_at = now
    notes.append(Note("scenario_stopped", scenario, "", "stopped", {"sent": sent, "met": met}))
    return Row(tenant, FACT, scenario, {"at": now, "sent": sent, "met": met}, now)


def reopen(body: Breaker, scenario: str, tenant: str, time: int, now: int, notes: list[Note]) -> Row:
    """Let it go on from `time`, when that was asked for: counting begins anew."""
    body.parts, body.stopped_at, body.reopened_at = [], 0, time
    notes.append(Note("scenario_reopened", scenario))
    return Row(tenant, FACT, scenario, None, now)
