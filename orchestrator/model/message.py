"""Messages between nodes, on `customer.inputs`. Shapes only: what they do is in engine/identity."""

from typing import Any, Final

import msgspec

from orchestrator.model.customer import Customer, Member
from orchestrator.model.lines import IdentityStep


class Parcel(msgspec.Struct, array_like=True):
    """A customer on the move, as it was frozen."""

    customer: Customer


class Link(msgspec.Struct, array_like=True, tag="link"):
    """`a` and `target` were seen together at `time`; `root` is the root of `a`, `strong` if it has a unique name.

    `event_type` and `event_id` name the event that they were seen in.
    """

    target: str
    a: str
    root: str
    strong: bool
    time: int
    hops: int = 0
    members: list[str] = []
    event_type: str = ""
    event_id: str = ""


class Applied(msgspec.Struct, array_like=True, tag="event"):
    """An event for the node `target`, its strongest identifier; `record` is the event as it came."""

    target: str
    record: bytes
    received: int
    channel: str = ""
    hops: int = 0


class Absorb(msgspec.Struct, array_like=True, tag="absorb"):
    """`mover` moves in with everything it has; `link` is what made it."""

    target: str
    mover: str
    epoch: int
    customer: Customer
    link: Link
    hops: int = 0


class Reset(msgspec.Struct, array_like=True, tag="reset"):
    """Logout, an idle identifier's eviction, or an operator's split (then `apart` lists the other side's names)."""

    target: str
    time: int
    apart: list[str] = []
    hops: int = 0


class Erase(msgspec.Struct, array_like=True, tag="erase"):
    """The customer asked to be forgotten at `time`; `request` is the token that the receipt is kept under."""

    target: str
    time: int
    request: str = ""
    hops: int = 0


class Home(msgspec.Struct, array_like=True, tag="home"):
    """You are a member of `root` (and your parcel has arrived)."""

    target: str
    epoch: int
    root: str


class Refused(msgspec.Struct, array_like=True, tag="refused"):
    """Stay yourself; `rivals` are the unique identifiers of who refused."""

    target: str
    epoch: int
    rivals: list[str]
    time: int = 0


class Seed(msgspec.Struct, array_like=True):
    """What an identifier takes along when it is cut: its window, its erasure mark, its evidence and the family.

    `why` it was cut, and of an erasure the `request`, for whose receipt it answers.
    """

    window: bytes
    wiped: int
    since: int
    family: dict[str, Member]
    rivals: dict[str, int] = {}
    why: str = ""
    request: str = ""


class Split(msgspec.Struct, array_like=True, tag="split"):
    """You are no longer a member: start from this seed, then follow the link if there is one."""

    target: str
    epoch: int
    seed: Seed
    link: Link | None = None


class Inquire(msgspec.Struct, array_like=True, tag="inquire"):
    """Entries of the customer of `by` wait for `target`: does it come? Sent behind the link, on the same way."""

    target: str
    by: str
    hops: int = 0


class Stays(msgspec.Struct, array_like=True, tag="stays"):
    """`node` stays somebody else's: entries of the customer of `target` wait for it no longer."""

    target: str
    node: str
    hops: int = 0


class Noted(msgspec.Struct, array_like=True, tag="noted"):
    """Something about the identity of the customer of `target` that another node has decided, to be remembered."""

    target: str
    step: IdentityStep
    hops: int = 0


class Forget(msgspec.Struct, array_like=True, tag="forget"):
    """The customer of `owners` was erased at `time`: the reference `target` is nobody's any more, if it was theirs."""

    target: str
    owners: list[str]
    request: str = ""
    time: int = 0


class Reached(msgspec.Struct, array_like=True, tag="reached"):
    """For the receipt `target` (`erasure:ID`): marks and namespaces of nodes that must be reached, and that were.

    `whole`: these are all nodes of the customer.
    """

    target: str
    expected: list[tuple[str, str]] = []
    done: list[tuple[str, str]] = []
    whole: bool = False


class Tick(msgspec.Struct, array_like=True, tag="tick"):
    """Something that only time or the outside moved: timers are due, fact rows changed, a release begins.

    `visit`: the release is to be told to the next customers whom it concerns.
    """

    timers: bool = False
    facts: list[str] = []
    release: str = ""
    hops: int = 0
    visit: bool = False


class Change(msgspec.Struct, array_like=True, tag="change"):
    """A brand event for one fact row's node; `record` is the event as it came."""

    target: str
    record: bytes
    received: int
    channel: str = ""
    hops: int = 0


class Shown(msgspec.Struct, array_like=True, tag="shown"):
    """A slot's answer was shown to the customer of `target`."""

    target: str
    time: int
    data: dict[str, Any]
    id: str = ""
    hops: int = 0


class Refer(msgspec.Struct, array_like=True, tag="refer"):
    """The reference `target` (a thread, an order ...) was used by the customer of `owner`, at `time`."""

    target: str
    owner: str
    hops: int = 0
    time: int = 0


class Counted(msgspec.Struct, array_like=True, tag="counted"):
    """A scenario with `stop_when` sent the message `id` at `time`; with `met`, that met an event it stops for."""

    target: str
    time: int
    met: bool = False
    id: str = ""


class Reopen(msgspec.Struct, array_like=True, tag="reopen"):
    """A person lets a scenario go on that has stopped itself."""

    target: str
    time: int


Message = (
    Refer
    | Link
    | Applied
    | Absorb
    | Reset
    | Erase
    | Home
    | Refused
    | Split
    | Inquire
    | Stays
    | Noted
    | Forget
    | Reached
    | Tick
    | Change
    | Shown
    | Counted
    | Reopen
)

_decoder: Final[msgspec.msgpack.Decoder[Message]] = msgspec.msgpack.Decoder(Message)
_encode = msgspec.msgpack.Encoder().encode


def encode_message(message: Message) -> bytes:
    """A message as it stands on `customer.inputs`."""
    return _encode(message)


def decode_message(raw: bytes) -> Message:
    """Read a message.

    Raises:
        msgspec.DecodeError: it is none of ours.
    """
    message = _decoder.decode(raw)
    if isinstance(message, Absorb):
        message.customer.detach()
    return message
