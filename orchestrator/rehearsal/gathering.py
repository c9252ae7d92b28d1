"""What happened in a rehearsal, as figures count it: events and what the engine told, of the persons of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.engine.brand import is_brands
from orchestrator.engine.context import Context
from orchestrator.engine.entries import stored_moment
from orchestrator.engine.maps import EventMap
from orchestrator.kpis.history import ENGINE, NOWHERE, History, Occurrence, Source
from orchestrator.kpis.measures import PLACED
from orchestrator.language.cel import CelError
from orchestrator.language.spec.scope import ENGINE_EVENTS
from orchestrator.model.effect import Action, TaskNotice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from orchestrator.model.customer import Customer
    from orchestrator.model.effect import Note
    from orchestrator.rehearsal.record import Came, Happening
    from orchestrator.rehearsal.world import World

_TASKS: Final = {"open": "task_opened", "closed": "task_closed", "overdue": "task_overdue"}

_OFFERS: Final = frozenset({"offer_shown", "offer_redeemed", "offer_refused", "offer_expired"})


class _Raw(NamedTuple):
    """What happened, at the node where its customer lived then.

    `about` is what an event says of the message that it is about, where that is no id that is known: its content.
    `outcome`: it tells what became of a message.
    """

    at: int
    node: str
    type: str
    channel: str
    event: Mapping[str, Any]
    source: Source
    about: str = ""
    outcome: bool = False


class Gathering:
    """Takes what is on record, bit by bit, so that the record can be forgotten.

    Args:
        told: name of a variant -> its content: traces say what was held back as people call it.
        since: what happened before (ms, event time) is not counted.
    """

    def __init__(self, told: Mapping[str, str], since: int = 0) -> None:
        self._contents = told
        self._since = since
        self._raw: list[_Raw] = []
        self._messages: dict[str, Source] = {}
        self._tasks: dict[str, str] = {}

    def take(self, happenings: Iterable[Happening], events: Iterable[Came]) -> None:
        """What came next."""
        for one in happenings:
            self._raw += self._told(one)
        self._raw += [self._come(came) for came in events if came.event.time >= self._since]

    def history(self, world: World) -> History:
        """All of it, of the persons whom the world knows now, and their segments."""
        people = {name: _segments(world, customer) for name, customer in world.customers() if not is_brands(name)}
        roots = {node: world.root(node)[0] for node in {raw.node for raw in self._raw}}
        threads = _Threads(roots)
        followed = [threads.follow(one) for one in sorted(self._raw, key=lambda one: one.at)]
        occurrences = (one for one in followed if one.at >= self._since)
        return History(occurrences, people, threads.strangers, world.facts.rows)

    def _come(self, came: Came) -> _Raw:
        event, plan = came.event, came.plan
        named = event.data.get("message", event.data.get("in_reply_to", event.data.get("placement")))
        source = self._messages.get(named, NOWHERE) if isinstance(named, str) else NOWHERE
        about = str(named or event.data.get("content", "")) if source is NOWHERE else ""
        seen = EventMap(event.data, event, plan.declared)
        return _Raw(event.time, came.node, event.type, event.channel, seen, source, about, plan.outcome)

    def _told(self, one: Happening) -> Iterator[_Raw]:
        if isinstance(one.effect, Action):
            yield self._sent(one, one.effect)
        elif isinstance(one.effect, TaskNotice):
            yield from self._task(one, one.effect)
        elif one.note is not None:
            yield from self._noted(one, one.note)

    def _sent(self, one: Happening, action: Action) -> _Raw:
        source = Source(action.scenario, action.key, action.content, action.channel, action.id)
        self._messages[action.id] = source
        return _engines(one, "contact_sent", source, content=action.content, channel=action.channel)

    def _noted(self, one: Happening, note: Note) -> Iterator[_Raw]:
        detail = note.detail or {}
        key = str(detail.get("key", ""))
        if note.what == "entered":
            source = Source(note.scenario, key, holdout=note.reason == "holdout")
            yield _engines(one, "entered", source, scenario=note.scenario)
        elif note.what == "ended":
            told = {"scenario": note.scenario, "outcome": detail.get("outcome", ""), "reason": note.reason}
            yield _engines(one, "exited", Source(note.scenario, key), **told)
        elif note.what == "placed":
            yield self._placed(one, note)
        elif note.what in _OFFERS:
            fields = {name: detail[name] for name in ENGINE_EVENTS[note.what]}
            yield _engines(one, note.what, Source(str(detail.get("by", ""))), **fields)
        elif note.what == "suppressed" and not is_brands(one.node):
            named, channel = str(detail.get("content", "")), str(detail.get("channel") or "")
            content = self._contents.get(named, named)
            source = Source(note.scenario, key, content, channel)
            told = {"content": content, "channel": channel or None, "reason": note.reason}
            yield _engines(one, "contact_suppressed", source, **told)

    def _placed(self, one: Happening, note: Note) -> _Raw:
        """What is placed in slots: clicks that name it are its scenario's."""
        told = note.detail
        source = Source(note.scenario, told["key"], told["content"])
        self._messages[told["placement"]] = source
        return _engines(one, PLACED, source, content=told["content"], slots=told["slots"])

    def _task(self, one: Happening, task: TaskNotice) -> Iterator[_Raw]:
        """What is only told again has happened once."""
        type_ = _TASKS.get(task.state)
        if type_ is not None and self._tasks.get(task.id) != task.state:
            source = Source(task.scenario, task.key)
            yield _engines(one, type_, source, queue=task.queue, key=task.key, thread=task.thread or None)
        self._tasks[task.id] = task.state


def _engines(one: Happening, type_: str, source: Source, **data: Any) -> _Raw:
    """An event that the engine tells; conditions see it as they do in scenarios."""
    envelope = stored_moment(type_, one.at, one.at)["meta"]
    event = EventMap(data, envelope, frozenset(ENGINE_EVENTS.get(type_, data)))
    return _Raw(one.at, one.node, type_, ENGINE, event, source)


class _Threads:
    """What belongs together for one person, followed in order of time.

    An end is one of those who are held out where its entry was. What names a content and no message is about the newest
    message of that content, as `of` in scenarios has it.

    Attributes:
        strangers: outcomes of messages that nobody here has decided.
    """

    def __init__(self, roots: Mapping[str, str]) -> None:
        self.strangers = 0
        self._roots = roots
        self._held_out: dict[tuple[str, str, str], bool] = {}
        self._newest: dict[tuple[str, str], Source] = {}

    def follow(self, one: _Raw) -> Occurrence:
        source, person = one.source, self._roots[one.node]
        place = (person, source.scenario, source.key)
        if one.type == "contact_sent":
            self._newest[person, source.content] = source
        elif one.type == "entered":
            self._held_out[place] = source.holdout
        elif one.type == "exited" and self._held_out.get(place):
            source = source._replace(holdout=True)
        elif one.about:
            source = self._newest.get((person, one.about), NOWHERE)
        if one.outcome and source is NOWHERE:
            self.strangers += 1
        return Occurrence(one.at, person, one.type, one.channel, one.event, source)


def _segments(world: World, customer: Customer) -> frozenset[str]:
    scope = Context(customer, world.program, world.facts, max(world.now, customer.now))
    found = frozenset(name for name in world.program.segments if _is_in(scope, name))
    scope.refresh()
    return found


def _is_in(scope: Context, segment: str) -> bool:
    try:
        return scope.in_segment(segment)
    except CelError:
        return False
