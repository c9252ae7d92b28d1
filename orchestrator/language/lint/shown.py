"""E-STEP E-CONTENT W-UNTOLD: a `show` that nobody would ever see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.lint.flow import flow_of
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.steps import Show
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.lint.flow import Flow
    from orchestrator.language.spec.content import Content
    from orchestrator.language.spec.steps import Step

_WAITING: Final = frozenset({"delay", "silence", "wait_until", "send"})
"""Words at which a story may stand, a message that is held included."""


def shown(context: Context) -> Iterator[Diagnostic]:
    """Look at each `show`: whether it has a place, a time, and a content that a channel could show there."""
    contents = {draft.name: draft.element for draft in context.sound("content")}
    asking = {name for name, channel in context.channels.items() if channel.sends == "pull"}
    for draft in context.sound("scenario"):
        flow = flow_of(draft.element.steps)
        for step in all_steps(draft.element.steps):
            if isinstance(step.body, Show):
                yield from _nowhere(step, step.body)
                yield from _ended_at_once(step, flow)
                name = step.body.content.name if step.body.content is not None else None
                if name in contents and asking:
                    yield from _untold(step.body, contents[name], asking)


def _nowhere(step: Step, body: Show) -> Iterator[Diagnostic]:
    if not body.slots:
        hint = "name the slots in which it is to be seen: `slots: [web.home]`"
        yield diagnostic("E-STEP", f"`{step.id}` is shown nowhere", body.place("slots"), hint=hint)
    if body.for_ == 0:
        hint = "say how long, `for: 2d`; without `for` it stands as long as its story"
        yield diagnostic("E-STEP", f"`{step.id}` is over as it begins", body.place("for"), hint=hint)


def _ended_at_once(step: Step, flow: Flow) -> Iterator[Diagnostic]:
    """An `end` that the story comes to without waiting takes the placement along before anybody asks."""
    seen, coming = {step.id}, [to for to, _ in flow.next.get(step.id, ())]
    while coming:
        following = flow.steps.get(coming.pop())
        if following is None or following.id in seen or following.kind in _WAITING:
            continue
        seen.add(following.id)
        if following.kind == "end":
            message = f"`{following.id}` ends the story as soon as `{step.id}` is placed, and that goes with it"
            hint = "leave it out: a story that is over rests while something of it is shown"
            yield diagnostic("W-UNTOLD", message, following.id_at, length=len(following.id), hint=hint)
        coming += [to for to, _ in flow.next.get(following.id, ())]


def _untold(body: Show, content: Content, asking: set[str]) -> Iterator[Diagnostic]:
    """Slots are asked on channels that pull: what is written for others is never seen there."""
    if asking.isdisjoint(content.variants):
        message = f"`{content.content}` has no variant for a channel on which slots are asked"
        hint = f"it has one for {' '.join(f'`{name}`' for name in content.variants)}; slots are asked on " + " ".join(
            f"`{name}`" for name in sorted(asking)
        )
        at = body.place("content")
        yield diagnostic("E-CONTENT", message, at, length=len(content.content), hint=hint)
