"""What a customer's record remembers line by line, as rings of bytes: what happened, what was decided, who they are."""

from typing import Any, Final

import msgspec

from orchestrator.model import ring


class Line(msgspec.Struct, gc=False):
    """One line of the timeline; `data` is kept where a goal or an exit may have to look at it after a merge."""

    time: int
    type: str
    channel: str
    id: str
    data: dict[str, Any] | None = None


line_bytes: Final = msgspec.msgpack.Encoder().encode
"""A line as it stands in the timeline's ring, made of (type, channel, id, data); the ring holds its time."""

_decode_line: Final = msgspec.msgpack.Decoder(tuple[str, str, str, dict[str, Any] | None]).decode


def lines_of(timeline: bytes, after: int = -1) -> list[Line]:
    """The lines of a timeline, oldest first; with `after` (ms) only those of a later time."""
    return [Line(time, *_decode_line(payload)) for time, payload in ring.entries(timeline, after)]


class Decision(msgspec.Struct, array_like=True, gc=False):
    """One line of what was decided lately, with its reason: every channel can say why, and why not."""

    at: int
    what: str
    scenario: str
    step: str = ""
    reason: str = ""
    content: str = ""
    channel: str = ""


_encode_decision: Final = msgspec.msgpack.Encoder().encode
_decode_decision: Final = msgspec.msgpack.Decoder(Decision).decode


def decision_bytes(decision: Decision) -> bytes:
    """A decision as it stands in its ring."""
    return _encode_decision(decision)


def decisions_of(decisions: bytes) -> list[Decision]:
    """What was decided lately, oldest first."""
    return [_decode_decision(payload) for _, payload in ring.entries(decisions)]


class IdentityStep(msgspec.Struct, array_like=True, gc=False):
    """One step of how a customer's identifiers came together, apart, or did not.

    Attributes:
        what: "joined", "left", "began" (anew, with nothing), "conflict" or "erased".
        nodes: the identifiers that joined or left; of a conflict, both that were seen together.
        by: of a joining, the two identifiers that were seen together.
        why: what made it: "seen", "moved", "evicted", "idle", "reset", "split", "erased", or which rule was in the way.
        type, event: of the event that was the evidence, where there was one.
        time: of the evidence, ms.
    """

    what: str
    nodes: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    why: str = ""
    type: str = ""
    event: str = ""
    time: int = 0


step_bytes: Final = msgspec.msgpack.Encoder().encode
"""An identity step as it stands in its ring."""

_decode_step: Final = msgspec.msgpack.Decoder(IdentityStep).decode


def steps_of(steps: bytes) -> list[tuple[int, IdentityStep]]:
    """Record time (ms) and identity step, oldest first."""
    return [(at, _decode_step(payload)) for at, payload in ring.entries(steps)]
