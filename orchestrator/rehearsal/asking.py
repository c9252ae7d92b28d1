"""A slot asked in a rehearsal, as a channel would ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.engine.moment import Moment
from orchestrator.engine.slots import answer_slot
from orchestrator.model.customer import Customer
from orchestrator.model.ids import made_id, node_key
from orchestrator.model.message import Shown, encode_message
from orchestrator.stream.lane.step import INPUTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.model.effect import Note
    from orchestrator.rehearsal.world import World


def moment_of(world: World, name: str, notes: list[Note] | None = None) -> Moment:
    """A look at a customer now, which changes nothing; the profile is all defaults where nobody is known."""
    root, customer = world.root(name) if name else ("", None)
    body = customer if customer is not None else Customer()
    now = max(world.now, body.now)
    return Moment(body, world.program, world.facts, now, root, [], [] if notes is None else notes, explain=True)


def ask(
    world: World, slot: str, nodes: list[str], given: Mapping[str, Any], notes: list[Note], *, on_record: bool = True
) -> dict[str, Any]:
    """The answer to a slot now.

    Args:
        world: where the customer lives.
        slot: its name.
        nodes: who asks, strongest identifier first; none for somebody unknown.
        given: the channel, and the attributes that it sends.
        notes: takes the trace of how the answer came about.
        on_record: the customer's record shall know that it was shown.
    """
    name = nodes[0] if nodes else ""
    moment = moment_of(world, name, notes)
    identity = world.program.identity
    known = bool(moment.customer.person) and bool(moment.scope.profile["known"])
    moment.scope.ask = {
        "slot": slot,
        "channel": "",
        "identifier": name.partition(":")[2],
        "known": known,
        "linked": known and any(identity.is_unique(node) or identity.is_shared(node) for node in nodes),
        "language": moment.scope.profile["language"] or world.program.language,
        **given,
    }
    answer = answer_slot(moment, slot)
    if on_record and moment.customer.person:
        _put_on_record(world, name, slot, answer)
    return answer


def _put_on_record(world: World, name: str, slot: str, answer: Mapping[str, Any]) -> None:
    """An answer becomes `slot_shown`, an input of its own."""
    data = {"slot": slot, "content": answer["content"], "offer": answer.get("offer", "")}
    shown = Shown(name, world.now, data, made_id("shown", name, slot, world.now))
    world.arrive(INPUTS, node_key(world.program.tenant, name), encode_message(shown), world.now)
