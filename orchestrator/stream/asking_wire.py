"""A question to the owner of a customer and its answer, as they stand on the wire (JSON over HTTP, `POST /ask`).

200 holds an `Answer`, or a `Forward` where the customer lives under another identifier now; 421 says that this
worker does not own the identifier's partition, 503 that it could not answer in time or has too much in hand,
400 that the question cannot be read, 401 that the key is missing, 500 that answering failed.
"""

from typing import Any, Final

import msgspec

PATH: Final = "/ask"
MISDIRECTED: Final = 421
UNKEYED: Final = 401
MAX_QUESTION_BYTES: Final = 256 * 1024
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024


class EventName(msgspec.Struct, frozen=True):
    """What tells an event: its id and source."""

    id: str
    source: str


class Question(msgspec.Struct, frozen=True):
    """What a worker is asked.

    `identifier` is the node `NAMESPACE:VALUE`, normalised. With an `event` the answer waits until that event is
    applied and durable. `ask` holds the channel and the attributes that it sent. `deadline_ms` is what is left of
    the time when the question leaves the gateway.
    """

    tenant: str
    identifier: str
    event: EventName | None
    slots: tuple[str, ...]
    ask: dict[str, Any]
    deadline_ms: int
    context: bool


class Answer(msgspec.Struct, frozen=True):
    """A worker's answer: the customer's version it was made from, the answer per slot, the context if asked for.

    `person` and `context` are null where nobody is known by the identifier. `linking` names identifiers whose
    history is being joined to this customer's right now.
    """

    version: int = 0
    person: str | None = None
    answers: dict[str, Any] = {}
    context: dict[str, Any] | None = None
    linking: tuple[str, ...] = ()


class Forward(msgspec.Struct, frozen=True):
    """The customer lives under this identifier now; ask its owner."""

    forward: str


class _Reply(Answer, frozen=True):
    forward: str | None = None


_read_question: Final = msgspec.json.Decoder(Question).decode
_read_reply: Final = msgspec.json.Decoder(_Reply).decode


def decode_question(raw: bytes) -> Question:
    """Read a question.

    Raises:
        msgspec.DecodeError: it is none.
    """
    return _read_question(raw)


def decode_reply(raw: bytes) -> Answer | Forward:
    """Read the body of a 200.

    Raises:
        msgspec.DecodeError: it is neither an answer nor a forward.
    """
    reply = _read_reply(raw)
    if reply.forward is not None:
        return Forward(reply.forward)
    return Answer(reply.version, reply.person, reply.answers, reply.context, reply.linking)
