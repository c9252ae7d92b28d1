"""W-CREEPY: what tells customers that they are watched."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.lint.flow import flow_of
from orchestrator.language.lint.words import duration
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.fields import fields_of
from orchestrator.language.spec.policy import Policy
from orchestrator.language.spec.steps import Send
from orchestrator.language.spec.values import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.scenario import Scenario

_OBSERVED: Final = re.compile(
    r"\b(?:entry|event)\.(?:meta\.(?:time|received)|store|location|region|place|geo|seconds|page|screen)\b"
)
_LIQUID: Final = re.compile(r"\{\{(.*?)\}\}|\{%(.*?)%\}", re.DOTALL)
_QUICK: Final = frozenset({"push", "sms"})


def observed(context: Context) -> Iterator[Diagnostic]:
    """Marketing whose text or values hold the place or the hour of behaviour that was only observed."""
    for draft in context.sound("content"):
        if draft.element.class_ != "marketing":
            continue
        for variant in draft.element.variants.values():
            for spec in fields_of(type(variant)):
                value = getattr(variant, spec.attribute)
                found = _told(value) if isinstance(value, Text) else None
                if found is not None:
                    yield _creepy(f"the text tells `{found}`: where or when they were seen", variant.place(spec.name))
    for bound in context.bound:
        if bound.draft.kind == "content" and bound.draft.element.class_ == "marketing":
            match = _OBSERVED.search(bound.expression.source)
            if match is not None and bound.pending.expects is None:
                yield _creepy(f"the values tell `{match.group()}`: where or when they were seen", bound.pending.node.at)


def _creepy(message: str, at: object) -> Diagnostic:
    hint = "say what is in it for them; leave out that you were watching"
    return diagnostic("W-CREEPY", message, at, hint=hint)  # type: ignore[arg-type]


def _told(text: Text) -> str | None:
    for one in text.by_language.values():
        for match in _LIQUID.finditer(one):
            found = _OBSERVED.search(match[1] or match[2] or "")
            if found is not None:
                return found.group()
    return None


def too_soon(context: Context) -> Iterator[Diagnostic]:
    """Push or sms about browsing sooner than the policy's `browse_delay`."""
    policy = context.policy or Policy(policy="default", preferred_order=())
    for draft in context.sound("scenario"):
        if not _browsing(draft.element, context):
            continue
        flow = flow_of(draft.element.steps)
        for name, time in flow.least_times().items():
            step = flow.steps.get(name)
            if step is None or not isinstance(step.body, Send) or time >= policy.browse_delay:
                continue
            if _QUICK.intersection(step.body.channel):
                message = f"`{name}` may come {duration(time)} after they only looked around"
                hint = (
                    f"wait {duration(policy.browse_delay)} first, with `silence` or `delay`; the policy holds it anyway"
                )
                yield diagnostic("W-CREEPY", message, step.id_at, length=len(name), hint=hint)


def _browsing(scenario: Scenario, context: Context) -> bool:
    named = [event for name in scenario.entry.on for event in context.typing.events.named(name)]
    return any(event.declaration is not None and event.declaration.browsing for event in named)
