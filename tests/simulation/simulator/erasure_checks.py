"""What an erasure must have left, and what it must not."""

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from orchestrator.model.customer import Node, Receipt, Reference
from orchestrator.model.effect import ERASURES
from orchestrator.model.ids import erasure_id, erasure_mark
from tests.simulation.simulator.producers import REQUEST
from tests.simulation.simulator.violation import ViolationError

if TYPE_CHECKING:
    from tests.simulation.simulator.checks import Outcome


def erased(outcome: "Outcome", ids: Counter[str]) -> None:
    """Older events of the erased identifier are gone, as far as it is the only one that could keep them."""
    story, told = outcome.run.story, outcome.run.producers.told
    target = next(one.nodes[0] for one in story.happenings if one.type == "erase")
    unique = not target.startswith(("phone", "anonymous"))
    for one in story.happenings:
        older = one.nodes[:1] == (target,) and told[one.name] <= told["erasure"]
        if older and unique and not story.has("logged_out") and one.name in ids:
            raise ViolationError(f"{one.name} of {target} is older than the erasure, and is still known")


def references_are_forgotten(outcome: "Outcome", ids: Counter[str]) -> None:
    """An order that counts nowhere any more, because its customer was erased, is nobody's."""
    for one in outcome.run.story.happenings:
        if one.type == "bought" and one.name not in ids:
            order = outcome.nodes.get(f"order:{one.data['order']}", Node()).body
            if isinstance(order, Reference) and order.owner:
                raise ViolationError(f"{one.name} is erased, and its order is still that of {order.owner}")


def erasure_is_answered(outcome: "Outcome") -> None:
    """The receipt is complete, its newest record says so, and every node that was erased is on it."""
    if not outcome.run.story.has("erase"):
        return
    name = erasure_id("default", REQUEST)
    node = outcome.nodes.get(f"erasure:{name}")
    if node is None or not isinstance(node.body, Receipt) or not node.body.asked_at:
        raise ViolationError(f"nobody has answered to the erasure: {node}")
    silent = [mark for mark, (_, at) in node.body.nodes.items() if not at]
    newest = msgspec.json.decode(outcome.run.broker.read(ERASURES)[-1].value or b"")
    if silent or (newest["state"], newest["reached"]) != ("complete", len(node.body.nodes)):
        raise ViolationError(f"the receipt waits for {silent}: {newest}")
    for customer in outcome.customers.values():
        for erased in customer.erasing:
            if erasure_mark("default", REQUEST, erased) not in node.body.nodes:
                raise ViolationError(f"{erased} was erased and is not on the receipt")
