"""The record of one customer, and of the other things that live under a key of their own.

Every value is one node: the only unit that changes atomically. Structs are `array_like`, so a field's place is its
name on disk: append fields at the end, give them a default, and raise `codec.VERSION` only for what that cannot carry.
"""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from orchestrator.model import ring

IN: Final = 1
OUT: Final = 0
REFUSED: Final = 2

_encode_part: Final = msgspec.msgpack.Encoder().encode


def packed(part: Any) -> msgspec.Raw:
    """A part of a record that stands in it as bytes."""
    return msgspec.Raw(_encode_part(part))


class Member(msgspec.Struct, array_like=True, gc=False):
    """What a family knows of one node: the epoch it last heard of, whether it is in, and since when by evidence."""

    epoch: int
    state: int
    since: int


class Standing(msgspec.Struct, array_like=True, gc=False):
    """Where an instance stands: a step, since when, and when its timer is due (0: none).

    `data` belongs to the step word: the last touch of a silence, the reason of a held send, and so on. `branch`
    names the parallel branch (`STEP/NAME`, "" outside of any).
    """

    step: str
    since: int
    due: int = 0
    data: Any = None
    branch: str = ""

    @property
    def is_placement(self) -> bool:
        """Whether this is what a `show` has placed: the story does not stand here, it has gone on."""
        return isinstance(self.data, dict) and "placement" in self.data


class Instance(msgspec.Struct, array_like=True, gc=False):
    """One run of a scenario for one customer and key.

    `packed_entry` is the event that started it, as bytes, for few ask for it (`entry`); `person` the id it was entered
    under, which its action ids keep for good. `mode`: "live", "rest" (its story is over, its goal watched or something
    of it placed) or "holdout". `once`: the scenario is entered once for a key (`re_entry: never`), as it stood
    at the entry. `watched_until`: while it rests, until when its goal is watched where nothing of it is shown.
    """

    scenario: str
    version: int
    key: str
    ordinal: int
    person: str
    entered_at: int
    entry_time: int
    packed_entry: msgspec.Raw
    standing: list[Standing]
    mode: str = "live"
    ends_at: int = 0
    outputs: dict[str, dict[str, Any]] = {}
    vars: dict[str, Any] = {}
    visits: dict[str, int] = {}
    received: int = 0
    release: str = ""
    once: bool = False
    watched_until: int = 0

    @property
    def entry(self) -> dict[str, Any]:
        """The event that started it: a map of its own, at each call."""
        return _decode_map(self.packed_entry)


