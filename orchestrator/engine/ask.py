"""Questions: what a channel should show this customer, and what is known of them. A question changes nothing."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.context import plain
from orchestrator.engine.moment import Moment
from orchestrator.engine.offers.states import state_at
from orchestrator.engine.placements import Placement, name_placed, placements_of
from orchestrator.engine.slots import answer_slot
from orchestrator.language.cel import CelError
from orchestrator.model.customer import IN, Customer, Instance
from orchestrator.model.lines import decisions_of, lines_of, steps_of

if TYPE_CHECKING:
    from orchestrator.engine.engine import Engine


def asking(engine: "Engine", customer: Customer, node: str, now: int) -> Moment:
    """A moment that is only looked at: what it would do is thrown away."""
    return Moment(customer, engine.program, engine.facts, max(now, customer.now), node, [], [], engine.explain)


def answers(moment: Moment, identifier: str, slots: tuple[str, ...], ask: dict[str, Any]) -> dict[str, Any]:
    """Answer slots for a customer who is asked for by `identifier` (a node), with the attributes that came along."""
    found: dict[str, Any] = {}
    for slot in slots:
        moment.scope.ask = ask_map(moment, identifier, slot, ask)
        found[slot] = answer_slot(moment, slot)
    return found


def ask_map(moment: Moment, identifier: str, slot: str, ask: dict[str, Any]) -> dict[str, Any]:
    """`ask` as conditions see it: who asks, and whether what they show is linked to a known customer."""
    customer, rules = moment.customer, moment.program.identity
    members = [node for node, member in customer.family.items() if member.state == IN]
    known = any(rules.is_unique(node) for node in members)
    return {
        "channel": "",
        "language": moment.scope.profile["language"],
        **ask,
        "slot": slot,
        "identifier": identifier,
        "known": known,
        "linked": known and identifier in members,
    }


def context_of(moment: Moment) -> dict[str, Any]:
    """What every channel may know of a customer: traits, identifiers, journeys, what was said and decided lately."""
    customer = moment.customer
    return {
        "person": customer.person,
        "persons": customer.persons,
        "version": customer.version,
        "now": customer.now,
        "identifiers": sorted(node for node, member in customer.family.items() if member.state == IN),
        "profile": profile_map(moment),
        "journeys": [_journey(moment, instance) for instance in customer.instances],
        "offers": [_offered(name, customer, moment.now) for name in sorted(customer.offers)],
        "messages": [_message(contact) for contact in customer.contacts[-20:]],
        "tasks": [
            {"id": t.id, "queue": t.queue, "key": t.key, "due": t.due, "overdue": t.overdue} for t in customer.tasks
        ],
        "decisions": [_fields(decision) for decision in decisions_of(customer.decisions)],
        "timeline": _timeline(customer),
    }


def _timeline(customer: Customer) -> list[dict[str, Any]]:
    """What happened, oldest first, and among it how identifiers came together and apart; these without names."""
    lines = [{"time": line.time, "type": line.type, "channel": line.channel} for line in lines_of(customer.timeline)]
    for at, step in steps_of(customer.steps):
        lines.append({"time": at, "type": f"identity_{step.what}", "channel": "engine"})
    return sorted(lines, key=lambda line: line["time"])


def profile_map(moment: Moment) -> dict[str, Any]:
    """Every trait and what is always present, as plain data; what is unknown is null."""
    names = [*moment.program.traits.by_name, "consent", "ids", "known", "language", "zone", "segments", "threads",
             "open_questions"]  # fmt: skip
    found: dict[str, Any] = {}
    for name in names:
        try:
            found[name] = plain(moment.scope.profile[name])
        except CelError:
            found[name] = None
    return found


def _journey(moment: Moment, instance: Instance) -> dict[str, Any]:
    return {
        "scenario": instance.scenario,
        "version": instance.version,
        "key": instance.key,
        "mode": instance.mode,
        "entered_at": instance.entered_at,
        "standing": [{"step": one.step, "due": one.due} for one in instance.standing if not one.is_placement],
        "showing": [_placed(one) for one in placements_of(moment, instance)],
    }


def _placed(one: Placement) -> dict[str, Any]:
    slots = list(one.step.body.slots)
    return {"step": one.step.id, "content": name_placed(one.standing), "slots": slots, "until": one.standing.due}


def _offered(name: str, customer: Customer, at: int) -> dict[str, Any]:
    """What was told to them, and until when it is promised."""
    offered = customer.offers[name]
    return {
        "offer": name,
        "state": state_at(offered, at),
        "since": offered.at,
        "until": offered.until or None,
        "terms": offered.terms,
        "by": offered.by,
    }


def _message(contact: Any) -> dict[str, Any]:
    return {
        "id": contact.id, "at": contact.at, "content": contact.content, "channel": contact.channel,
        "topic": contact.topic, "scenario": contact.scenario, "outcome": contact.settled,
    }  # fmt: skip


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}
