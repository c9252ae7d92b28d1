"""What one step of the engine wants the world to do: values, which the lane makes durable and then sends."""

from typing import Any, Final

import msgspec

from orchestrator.model.message import Message


class Action(msgspec.Struct, gc=False, omit_defaults=True):
    """A message to a customer: all that delivery needs to send it. Times are milliseconds since the epoch.

    On the wire, fields with their default are left out: an action stands in its customer's record until it is sent.
    """

    id: str
    person: str
    tenant: str
    node: str
    channel: str
    address: str
    content: str
    release: str
    class_: str = msgspec.field(name="class")
    values: dict[str, Any] = {}
    valid_until: int = 0
    at: int = 0
    received: int = 0
    scenario: str = ""
    key: str = ""
    ordinal: int = 1
    step: str = ""
    language: str = ""
    zone: str = ""
    thread: str = ""
    sender: str = ""
    topic: str = ""
    about: tuple[str, ...] = ()
    offer: str = ""
    kind: str = "send"


class Publication(msgspec.Struct, gc=False):
    """What is told to everybody on one public channel: a post, a screen. Times are milliseconds since the epoch.

    `person` is the id of the brand's record that tells it.
    """

    id: str
    person: str
    tenant: str
    node: str
    channel: str
    content: str
    release: str
    values: dict[str, Any] = {}
    valid_until: int = 0
    at: int = 0
    received: int = 0
    scenario: str = ""
    key: str = ""
    ordinal: int = 1
    step: str = ""
    language: str = ""
    zone: str = ""
    topic: str = ""
    about: tuple[str, ...] = ()
    kind: str = "publish"


class Withdrawal(msgspec.Struct, gc=False):
    """A message that was decided and is not to be sent any more, if it has not left yet."""

    id: str
    person: str
    tenant: str
    node: str
    reason: str
    at: int
    kind: str = "withdraw"


class TaskNotice(msgspec.Struct, gc=False):
    """A task as people's tools see it; of an id the record with the highest `revision` holds.

    A worker that has lost its partition, or comes back after a crash, may send an earlier one once more.
    """

    id: str
    state: str
    revision: int
    queue: str
    key: str
    person: str
    tenant: str
    node: str
    opened_at: int
    due: int
    scenario: str
    step: str
    assignee: str = ""
    thread: str = ""
    with_: dict[str, Any] = msgspec.field(default_factory=dict, name="with")
    conversation: dict[str, Any] = {}


class Emitted(msgspec.Struct, gc=False):
    """An event for other systems."""

    id: str
    type: str
    time: int
    tenant: str
    node: str
    person: str
    data: dict[str, Any]


class Row(msgspec.Struct, gc=False):
    """A fact's row for everyone; `row` None takes it away. `at` is when that happened (ms): an older one is none."""

    tenant: str
    fact: str
    key: str
    row: dict[str, Any] | None
    at: int


class ErasureReceipt(msgspec.Struct, gc=False):
    """Which nodes an erasure has reached; the newest record of an id holds. It names nobody.

    `nodes` are mark, namespace and when it was reached (ms, 0: not yet).
    """

    id: str
    tenant: str
    state: str
    asked_at: int
    at: int
    reached: int
    expected: int
    nodes: list[tuple[str, str, int]]


class Tell(msgspec.Struct, gc=False):
    """A message for another node."""

    node: str
    message: Message


Effect = Action | Publication | Withdrawal | TaskNotice | Emitted | Row | ErasureReceipt | Tell

ACTIONS: Final = "actions"
TASKS: Final = "tasks"
PUBLISH: Final = "publish"
UNDONE: Final = frozenset({"open", "overdue"})
"""States of a task that somebody still has to do."""
EMITTED: Final = "emitted"
FACTS: Final = "facts"
ERASURES: Final = "erasures"
INPUTS: Final = "customer.inputs"


class Note(msgspec.Struct, frozen=True, gc=False):
    """One line of a trace: what happened (or did not) at which place of the bundle, and with which values.

    `what` is a word of a fixed list ("sent", "suppressed", "held", "entered", "ended", "step", "not_entered",
    "unknown", "error", "dropped" ...), `detail` the values that explain it, and never leaves explain and tests.
    """

    what: str
    scenario: str = ""
    step: str = ""
    reason: str = ""
    detail: Any = None
