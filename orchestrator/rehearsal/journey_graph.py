"""A scenario drawn as a graph, with the way that a customer took: Mermaid for pages, an outline for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.engine.program.story import JOIN
from orchestrator.rehearsal.coverage import branches_of
from orchestrator.rehearsal.wording import length

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.engine.program.plan import ScenarioPlan, StepPlan
    from orchestrator.language.spec.steps import Step
    from orchestrator.rehearsal.explain import Account

START: Final = "entry"
END: Final = "over"
_SHAPES: Final = {
    "split": ("{", "}"), "experiment": ("{", "}"), "parallel": ("[[", "]]"), "delay": ("([", "])"),
    "silence": ("([", "])"), "wait_until": ("([", "])"),
}  # fmt: skip
REACHED: Final = "●"
STANDS: Final = "▶"
NOT_REACHED: Final = "○"


def mermaid(plan: ScenarioPlan, account: Account | None = None) -> str:
    """A flowchart. With an account, the steps that were reached and those where it stands are marked.

    Steps are numbered in the order of the file, because a step's id may be a word that Mermaid keeps for itself.
    """
    names = {step: f"s{number}" for number, step in enumerate(plan.steps)}
    lines = ["flowchart TD", f'  {START}(["{_escaped(_entry(plan))}"]) --> {_target(plan, plan.first, names)}']
    for step in plan.steps.values():
        left, right = _SHAPES.get(step.kind, ("[", "]"))
        lines.append(f'  {names[step.id]}{left}"{_escaped(step.id)}<br/>{_escaped(summary(step))}"{right}')
        for label, target in edges(step):
            arrow = f'-- "{_escaped(label)}" -->' if label else "-->"
            lines.append(f"  {names[step.id]} {arrow} {_target(plan, target, names)}")
    lines.append(f'  {END}(["over"])')
    if account is not None:
        lines += _marks(plan, account, names)
    return "\n".join(lines) + "\n"


def _target(plan: ScenarioPlan, step: str | None, names: dict[str, str]) -> str:
    """The node of what follows; after a parallel's track, what follows the parallel."""
    while step is not None and step.startswith(JOIN):
        step = plan.steps[step[len(JOIN) :]].follow
    return END if step is None else names[step]


def _marks(plan: ScenarioPlan, account: Account, names: dict[str, str]) -> Iterator[str]:
    reached = [names[step] for step in plan.steps if step in account.reached and step not in account.stands]
    stands = [names[step] for step in plan.steps if step in account.stands]
    yield "  classDef reached fill:#d5f5d5,stroke:#2b7a2b"
    yield "  classDef stands fill:#fff3c4,stroke:#b38600,stroke-width:3px"
    if reached:
        yield f"  class {','.join(reached)} reached"
    if stands:
        yield f"  class {','.join(stands)} stands"


def edges(step: StepPlan) -> list[tuple[str, str | None]]:
    """The ways on from a step: label and the step there, None where the story is over."""
    if step.kind == "end":
        return []
    if step.kind == "go_to":
        found: list[tuple[str, str | None]] = [("", step.body.step)]
        return [*found, ("limit", step.follow)] if step.body.limit is not None else found
    if step.kind == "wait_until":
        awaited = [one.name for one in step.body.any] or ["then"]
        return [(label, step.heads.get(label, step.follow)) for label in (*awaited, "on_timeout")]
    if step.kind == "split":
        cases = [(label, head) for label, head in step.heads.items() if label != "else"]
        named = [(step.body.cases[int(label) - 1].when.source, head) for label, head in cases]
        return [*named, ("else", step.heads.get("else", step.follow))]
    return list(step.heads.items()) or [("", step.follow)]


def summary(step: StepPlan | Step) -> str:
    """A step in a few words: `send em.answer`, `delay 1h`."""
    body = step.body
    for name in ("content", "queue", "slot", "ledger", "event", "step", "pool"):
        value = getattr(body, name, None)
        if value is not None:
            text = value if isinstance(value, str) else value.name or value.expr.source
            return f"{step.kind} {text}"
    names = getattr(body, "on", ()) or getattr(body, "of", ())
    named = " or ".join(names) if isinstance(names, tuple) else ""
    for name in ("for_", "timeout"):
        if getattr(body, name, None) is not None:
            return " ".join(part for part in (step.kind, named, length(getattr(body, name))) if part)
    return f"{step.kind} {named}".strip()


def outline(plan: ScenarioPlan, account: Account | None = None) -> list[str]:
    """The story as an indented list; marks say which steps were reached, and where it stands."""
    return [_entry(plan), *_outlined(plan.document.steps, account, "  ")]


def _outlined(steps: tuple[Step, ...], account: Account | None, indent: str) -> Iterator[str]:
    for step in steps:
        yield f"{indent}{_mark(step.id, account)} {step.id}  {summary(step)}"
        written = dict(step.branches)
        for label in dict.fromkeys((*branches_of(step), *written)):
            if label not in written and account is None:
                continue
            track = written[label][0].id if step.kind == "parallel" and written[label] else f"{step.id}.{label}"
            yield f"{indent}  {_mark(track, account)} {_named(step, label)}:"
            yield from _outlined(written.get(label, ()), account, f"{indent}    ")


def _named(step: Step, label: str) -> str:
    cases = getattr(step.body, "cases", ())
    return f"{cases[int(label) - 1].when.source}" if step.kind == "split" and label.isdigit() else label


def _mark(place: str, account: Account | None) -> str:
    if account is None:
        return "-"
    if place in account.stands:
        return STANDS
    return REACHED if place in account.reached else NOT_REACHED


def _entry(plan: ScenarioPlan) -> str:
    entry = plan.document.entry
    if entry.on:
        return f"{plan.name}: on {' or '.join(entry.on)}"
    return f"{plan.name}: {'when ' + entry.becomes.source if entry.becomes is not None else 'by its entry'}"


def _escaped(text: str) -> str:
    return text.replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;")
