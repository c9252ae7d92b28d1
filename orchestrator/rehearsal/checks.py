"""Whether what a test expects has come: one function a word of the language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.slots import called, is_something
from orchestrator.model.effect import Action, Emitted, Publication, TaskNotice
from orchestrator.rehearsal.asking import ask, context, moment_of
from orchestrator.rehearsal.expected_figures import is_counted
from orchestrator.rehearsal.problem import Problem
from orchestrator.rehearsal.seeding import nodes_of
from orchestrator.rehearsal.values import MISSING, Bindings, at_path
from orchestrator.rehearsal.wording import SHOWN, length

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from orchestrator.language.spec.story import Expectation
    from orchestrator.model.customer import Customer, Instance
    from orchestrator.rehearsal.record import Happening
    from orchestrator.rehearsal.run import Run

WITHIN: Final = 2_000
"""An expectation holds within so many ms of its time."""


class Scene:
    """One look at a run: at which time, from when until when something may have happened, what `$NAME` stands for.

    Attributes:
        found: what was there instead, for the message of a failure.
        dry: only looking: an answer of a slot is not put on record.
    """

    def __init__(self, run: Run, at: int, since: int, until: int, bindings: Bindings, *, dry: bool = False) -> None:
        self.dry = dry
        self.run = run
        self.at = at
        self.since = since
        self.until = until
        self.bindings = bindings
        self.found = ""

    def happenings(self, expected: Expectation) -> Iterator[Happening]:
        """What happened in this time to the customer named, newest last."""
        whose = self.run.cast.family(self.run.world, expected.customer) if expected.customer is not None else None
        for one in self.run.world.record.happenings[self.run.begun :]:
            if self.since <= one.at <= self.until and (whose is None or one.node in whose):
                yield one

    def is_(self, expected: Any, actual: Any) -> bool:
        """Whether a field is as expected; one that is not given is."""
        return expected is None or self.bindings.matches(expected, actual)


def check(scene: Scene, expected: Expectation) -> bool:
    """Whether an expectation holds; binds its names where it does.

    Raises:
        Problem: it cannot be judged at all.
    """
    return _CHECKS[expected.kind](scene, expected)


def _trying(scene: Scene, expected: Expectation, fits: Callable[[Bindings, Happening], bool]) -> bool:
    return _first(scene, scene.happenings(expected), fits)


def _first(scene: Scene, among: Iterable[Happening], fits: Callable[[Bindings, Happening], bool]) -> bool:
    """Whether one of these fits; the first that does binds the names."""
    for one in among:
        trial = scene.bindings.trial()
        if fits(trial, one):
            scene.bindings.known = trial.known
            return True
    return False


def _content(scene: Scene, name: str, told: str) -> bool:
    """Whether a content is meant by its own name, or by the name of one of its variants."""
    return name == told or name == scene.run.told.get(told) or told == scene.run.told.get(name)


def _sent(scene: Scene, expected: Expectation) -> bool:
    return _trying(scene, expected, lambda names, one: fits_send(scene, names, expected, one))


def fits_send(scene: Scene, names: Bindings, expected: Expectation, one: Happening) -> bool:
    """Whether a message that was sent is the one expected."""
    action = one.effect
    if not isinstance(action, Action) or not _is_content(scene, expected.sent or "", action):
        return False
    return (
        expected.channel in {None, action.channel}
        and (expected.to is None or names.matches(expected.to, action.address))
        and (expected.offer is None or expected.offer == action.offer)
        and (expected.key is None or names.matches(expected.key, action.key))
        and names.matches(expected.with_, action.values)
    )


def _published(scene: Scene, expected: Expectation) -> bool:
    def fits(names: Bindings, one: Happening) -> bool:
        told = one.effect
        if not isinstance(told, Publication) or not _is_content(scene, expected.published or "", told):
            return False
        return expected.channel in {None, told.channel} and names.matches(expected.with_, told.values)

    return _trying(scene, expected, fits)


def _is_content(scene: Scene, name: str, action: Action | Publication) -> bool:
    if name == action.content:
        return True
    content = scene.run.world.program.contents.get(action.content)
    variant = content.variants.get(action.channel) if content is not None else None
    return variant is not None and variant.name == name


def _refused(word: str) -> Callable[[Scene, Expectation], bool]:
    def fits(scene: Scene, names: Bindings, expected: Expectation, one: Happening) -> bool:
        note = one.note
        if note is None or note.what != word:
            return False
        told = note.detail["content"]
        return (
            _content(scene, getattr(expected, word), told)
            and (expected.channel is None or expected.channel == note.detail.get("channel"))
            and (expected.reason is None or names.matches(expected.reason, note.reason))
        )

    def judge(scene: Scene, expected: Expectation) -> bool:
        return _trying(scene, expected, lambda names, one: fits(scene, names, expected, one))

    return judge


def _held(scene: Scene, expected: Expectation) -> bool:
    """Held in this moment, or still held from an earlier one."""
    return _refused("held")(scene, expected) or any(
        _holds(scene, expected, standing.data)
        for instance in _instances(scene, expected)
        for standing in instance.standing
        if isinstance(standing.data, dict) and "held" in standing.data
    )


def _holds(scene: Scene, expected: Expectation, data: dict[str, Any]) -> bool:
    return _content(scene, expected.held or "", data["content"]) and scene.is_(expected.reason, data["held"])


def _silence(scene: Scene, expected: Expectation) -> bool:
    """Nothing sent by then since the start."""
    scene.since, scene.until = scene.run.start, scene.at
    sent = [one for one in scene.happenings(expected) if isinstance(one.effect, Action)]
    if expected.silence:
        scene.found = "; ".join(_mail(one.effect, one.at - scene.run.start) for one in sent[:SHOWN])
    return not sent if expected.silence else bool(sent)


def _mail(effect: object, after: int) -> str:
    assert isinstance(effect, Action)  # noqa: S101 - those were asked for
    return f"{effect.content} was sent by {effect.channel} to {effect.address} at {length(after)}"


def _task(scene: Scene, expected: Expectation) -> bool:
    if expected.state is None:
        return _trying(scene, expected, lambda names, one: _is_task(scene, names, expected, one.effect))
    since, scene.since = scene.since, scene.run.start
    newest: dict[str, Happening] = {}
    for one in scene.happenings(expected):
        if isinstance(one.effect, TaskNotice) and (one.at >= since or one.effect.state == expected.state):
            newest[one.effect.id] = one
    return _first(scene, newest.values(), lambda names, one: _is_task(scene, names, expected, one.effect))


def _is_task(scene: Scene, names: Bindings, expected: Expectation, task: Any) -> bool:
    if not isinstance(task, TaskNotice) or task.queue != expected.task:
        return False
    due = task.due - scene.run.start if task.due else None
    return (
        (expected.key is None or names.matches(expected.key, task.key))
        and (expected.due is None or (due is not None and abs(expected.due - due) <= WITHIN))
        and expected.state in {None, task.state}
        and names.matches(expected.with_, task.with_)
    )


def _emitted(scene: Scene, expected: Expectation) -> bool:
    def fits(names: Bindings, one: Happening) -> bool:
        event = one.effect
        if not isinstance(event, Emitted) or event.type != expected.emitted:
            return False
        return names.matches(expected.with_, event.data)

    return _trying(scene, expected, fits)


def _entered(scene: Scene, expected: Expectation) -> bool:
    def fits(names: Bindings, one: Happening) -> bool:
        note = one.note
        if note is None or note.what != "entered" or note.scenario != expected.entered:
            return False
        return expected.key is None or names.matches(expected.key, note.detail["key"])

    return _trying(scene, expected, fits)


def _ended(scene: Scene, expected: Expectation) -> bool:
    def fits(names: Bindings, one: Happening) -> bool:
        note = one.note
        if note is None or note.what != "ended" or note.scenario != expected.ended:
            return False
        return (
            (expected.key is None or names.matches(expected.key, note.detail["key"]))
            and expected.outcome in {None, note.detail["outcome"]}
            and (expected.reason is None or names.matches(expected.reason, note.reason))
        )

    return _trying(scene, expected, fits)


def _instances(scene: Scene, expected: Expectation) -> Iterator[Instance]:
    for customer in _customers(scene, expected):
        yield from customer.instances


def _customers(scene: Scene, expected: Expectation) -> Iterator[Customer]:
    """The customer named, or everyone."""
    world, cast = scene.run.world, scene.run.cast
    if expected.customer is None:
        yield from (customer for _, customer in world.customers())
        return
    roots = {root: customer for root, customer in map(world.root, cast.of(expected.customer)) if customer is not None}
    yield from roots.values()


def _standing(scene: Scene, expected: Expectation) -> bool:
    live = [one for one in _instances(scene, expected) if one.scenario == expected.standing and one.mode != "rest"]
    for instance in live:
        places = {standing.step for standing in instance.standing if not standing.is_placement}
        if (expected.step is None or expected.step in places) and scene.is_(expected.key, instance.key):
            return True
    scene.found = "; ".join(_place(instance) for instance in live)
    return False


def _place(instance: Instance) -> str:
    steps = ", ".join(standing.step for standing in instance.standing if not standing.is_placement) or "no step"
    return f"{instance.scenario}{f' ({instance.key})' if instance.key else ''} stands at {steps}"


def _profile(scene: Scene, expected: Expectation) -> bool:
    profile = moment_of(scene.run.world, _root(scene, expected)).scope.profile
    return _all(scene, expected.profile, lambda path: at_path(profile, path))


def _context(scene: Scene, expected: Expectation) -> bool:
    """Paths into what channels are told; a trait may be named without `profile` before it."""
    known = context(scene.run.world, _root(scene, expected))

    def look(path: str) -> Any:
        found = at_path(known, path)
        return at_path(known["profile"], path) if found is MISSING else found

    return _all(scene, expected.context, look)


def _root(scene: Scene, expected: Expectation) -> str:
    if expected.customer is None:
        raise Problem(expected.at, "say whose: `customer: NAME`")
    return scene.run.cast.customer(scene.run.world, expected.customer, expected.at)[0]


def _all(scene: Scene, wanted: Mapping[str, Any], look: Callable[[str], Any]) -> bool:
    wrong = []
    for path, value in wanted.items():
        actual = look(path)
        if not scene.bindings.matches(value, actual):
            wrong.append(f"{path} is {'not there' if actual is MISSING else repr(actual)}, not {value!r}")
    scene.found = "; ".join(wrong)
    return not wrong


def _slot(scene: Scene, expected: Expectation) -> bool:
    run = scene.run
    if expected.customer is not None:
        nodes = run.cast.of(expected.customer)
    else:
        nodes = nodes_of(scene.bindings.fill(expected.ids, expected.place("ids")), run.world.program, expected.at)
    if expected.event and not scene.dry:
        run.event_of_ask(expected, nodes)
    given = scene.bindings.fill(expected.ask, expected.place("ask"))
    answer = ask(run.world, expected.slot or "", nodes, given, on_record=not scene.dry)
    return _answers(scene, expected, answer)


def _answers(scene: Scene, expected: Expectation, answer: dict[str, Any]) -> bool:
    said = answer.get("reason", "")
    scene.found = f"it gives {_shown(answer)}" + (f" ({said})" if said else "")
    if "gives" in expected.places and not _gives(expected.gives, answer):
        return False
    if expected.offer is not None and expected.offer != answer.get("offer"):
        return False
    wrong = [
        f"{name} is {answer['values'].get(name)!r}"
        for name, value in expected.values.items()
        if not scene.bindings.matches(value, at_path(answer["values"], name))
    ]
    if wrong:
        scene.found += "; " + ", ".join(wrong)
    return not wrong and expected.reason in {None, said}


def _gives(expected: Any, answer: dict[str, Any]) -> bool:
    if isinstance(expected, list):
        items = answer.get("items", [answer] if is_something(answer) else [])
        return len(items) == len(expected) and all(_gives(one, item) for one, item in zip(expected, items, strict=True))
    if expected in (None, "", "none"):
        return not is_something(answer)
    return expected in {answer["content"], answer.get("name"), answer.get("offer")}


def _shown(answer: dict[str, Any]) -> str:
    if "items" in answer:
        return "[" + ", ".join(called(item) for item in answer["items"]) + "]"
    return called(answer) or "nothing"


def _rejected(scene: Scene, expected: Expectation) -> bool:
    refused = [one for one in scene.run.world.record.refusals if one.event == expected.rejected]
    scene.found = "; ".join(f"it was rejected, {one.reason}" for one in refused)
    return any(scene.since <= one.at <= scene.until and scene.is_(expected.reason, one.reason) for one in refused)


_CHECKS: Final[dict[str, Callable[[Scene, Expectation], bool]]] = {
    "sent": _sent,
    "held": _held,
    "suppressed": _refused("suppressed"),
    "silence": _silence,
    "slot": _slot,
    "profile": _profile,
    "context": _context,
    "task": _task,
    "emitted": _emitted,
    "published": _published,
    "kpi": is_counted,
    "entered": _entered,
    "ended": _ended,
    "standing": _standing,
    "rejected": _rejected,
}
