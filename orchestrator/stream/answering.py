"""Answers from the memory of a partition's owner: the port of `asking.py` over the lane's core. It changes nothing."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestrator.engine.ask import answers, asking, context_of
from orchestrator.engine.identity.handlers import seen
from orchestrator.engine.identity.work import is_member
from orchestrator.engine.slots import shown_by
from orchestrator.model.customer import Customer, Node, Reference
from orchestrator.model.effect import INPUTS
from orchestrator.model.ids import event_hash, made_id, node_key
from orchestrator.model.message import Shown, encode_message
from orchestrator.model.partition import partition_of
from orchestrator.stream.asking import Answered, NotYet
from orchestrator.stream.asking_wire import Answer, Forward, Question
from orchestrator.stream.lane.records import Outgoing

if TYPE_CHECKING:
    from orchestrator.engine.engine import Engine
    from orchestrator.stream.lane.core import CustomerCore
    from orchestrator.stream.lane.partition import Partition


class CoreAnswering:
    """Answers questions about the customers of a core's partitions.

    Args:
        core: the worker's core.
        current: whether this worker may still speak for what it owns (it has heard from the broker lately).
    """

    def __init__(self, core: "CustomerCore", current: Callable[[], bool]) -> None:
        self._core = core
        self._current = current

    def owns(self, partition: int) -> bool:
        return self._core.owned(partition) is not None and self._current()

    def answer(self, question: Question, now: int) -> Answered | Forward | NotYet:
        key = node_key(question.tenant, question.identifier)
        partition = self._core.owned(partition_of(key, self._core.partitions))
        if partition is None:
            raise LookupError("asked about a partition that this worker does not own")
        node = self._look(partition, key)
        engine = self._core.engine_of(partition)
        if node.to is not None:
            return Forward(node.to)
        if isinstance(node.body, Reference):
            return Forward(node.body.owner) if node.body.owner else self._nobody(engine, question, now)
        customer = node.body if isinstance(node.body, Customer) else None
        if question.event is not None and not _has_seen(customer, question.event.source, question.event.id):
            return NotYet()
        if customer is None or not customer.person:
            return self._nobody(engine, question, now)
        return self._answer(engine, customer, question, now)

    def _look(self, partition: "Partition", key: bytes) -> Node:
        """A node as it is; a question about somebody unknown leaves no trace."""
        if key not in partition.values and not partition.is_live(key):
            return Node()
        return self._core.look(partition, key)

    def _answer(self, engine: "Engine", customer: Customer, question: Question, now: int) -> Answered:
        moment = asking(engine, customer, question.identifier, now)
        found = answers(moment, question.identifier, question.slots, question.ask)
        linking = tuple(sorted({
            node for waiting in customer.waiting for node in waiting.nodes if not is_member(customer, node)
        }))  # fmt: skip
        context = context_of(moment) if question.context else None
        told = {slot: _without_promises(one) for slot, one in found.items()}
        answer = Answer(customer.version, customer.person, told, context, linking)
        shown = _shown(engine, found)
        binding = any("promise" in data for _, data in shown)
        return Answered(answer, _put_on_record(customer, question, shown, now), binding)

    def _nobody(self, engine: "Engine", question: Question, now: int) -> Answered:
        """Nobody is known: the profile is all defaults, and nothing is stored."""
        moment = asking(engine, Customer(), question.identifier, now)
        return Answered(Answer(0, None, answers(moment, question.identifier, question.slots, question.ask), None))


def _shown(engine: "Engine", found: dict[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Slot and what was shown there: what is promised by it, and all else where anything in the bundle looks at it."""
    looked_at = not engine.program.event_plan("slot_shown", "engine").quiet
    return [
        (slot, data)
        for slot, answer in found.items()
        for data in shown_by(engine.program, slot, answer)
        if looked_at or "promise" in data
    ]


def _put_on_record(
    customer: Customer, question: Question, shown: list[tuple[str, dict[str, Any]]], now: int
) -> tuple[Outgoing, ...]:
    """What was shown is an input of its own."""
    sends, numbers = [], Counter[str]()
    for slot, data in shown:
        number = [numbers[slot]] if numbers[slot] else []
        numbers[slot] += 1
        name = made_id("shown", customer.person, slot, customer.version, now, *number)
        value = encode_message(Shown(question.identifier, now, data, name))
        sends.append(Outgoing(INPUTS, node_key(question.tenant, question.identifier), value))
    return tuple(sends)


def _without_promises(answer: dict[str, Any]) -> dict[str, Any]:
    """What a channel is told: what is promised is for the record."""
    told = {name: value for name, value in answer.items() if name != "promise"}
    if "items" in told:
        told["items"] = [_without_promises(one) for one in told["items"]]
    if "include" in told:
        told["include"] = {field: _without_promises(one) for field, one in told["include"].items()}
    return told


def _has_seen(customer: Customer | None, source: str, event_id: str) -> bool:
    if customer is None:
        return False
    mark = event_hash(source, event_id)
    return any(seen(window, mark) for window in customer.window.values())
