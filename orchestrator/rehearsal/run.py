"""One test on the production engine: its events arrive, time passes, its expectations are looked at in between."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from orchestrator.engine.local_time import zone
from orchestrator.engine.traits.states import pack
from orchestrator.rehearsal.cast import Cast
from orchestrator.rehearsal.checks import WITHIN, Scene, check
from orchestrator.rehearsal.lots import Lots
from orchestrator.rehearsal.nearest import instead
from orchestrator.rehearsal.problem import Problem
from orchestrator.rehearsal.refusals import WATCHED, Watch, judge_exactly, judge_never
from orchestrator.rehearsal.seeding import begin_pauses, seeded
from orchestrator.rehearsal.values import Bindings
from orchestrator.rehearsal.wording import told
from orchestrator.rehearsal.world import World
from orchestrator.stream.lane.intake import CHANNEL
from orchestrator.stream.lane.ticks import ON_ITS_WAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.story import Expectation, Story, StoryEvent
    from orchestrator.rehearsal.stage import Stage

SOURCE: Final = "test"
_json = msgspec.json.Encoder().encode


class Failure(NamedTuple):
    """One thing that a test expected and that did not come.

    Attributes:
        at: its place in the test's file.
        message: what was expected.
        found: what was there instead, "" where nothing can be said.
        time: when, ms; 0 where it has no time.
        customer: whose, "" for anybody.
    """

    at: Position
    message: str
    found: str = ""
    time: int = 0
    customer: str = ""


class Arrival(NamedTuple):
    """An event of the test and when it arrives, ms."""

    at: int
    event: StoryEvent
    id: str


class Run:
    """One run of a test.

    Args:
        story: the test.
        stage: the bundle and its programs.
        language: the language of customers who have none of their own; None for the bundle's.
        explain: record also what did not happen.
        arrivals: the events in another order (then expectations are not looked at); None for the test's own.
        names: what `$NAME` stands for already.

    Attributes:
        begun: index into the record from where on expectations look.
        told: name of a variant -> its content.
        failures: what did not come.
    """

    def __init__(
        self,
        story: Story,
        stage: Stage,
        language: str | None = None,
        *,
        explain: bool = False,
        names: Mapping[str, Any] | None = None,
    ) -> None:
        self.story = story
        self.stage = stage
        self.told = stage.told
        self.start = start_of(story, stage.bundle.settings.zone)
        self.begun = 0
        self.failures: list[Failure] = []
        self._unexplained: list[tuple[int, Scene, Expectation]] = []
        self.bindings = Bindings(names)
        program = stage.program(story.only)
        self.lots = Lots(program)
        history = [event.at_ for event in story.history]
        self.seeded_at = self.start + min([0, *history]) - 1
        self.world = World(program, self.seeded_at, facts=_rows(story), explain=explain, about=self.lots.about)
        if any(expected.kind == "kpi" for expected in (*story.expect, *story.never)):
            self.world.record.events = []
        self.cast = Cast(story, program)
        self._language = language

    def _people(self) -> None:
        self.cast.learn()
        for name, customer in self.story.customers.items():
            if customer.account is not None:
                raise Problem(customer.place("account"), "`account` cannot be played: this release has no accounts")
            nodes = seeded(customer, self.stage.bundle, self.world.program, self.seeded_at, self.start)
            _speak(nodes, self._language, customer.language)
            if self.story.zone is not None and customer.zone is None:
                _live_in(nodes, self.story.zone, customer.profile)
            self.lots.want(name, customer, self.cast.of(name))
            begin_pauses(self.world, nodes)
            for node, record in nodes.items():
                self.world.place(node, record)

    # Events.

    def arrivals(self) -> list[Arrival]:
        """The test's events in the order of their arrival."""
        found = [
            Arrival(self.start + event.at_, event, event.id or f"event-{number}")
            for number, event in enumerate(self.story.events, 1)
        ]
        return sorted(found, key=lambda one: one.at)

    def begin(self) -> None:
        """What was before the test.

        Raises:
            Problem: a customer or the history is not what it can be.
        """
        self._people()
        self.world.program.draw = self.lots.draw
        past = sorted(enumerate(self.story.history, 1), key=lambda one: one[1].at_)
        for number, event in past:
            if event.at_ >= 0:
                raise Problem(event.place("at"), "history lies before the start: write a negative `at`, such as -7d")
            self.arrive(Arrival(self.start + event.at_, event, event.id or f"history-{number}"))
        self.world.advance(self.start - 1)
        self.begun = len(self.world.record.happenings)
        if any(expected.kind in WATCHED for expected in self.story.never):
            self.world.after = Watch(self).look

    def arrive(self, arrival: Arrival) -> None:
        """Let an event arrive, as often as it says."""
        event = arrival.event
        happened = self.start + (event.at_ if event.happened is None else event.happened)
        data = {
            **self.bindings.fill(self.cast.ids(event), event.place("ids")),
            **self.bindings.fill(event.with_, event.place("with")),
        }
        type_ = event.on.removeprefix(f"{event.channel}.")  # `email.opened` is the type `opened` on `email`
        for _ in range(event.copies):
            self._send(event.channel, type_, arrival.id, happened, arrival.at, data)

    def _send(self, channel: str, type_: str, id_: str, happened: int, at: int, data: dict[str, Any]) -> None:
        world = self.world
        record = {
            "specversion": "1.0", "id": id_, "source": SOURCE, "type": type_, "time": _utc(happened),
            "channel": channel, "tenant": world.program.tenant, "data": data,
        }  # fmt: skip
        world.arrive(CHANNEL + channel, world.key_of(data), _json(record), max(at, world.now))

    def event_of_ask(self, expected: Expectation, nodes: list[str]) -> None:
        """The event that made an ask is applied first."""
        given = self.bindings.fill(expected.event, expected.place("event"))
        channel = str(given.get("channel", expected.ask.get("channel", "")))
        if "on" not in given or not channel:
            message = "`event` needs `on`, and the channel: {on: page_viewed, channel: web, with: {}}"
            raise Problem(expected.place("event"), message)
        ids = {namespace: value for namespace, _, value in (node.partition(":") for node in nodes)}
        at = self.start + (expected.at_ or 0)
        name = f"ask-{expected.at.line}-{expected.at.column}"
        self._send(channel, str(given["on"]), name, at, self.world.now, {**ids, **given.get("with", {})})

    # The whole test.

    @property
    def end(self) -> int:
        """Until when the clock runs, ms."""
        if self.story.until is not None:
            return self.start + self.story.until
        expected = (*self.story.expect, *self.story.exactly, *self.story.never)
        times = [event.at_ for event in self.story.events]
        times += [one for e in expected for one in (e.at_, e.before, e.after) if one is not None]
        return self.start + max(times, default=0)

    def play(self) -> list[Failure]:
        """Run the test; gives what did not come, in the order of the file."""
        try:
            self.begin()
            self._through()
            self.world.advance(self.end + ON_ITS_WAY)
            self._explain()
            judge_never(self)
            judge_exactly(self)
        except Problem as problem:
            self.fail(problem.at, problem.message)
        return sorted(self.failures, key=lambda failure: failure.at)

    def fail(self, at: Position, message: str, found: str = "", time: int = 0, customer: str = "") -> None:
        """Note a failure."""
        self.failures.append(Failure(at, message, found, time, customer))

    def _through(self) -> None:
        open_: set[int] = set()
        for at, _, number, item in self._plan(open_):
            if isinstance(item, Arrival):
                self.arrive(item)
                continue
            self.world.advance(at)
            if number in open_ and self._judge(item, last=at >= self.start + item.at_ + WITHIN or at >= self.end):
                open_.discard(number)

    def _plan(self, open_: set[int]) -> Iterator[tuple[int, int, int, Any]]:
        """What is to be done at which time: events, and for each expectation a first look and a last."""
        arrivals = self.arrivals()
        times = [arrival.at for arrival in arrivals]
        todo: list[tuple[int, int, int, Any]] = [(one.at, 1, number, one) for number, one in enumerate(arrivals)]
        for number, expected in enumerate(self.story.expect):
            if expected.at_ is None:
                raise Problem(expected.at, "say when: `at: 1h30m`, counted from `start`")
            open_.add(number)
            at = self.start + expected.at_
            following = min((time for time in times if time > at), default=at + WITHIN)
            todo.append((min(at + ON_ITS_WAY, following - 1), 2, number, expected))
            todo.append((min(at + WITHIN, max(self.end, at) + ON_ITS_WAY), 0, number, expected))
        return iter(sorted(todo, key=lambda one: one[:3]))

    def _judge(self, expected: Expectation, last: bool) -> bool:
        """Look at an expectation; True where that settles it."""
        at = self.start + (expected.at_ or 0)
        scene = Scene(self, at, at - WITHIN, at + WITHIN, self.bindings)
        if check(scene, expected):
            return True
        if not last and expected.kind != "slot":
            return False
        if not scene.found:
            self._unexplained.append((len(self.failures), scene, expected))
        self.fail(expected.at, told(expected), scene.found, at, expected.customer or "")
        return True

    def _explain(self) -> None:
        """Say what came instead, which may have come later."""
        for place, scene, expected in self._unexplained:
            self.failures[place] = self.failures[place]._replace(found=instead(scene, expected))


def start_of(story: Story, bundle_zone: str) -> int:
    """When a test begins, ms: written without an offset, it is the clock of the test's zone."""
    if not story.start.local:
        return story.start.ms
    wall = datetime.fromtimestamp(story.start.ms / 1000, UTC).replace(tzinfo=zone(story.zone or bundle_zone))
    return round(wall.timestamp() * 1000)


def _rows(story: Story) -> dict[str, dict[str, dict[str, Any]]]:
    return {fact: {key: dict(row) for key, row in rows.items()} for fact, rows in story.facts.items()}


def _speak(nodes: Mapping[str, Any], language: str | None, own: str | None) -> None:
    if language is not None and own is None:
        _set(nodes, "language", language)


def _live_in(nodes: Mapping[str, Any], where: str, profile: Mapping[str, Any]) -> None:
    if "zone" not in profile:
        _set(nodes, "zone", where)


def _set(nodes: Mapping[str, Any], trait: str, value: str) -> None:
    for node in nodes.values():
        if node.body is not None:
            node.body.traits[trait] = pack([0, node.body.born, "at the start", value])


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
