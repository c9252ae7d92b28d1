"""Section 7.2: turns become threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError, Timestamp
from tests.reference.interpreter.conditions import Scope, holds

if TYPE_CHECKING:
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.moment import Moment
    from tests.reference.interpreter.records import Happened


@dataclass
class Turn:
    """Something that was said. Times in ms."""

    at: int
    by: str
    channel: str
    text: str
    about: str
    id: str
    agent: str


@dataclass
class Thread:
    """All turns in the order in which they came, and whether it was closed since."""

    id: str
    turns: list[Turn] = field(default_factory=list)
    open: bool = True

    @property
    def last_at(self) -> int:
        return max((turn.at for turn in self.turns), default=0)

    def shown(self, keep: int) -> dict[str, Any]:
        """As conditions see it: the newest turns are kept, the others are counted."""
        recent = sorted(self.turns, key=lambda turn: (turn.at, turn.id))[-keep:]
        return {
            "id": self.id, "turns": len(self.turns), "asked": self._asked(recent), "open": self.open,
            "channels": list(dict.fromkeys(turn.channel for turn in self.turns)),
            "about": self.newest("about"), "agent": self.newest("agent"),
            "last": _shown(recent[-1]) if recent else {}, "recent": [_shown(turn) for turn in recent],
        }  # fmt: skip

    def newest(self, name: str) -> str:
        """What the last turn that says something of it has said."""
        return next((str(said) for turn in reversed(self.turns) if (said := getattr(turn, name))), "")

    def _asked(self, recent: list[Turn]) -> int:
        """Customer turns since somebody answered; a thread that is closed asks nothing."""
        answered = [place for place, turn in enumerate(recent) if turn.by != "customer"]
        return len(recent) - 1 - max(answered, default=-1) if self.open else 0


def _shown(turn: Turn) -> dict[str, Any]:
    return {**vars(turn), "at": Timestamp.of_ms(turn.at)}


def shown(customer: Customer) -> dict[str, Any]:
    """`profile.threads`."""
    conversation = customer.bundle.conversation
    keep = 0 if conversation is None else conversation.keep
    return {name: thread.shown(keep) for name, thread in customer.threads.items()}


def find_thread(moment: Moment, event: Happened) -> None:
    """The first expression that gives a thread; else the newest that is open; else a new one, named by the event."""
    conversation = moment.bundle.conversation
    if conversation is None:
        return
    turns = any(event.is_one_of(turn.on) for turn in conversation.turns)
    if turns or any(event.is_one_of(closing.on) for closing in conversation.closed_on):
        event.thread = _named(moment, event) or _newest_open(moment, event) or (event.id if turns else "")
    else:
        event.thread = str(event.data.get("thread") or "")


def _named(moment: Moment, event: Happened) -> str:
    conversation = moment.bundle.conversation
    for expression in conversation.thread if conversation is not None else ():
        try:
            name = expression.evaluate(Scope(moment.customer, event))
        except CelError:
            continue
        if name:
            return str(name)
    return ""


def _newest_open(moment: Moment, event: Happened) -> str:
    """An open thread takes turns without a name for so long after its last turn."""
    conversation = moment.bundle.conversation
    open_for = 0 if conversation is None else conversation.open_for
    fitting = [one for one in moment.customer.threads.values() if one.open and event.time < one.last_at + open_for]
    return max(fitting, key=lambda one: (one.last_at, one.id)).id if fitting else ""


def add_turn(moment: Moment, event: Happened) -> None:
    """What was said is remembered, by the first line that fits; a thread is closed until somebody speaks again."""
    conversation, threads = moment.bundle.conversation, moment.customer.threads
    if conversation is None:
        return
    scope = Scope(moment.customer, event)
    for turn in conversation.turns:
        if event.is_one_of(turn.on) and holds(turn.where, scope):
            thread = threads.setdefault(event.thread, Thread(event.thread))
            text, about, agent = _known(turn.text, scope), _known(turn.about, scope), event.data.get("agent") or ""
            thread.turns.append(Turn(event.time, turn.by, event.channel, text, about, event.id, str(agent)))
            thread.open = True
            break
    for closing in conversation.closed_on:
        if event.is_one_of(closing.on) and event.thread in threads and holds(closing.where, scope):
            threads[event.thread].open = False


def _known(value: Any, scope: Scope) -> str:
    """What is unknown is not said."""
    try:
        return str((value.evaluate(scope) if value is not None else None) or "")
    except CelError:
        return ""


def join(one: Customer, other: Customer) -> None:
    """Both halves spoke in it: the turns of both, each once; it is open if the half that spoke last has it open."""
    for name, theirs in other.threads.items():
        mine = one.threads.get(name)
        if mine is None:
            one.threads[name] = theirs
            continue
        old, new = sorted((mine, theirs), key=lambda thread: (thread.last_at, len(thread.turns)))
        known = {turn.id for turn in old.turns}
        turns = [*old.turns, *(turn for turn in new.turns if turn.id not in known)]
        one.threads[name] = Thread(name, turns, new.open)
