"""The event that tells how a send ended: an ordinary channel event, keyed by the node that decided it. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from orchestrator.delivery.ledger import Settled
from orchestrator.model.effect import Action
from orchestrator.model.ids import made_id, node_key
from orchestrator.stream.lane.records import Outgoing

SOURCE: Final = "delivery"

_encode: Final = msgspec.json.Encoder().encode
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def outcome_event(action: Action, settled: Settled, namespace: str | None) -> Outgoing:
    """The record of an outcome. The same action and outcome always give the same event id.

    Args:
        action: what was (or was not) sent.
        settled: how it ended.
        namespace: the identifier namespace of the channel's addresses; None where it is not known, and then
            the deciding node stands in, so that the event still says whose it is.
    """
    event = {
        "specversion": "1.0",
        "id": made_id(action.id, settled.outcome),
        "source": SOURCE,
        "type": settled.outcome,
        "time": iso(settled.at),
        "channel": action.channel,
        "tenant": action.tenant,
        "data": _data(action, settled, namespace),
    }
    return Outgoing(f"channel.{action.channel}", deciding_key(action), _encode(event))


def deciding_key(action: Action) -> bytes:
    """The record key of the node that decided the action, with its tenant."""
    if action.node.startswith(f"{action.tenant}/"):
        return action.node.encode()
    return node_key(action.tenant, action.node)


def at(time: int) -> datetime:
    """A time in ms as an aware datetime, UTC."""
    return _EPOCH + timedelta(milliseconds=time)


def iso(time: int) -> str:
    """RFC 3339 with milliseconds and Z."""
    return at(time).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _data(action: Action, settled: Settled, namespace: str | None) -> dict[str, Any]:
    owner, address = namespace, action.address
    if owner is None:
        owner, _, address = deciding_key(action).decode().partition("/")[2].partition(":")
    data: dict[str, Any] = {owner: address, "message": action.id, "content": action.content}
    if action.thread:
        data["thread"] = action.thread
    if settled.reason:
        data["reason"] = settled.reason
    return data