class Contact(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """One message sent: what caps, gaps, redundancy and `message()` look at.

    `replaced`: it was sent again on another channel, in place of this one. `met`: it met an event of its scenario's
    `stop_when`, and is counted there. `person`: the id that its action was made with, "" where it is the customer's.
    `first`: the id of the message that this one is sent again for, on another channel; "" where it is the first.
    """

    at: int
    id: str
    content: str
    channel: str
    class_: str
    purpose: str
    topic: str
    scenario: str
    about: tuple[str, ...] = ()
    thread: str = ""
    address: str = ""
    offer: str = ""
    valid_until: int = 0
    settled: str = ""
    key: str = ""
    step: str = ""
    replaced: bool = False
    met: bool = False
    person: str = ""
    first: str = ""


class Turn(msgspec.Struct, array_like=True, gc=False):
    """One turn of a conversation."""

    at: int
    by: str
    channel: str
    text: str
    about: str
    id: str
    agent: str = ""


class Thread(msgspec.Struct, array_like=True, gc=False):
    """A conversation: its recent turns, oldest first, and how many there were in all."""

    id: str
    turns: int = 0
    asked: int = 0
    open: bool = True
    last_at: int = 0
    about: str = ""
    agent: str = ""
    channels: list[str] = []
    recent: list[Turn] = []
    first_asked: int = 0


class Task(msgspec.Struct, array_like=True, gc=False):
    """Open work for a person; `told` is the revision of its newest record on the topic `tasks`."""

    id: str
    queue: str
    key: str
    opened_at: int
    due: int
    scenario: str
    instance_key: str
    ordinal: int
    step: str
    assignee: str = ""
    thread: str = ""
    overdue: bool = False
    with_: dict[str, Any] = {}
    on_exit: str = "keep"
    entry: dict[str, Any] = {}
    version: int = 1
    told: int = 0


class Waiting(msgspec.Struct, array_like=True, gc=False):
    """Entries that wait for a merge: the event they may start from, the nodes it waits for, and until when.

    `by` is the member that the event came by. `asked`: the nodes were asked whether they come.
    """

    until: int
    nodes: list[str]
    event: dict[str, Any]
    by: str = ""
    asked: bool = False


OFFERS_HAD_KEPT: Final = 100


class Offered(msgspec.Struct, array_like=True, gc=False, frozen=True):
    """What an offer is to one customer.

    Attributes:
        state: `shown` (it is theirs), `redeemed`, `refused` or `expired`.
        at: since when, ms.
        until: of what is shown: how long it is promised, ms, 0 where nothing is; of a refusal: how long it stands.
        terms: as they were told.
        item: key of the fact's row that was picked, "" where it picks none.
        had: when it became theirs, each time, oldest first, ms.
        by: who showed it: a scenario, or `slot:` and its name.
    """

    state: str
    at: int
    until: int = 0
    terms: dict[str, Any] = {}
    item: str = ""
    had: tuple[int, ...] = ()
    by: str = ""


_decode_map: Final = msgspec.msgpack.Decoder(dict[str, Any]).decode
_decode_contacts: Final = msgspec.msgpack.Decoder(tuple[Contact, ...]).decode
NOTHING_SENT: Final = msgspec.Raw(msgspec.msgpack.encode(()))
_newest_read: tuple[msgspec.Raw, tuple[Contact, ...]] = (NOTHING_SENT, ())


class Customer(msgspec.Struct, array_like=True, gc=False, tag=1):
    """Everything known of one customer. Times are milliseconds since the epoch; `now` never goes back.

    The messages sent (`contacts`) stand here as bytes: most events neither read them nor add one.
    """

    person: str = ""
    born: int = 0
    now: int = 0
    version: int = 0
    family: dict[str, Member] = {}
    window: dict[str, bytes] = {}
    wiped: dict[str, int] = {}
    rivals: dict[str, int] = {}
    persons: list[str] = []
    traits: dict[str, bytes] = {}
    consents: dict[str, tuple[int, bool, str]] = {}
    instances: list[Instance] = []
    ordinals: dict[str, tuple[int, int]] = {}
    packed_contacts: msgspec.Raw = NOTHING_SENT
    history: dict[str, Any] = {}
    threads: dict[str, Thread] = {}
    tasks: list[Task] = []
    timeline: bytes = ring.EMPTY
    waiting: list[Waiting] = []
    levels: dict[str, Any] = {}
    used: dict[str, int] = {}
    matching: dict[str, Any] = {}
    offers: dict[str, Offered] = {}
    pauses: dict[str, int] = {}
    refs: dict[str, int] = {}
    tokens: dict[str, str] = {}
    decisions: bytes = ring.EMPTY
    steps: bytes = ring.EMPTY
    erasing: dict[str, str] = {}

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """The messages sent, oldest first. To change one, set them all."""
        global _newest_read  # noqa: PLW0603 - a memo: the gates of one message read the same bytes again and again
        read = _newest_read
        if read[0] is not self.packed_contacts:
            read = _newest_read = (self.packed_contacts, _decode_contacts(self.packed_contacts))
        return read[1]

    @contacts.setter
    def contacts(self, contacts: Iterable[Contact]) -> None:
        global _newest_read  # noqa: PLW0603 - as above
        kept = tuple(contacts)
        self.packed_contacts = packed(kept)
        _newest_read = (self.packed_contacts, kept)

    def detach(self) -> None:
        """Let go of the bytes that this was read from: what stays packed is only a view of them until then."""
        self.packed_contacts = self.packed_contacts.copy()
        for instance in self.instances:
            instance.packed_entry = instance.packed_entry.copy()

    def change_contact(self, message: str, **fields: Any) -> None:
        """Change what is known of one message, by its id; nothing where it is none of these."""
        contacts = self.contacts
        if any(contact.id == message for contact in contacts):
            self.contacts = (
                msgspec.structs.replace(contact, **fields) if contact.id == message else contact for contact in contacts
            )


class FactRow(msgspec.Struct, array_like=True, gc=False, tag=2):
    """One row of a fact everyone shares, and when each field was last set (event time)."""

    row: dict[str, Any] = {}
    set_at: dict[str, int] = {}


class Reference(msgspec.Struct, array_like=True, gc=False, tag=3):
    """A thread, an order, a ticket ...: whose it is, and what waits until that is known (until, message).

    `forgotten_at`: its owner was erased; then (ms) it is gone, unless somebody else uses it meanwhile. `wiped`: when
    they were: what used it before that says nothing any more.
    """

    owner: str = ""
    waiting: list[tuple[int, bytes]] = []
    forgotten_at: int = 0
    wiped: int = 0


class PartitionState(msgspec.Struct, array_like=True, gc=False, tag=4):
    """The node `partition:N`: the ownership number of its newest writer and the release that it runs on.

    `visiting` says whom that release still has to be told to ("": nobody), after the key `visited`.
    """

    number: int = 0
    release: str = ""
    visiting: str = ""
    visited: bytes = b""


class Breaker(msgspec.Struct, array_like=True, gc=False, tag=5):
    """The node `scenario:NAME` of a scenario with `stop_when`: its messages by time, and since when it is stopped.

    `parts` are (beginning, sent, met), oldest first; `stopped_at` is 0 while it is open. Messages sent before
    `reopened_at` count no more. `marks` are hashes of the newest that were counted: after a crash some are told again.
    """

    parts: list[tuple[int, int, int]] = []
    stopped_at: int = 0
    reopened_at: int = 0
    marks: bytes = b""


class Receipt(msgspec.Struct, array_like=True, gc=False, tag=6):
    """The node `erasure:ID`: which nodes an erasure was to reach, and which have answered.

    Attributes:
        asked_at: record time (ms) at which the customer's root erased itself; 0 until it has told.
        nodes: mark of a node -> its namespace, and the record time of its answer (0: none yet). A mark stands for the
            node and says nothing of it to who does not hold the request's token.
    """

    asked_at: int = 0
    nodes: dict[str, tuple[str, int]] = {}


Body = Customer | FactRow | Reference | PartitionState | Breaker | Receipt


class Entry(msgspec.Struct, array_like=True, gc=False):
    """One outbox entry: the input record it came from, and what is to be sent, byte for byte."""

    source: str
    offset: int
    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Node(msgspec.Struct, array_like=True, gc=False):
    """A node: a root with its body (`to` is None), a settled forward, or a forward that still keeps its parcel.

    `applied` holds, for each input topic, the highest offset applied and not yet known to be committed.
    """

    to: str | None = None
    epoch: int = 0
    body: Body | None = None
    outbox: list[Entry] = []
    applied: dict[str, int] = {}
