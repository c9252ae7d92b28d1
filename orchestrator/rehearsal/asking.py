"""Questions in a rehearsal, answered as the worker answers them: slots, and what is known of a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.engine.ask import answers, asking, context_of
from orchestrator.model.customer import Customer
from orchestrator.stream.asking_wire import Forward, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.engine.moment import Moment
    from orchestrator.model.effect import Note
    from orchestrator.rehearsal.world import World

NOBODY = "anonymous_id:"


def moment_of(world: World, name: str) -> Moment:
    """A look at a customer now, which changes nothing; the profile is all defaults where nobody is known."""
    root, customer = world.root(name)
    return asking(world.engine, customer if customer is not None else Customer(), root, world.now)


def context(world: World, name: str) -> dict[str, Any]:
    """What every channel may know of a customer now."""
    return context_of(moment_of(world, name))


def ask(
    world: World, slot: str, nodes: list[str], given: Mapping[str, Any], *, on_record: bool = True
) -> dict[str, Any]:
    """The answer to a slot now.

    Args:
        world: where the customer lives.
        slot: its name.
        nodes: who asks, strongest identifier first; none for somebody unknown.
        given: the channel, and the attributes that it sends.
        on_record: the customer's record shall know that it was shown.
    """
    identifier = nodes[0] if nodes else NOBODY
    question = Question(world.program.tenant, identifier, None, (slot,), dict(given), 0, context=False)
    answered = world.answer(question)
    while isinstance(answered, Forward):
        question = Question(world.program.tenant, answered.forward, None, (slot,), dict(given), 0, context=False)
        answered = world.answer(question)
    if on_record:
        for sent in answered.sends:
            world.arrive(sent.topic, sent.key, sent.value, world.now)
    found: dict[str, Any] = answered.answer.answers[slot]
    return found


def trace_slot(world: World, slot: str, node: str, given: Mapping[str, Any]) -> tuple[dict[str, Any], list[Note]]:
    """The answer to a slot now, and which candidates were left out; the world has to `explain`. Nothing is recorded."""
    moment = moment_of(world, node)
    found: dict[str, Any] = answers(moment, node, (slot,), dict(given))[slot]
    return found, moment.notes
