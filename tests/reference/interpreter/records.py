"""What the interpreter keeps of its one customer: everything, in plain lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from orchestrator.language.spec.content import Content
    from orchestrator.language.spec.scenario import Scenario
    from orchestrator.language.spec.steps import Step


@dataclass
class Happened:
    """An accepted event: the customer's, or one that the engine made. Times in ms."""

    type: str
    channel: str
    id: str
    time: int
    received: int
    data: dict[str, Any]
    source: str = "shop"
    late: bool = False
    thread: str = ""

    @property
    def names(self) -> tuple[str, str]:
        return self.type, f"{self.channel}.{self.type}"

    @property
    def made(self) -> bool:
        """Told by the engine: no doing of the customer's, and on no timeline."""
        return self.channel == "engine"

    def is_one_of(self, names: tuple[str, ...]) -> bool:
        return any(name in names for name in self.names)


@dataclass(eq=False)
class Standing:
    """Where a track stands. `due` is None where only an event can move it.

    `messages` are those sent already, where it waits for what becomes of the newest; `left` is how often it may still
    go out on another channel, `visit` the visit of the step that sent the first.
    """

    step: Step
    since: int
    due: int | None = None
    touched_at: int = 0
    content: Content | None = None
    held_by: str = ""
    valid_until: int = 0
    zone: str = ""
    decided: int = 0
    messages: tuple[Message, ...] = ()
    left: int = 0
    visit: int = 1

    @property
    def tried(self) -> list[str]:
        return [message.channel for message in self.messages]


@dataclass(eq=False)
class Track:
    """A reader's finger in the story: for each list of steps it is inside of, the next step to do.

    One that is `beside` the story only waits for what becomes of a message.
    """

    root: tuple[Step, ...]
    frames: list[tuple[tuple[Step, ...], int]]
    parent: Track | None = None
    children_left: int = 0
    standing: Standing | None = None
    beside: bool = False


@dataclass(eq=False)
class Placement:
    """A content that a `show` has placed. `shown` is how often it was told that somebody saw it."""

    id: str
    step: Step
    content: str
    since: int
    until: int
    shown: int = 0


@dataclass(eq=False)
class Instance:
    """One run of a scenario."""

    scenario: Scenario
    key: str
    ordinal: int
    person: str
    entered_at: int
    entry: Happened
    item: Any
    names: dict[str, Happened]
    ends_at: int
    mode: str = "live"
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    vars: dict[str, Any] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    tracks: list[Track] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)
    watched_until: int = 0

    @property
    def name(self) -> str:
        return self.scenario.scenario


@dataclass
class Message:
    """A message that was sent."""

    at: int
    id: str
    content: str
    channel: str
    class_: str
    purpose: str
    topic: str
    scenario: str
    key: str
    step: str
    address: str
    about: tuple[str, ...]
    values: dict[str, Any]
    valid_until: int
    thread: str = ""
    sender: str = ""
    first: Message | None = None
    settled: str = ""
    replaced: bool = False
    met: bool = False


@dataclass(eq=False)
class Work:
    """An open task."""

    id: str
    queue: str
    key: str
    due: int
    instance: Instance
    step: Step
    values: dict[str, Any]
    opened_at: int
    thread: str = ""
    assignee: str = ""
    overdue: bool = False


@dataclass(frozen=True)
class Told:
    """One line of what happened."""

    at: int
    what: str
    scenario: str
    step: str = ""
    reason: str = ""
    detail: str = ""


@dataclass(eq=False)
class Candidate:
    """A send that was reached."""

    instance: Instance
    track: Track
    standing: Standing
    content: Content
    channel: str = ""
    address: str = ""
    topic: str = ""
    about: tuple[str, ...] = ()
    valid_until: int = 0
    score: float = 0.0


class Refusal(NamedTuple):
    """A message is suppressed, or held until a time (ms)."""

    reason: str
    held: bool = False
    until: int = 0
    next_channel: bool = False
