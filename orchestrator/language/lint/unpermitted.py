"""W-UNTOLD: marketing that nobody can consent to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.content import Content
    from orchestrator.language.spec.ground import Grant
    from orchestrator.language.spec.values import NameOr


def unpermitted(context: Context) -> Iterator[Diagnostic]:
    """Compare the purposes of contents with what the rules of the consent document grant, where there is one."""
    documents = [draft.element for draft in context.sound("consent")]
    if not documents:
        return
    grants = [rule.grant for document in documents for rule in document.rules if rule.grant is not None]
    for draft in context.sound("content"):
        content: Content = draft.element
        channels = [name for name in content.variants if _sends(context, name)]
        if content.class_ == "marketing" and channels and not _is_granted(grants, content.purpose, channels):
            yield _nobody(content, channels, grants)


def _sends(context: Context, channel: str) -> bool:
    declared = context.channels.get(channel)
    return declared is not None and declared.sends == "push" and not declared.public


def _is_granted(grants: list[Grant], purpose: str, channels: list[str]) -> bool:
    return any(_is(one.purpose, purpose) and any(_is(one.channel, channel) for channel in channels) for one in grants)


def _is(granted: NameOr, name: str) -> bool:
    """What an event names may be anything."""
    return granted.name in {None, "all", name}


def _nobody(content: Content, channels: list[str], grants: list[Grant]) -> Diagnostic:
    purpose = content.purpose
    on = " or ".join(f"`{name}`" for name in channels)
    message = f"nobody can consent to this: no rule grants `{purpose}` on {on}, so it would never be sent"
    granted = {one.purpose.name for one in grants if any(_is(one.channel, name) for name in channels)} - {None}
    near = nearest(purpose, {str(name) for name in granted})
    hint = f"did you mean `purpose: {near}`?" if near else "add a rule to `consent`, or say whose `purpose` it is"
    if "purpose" in content.places:
        return diagnostic("W-UNTOLD", message, content.place("purpose"), length=len(purpose), hint=hint)
    return diagnostic("W-UNTOLD", message, content.place("content"), length=len(content.content), hint=hint)
