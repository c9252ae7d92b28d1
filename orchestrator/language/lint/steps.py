"""E-STEP: ids given twice, steps named too early, loops without limit, steps nothing reaches, endless waits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.lint.flow import Flow, flow_of, longest_wait
from orchestrator.language.lint.words import duration
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.inside import place_inside
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.spec import steps as kinds
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.scenario import Scenario
    from orchestrator.language.spec.steps import Step

_OWN_BRANCHES: Final = frozenset({"then", "on_timeout"})
_OF_TASKS: Final = frozenset({"task_opened", "task_accepted", "task_closed", "task_overdue"})
_TELLING: Final = frozenset({"send", "task", "show"})


def steps(context: Context) -> Iterator[Diagnostic]:
    """Look at the steps of every scenario."""
    for draft in context.drafts.of("scenario"):
        duplicates = list(_duplicates(draft.element))
        yield from duplicates
        if draft.sound:
            flow = flow_of(draft.element.steps)
            yield from _references(draft.element, flow)
            yield from _loops(draft.element, flow)
            if not duplicates:  # of two steps with one id, the way knows the first only
                yield from _unreached(draft.element, flow)
                yield from _too_long(draft.element, flow)
            yield from _names_of_branches(draft.element)
    yield from _outputs(context)


def _error(message: str, at: Position, text: str, hint: str | None = None) -> Diagnostic:
    return diagnostic("E-STEP", message, at, length=len(text), hint=hint)


def _duplicates(scenario: Scenario) -> Iterator[Diagnostic]:
    seen: dict[str, Position] = {}
    for step in all_steps(scenario.steps):
        if step.id and step.id in seen:
            message = f"the step id `{step.id}` stands here twice"
            hint = "ids are unique in the scenario, also across branches"
            yield diagnostic("E-STEP", message, step.id_at, length=len(step.id), hint=hint, other=seen[step.id])
        seen.setdefault(step.id, step.id_at)


def _references(scenario: Scenario, flow: Flow) -> Iterator[Diagnostic]:
    """`of` names a step before that sends, shows or opens a task."""
    for step in all_steps(scenario.steps):
        body = step.body
        if not isinstance(body, kinds.WaitUntil):
            continue
        waits: list[kinds.WaitUntil | kinds.Awaited] = [body, *body.any]
        for wait in waits:
            if wait.of is not None:
                yield from _of(wait.of, wait.on, wait.place("of"), step, flow)


def _of(name: str, events: tuple[str, ...], at: Position, step: Step, flow: Flow) -> Iterator[Diagnostic]:
    if name not in flow.steps:
        yield _error(f"no step `{name}` is in this scenario", at, name, did_you_mean(name, flow.steps))
    elif step.id not in flow.reached_from(name):
        yield _error(f"the step `{name}` is not before `{step.id}`", at, name, "`of` names a step that ran before")
    elif flow.steps[name].kind not in _TELLING:
        hint = "`of` names a `send`, a `task` or a `show`"
        yield _error(f"no event is about the step `{name}`: it is a `{flow.steps[name].kind}`", at, name, hint)
    elif events and _OF_TASKS.issuperset(events) and flow.steps[name].kind != "task":
        message = f"`{events[0]}` is about a task, and `{name}` is a `{flow.steps[name].kind}`: it never comes"
        yield _error(message, at, name, "`of` names the step that opened the task")


def _loops(scenario: Scenario, flow: Flow) -> Iterator[Diagnostic]:
    for step in all_steps(scenario.steps):
        body = step.body
        if not isinstance(body, kinds.GoTo):
            continue
        at, name = body.place("step"), body.step
        if name not in flow.steps:
            yield _error(f"no step `{name}` is in this scenario", at, name, did_you_mean(name, flow.steps))
            continue
        if flow.tracks[name] != flow.tracks[step.id]:
            yield _error(
                f"`go_to` leads out of or into a parallel branch: `{name}`", at, name, "stay inside the branch"
            )
            continue
        backward = step.id in flow.reached_from(name) or name == step.id
        if backward and body.limit is None:
            hint = f"write `go_to: {{step: {name}, limit: 3}}`: visits per instance"
            yield _error(f"`go_to` leads backwards to `{name}` and has no `limit`", at, name, hint)


def _unreached(scenario: Scenario, flow: Flow) -> Iterator[Diagnostic]:
    """Steps that nothing leads to; of steps that follow each other only the first."""
    reached = {flow.first} | flow.reached_from(flow.first)
    unreached = [step for step in all_steps(scenario.steps) if step.id not in reached]
    follow_unreached = {to for step in unreached for to, _ in flow.next.get(step.id, ())}
    for step in unreached:
        if step.id not in follow_unreached and flow.steps[step.id] is step:
            hint = "what stands before it always ends or goes elsewhere"
            yield _error(f"nothing reaches the step `{step.id}`", step.id_at, step.id, hint)


def _too_long(scenario: Scenario, flow: Flow) -> Iterator[Diagnostic]:
    """Waits longer than the instance lives, one by one or together."""
    long = [step for step in all_steps(scenario.steps) if (longest_wait(step) or 0) > scenario.lives]
    lives = duration(scenario.lives)
    for step in long:
        message = f"`{step.id}` waits {duration(longest_wait(step) or 0)}, the instance lives {lives}"
        yield _error(message, step.id_at, step.id, "raise `lives` of the scenario")
    if long:
        return
    times = [(time, name) for name, time in flow.least_times().items() if name and time > scenario.lives]
    if times:
        time, name = min(times)
        step = flow.steps[name]
        message = f"`{name}` is reached after {duration(time)} at the earliest, the instance lives {lives}"
        yield _error(message, step.id_at, name, "raise `lives` of the scenario")


def _names_of_branches(scenario: Scenario) -> Iterator[Diagnostic]:
    for step in all_steps(scenario.steps):
        seen: set[str] = set()
        for label, _ in step.branches:
            if label in seen:
                yield _error(f"`{step.id}` has two branches `{label}`", step.id_at, step.id, "rename one of them")
            seen.add(label)
        for awaited in step.body.any if isinstance(step.body, kinds.WaitUntil) else ():
            if awaited.name in _OWN_BRANCHES:
                message = f"`{awaited.name}` is a branch of every wait, not the name of one awaited event"
                yield _error(message, awaited.place("name"), awaited.name, "choose another name")


def _outputs(context: Context) -> Iterator[Diagnostic]:
    """`steps.X` in a condition names a step that ran before."""
    flows: dict[int, Flow] = {}
    for bound in context.bound:
        if bound.draft.kind != "scenario" or not isinstance(bound.part, kinds.Step):
            continue
        for name in {path[1] for path in bound.expression.reads if path[0] == "steps" and len(path) > 1}:
            scenario = bound.draft.element
            flow = flows.setdefault(id(scenario), flow_of(scenario.steps))
            if bound.part.id not in flow.reached_from(name):
                match = re.search(rf"\bsteps\s*\.\s*{re.escape(name)}\b", bound.expression.source)
                at = place_inside(bound.pending.node, bound.draft.lines, match.start() if match else 0)
                text = match.group() if match else name
                yield _error(f"the step `{name}` is not before `{bound.part.id}`", at, text, "read it in a later step")
