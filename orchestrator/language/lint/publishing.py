"""E-STEP E-FIELD E-CONTENT W-UNTOLD: what `publish` could not tell everybody, and `send` nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.spec.steps import Publish, Send
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.content import Content

_OF_PERSONS: Final = ("profile", "ask", "offer")
_LOOKED_AT: Final = ("requires", "valid_until")


def publishing(context: Context) -> Iterator[Diagnostic]:
    """Look at each `publish`: whose story it is in, its channels, and what its content says on them."""
    contents = {draft.name: draft.element for draft in context.sound("content")}
    for draft in context.sound("scenario"):
        for step in all_steps(draft.element.steps):
            if isinstance(step.body, Send):
                yield from _sent_to_all(context, step.body)
            if not isinstance(step.body, Publish):
                continue
            if draft.element.for_ != "brand":
                message = "`publish` tells everybody, and this story is told to one customer"
                hint = "tell the story to the brand: `for: brand`"
                yield diagnostic("E-STEP", message, step.id_at, length=len(step.id), hint=hint)
            content = contents.get(step.body.content.name or "")
            yield from _channels(context, step.body, content)
            if content is not None:
                yield from _of_persons(content, step.body.place("content"))


def _sent_to_all(context: Context, body: Send) -> Iterator[Diagnostic]:
    for name in body.channel:
        channel = context.channels.get(name)
        if channel is not None and channel.public:
            message = f"`{name}` is public: nobody has an address there, so no message goes there"
            hint = "a story `for: brand` may `publish` there"
            yield diagnostic("W-UNTOLD", message, body.place("channel"), length=len(name), hint=hint)


def _channels(context: Context, body: Publish, content: Content | None) -> Iterator[Diagnostic]:
    for name in body.channels:
        channel = context.channels.get(name)
        if channel is None:
            continue
        if not (channel.public and channel.sends == "push"):
            message = f"`{name}` is no public channel: nobody reads there what is told to all"
            public = [f"`{one}`" for one, known in context.channels.items() if known.public and known.sends == "push"]
            hint = "public are " + " ".join(public) if public else "declare one: `{sends: push, public: true}`"
            yield diagnostic("E-FIELD", message, body.place("channels"), hint=hint)
        elif content is not None and channel.enabled and name not in content.variants:
            message = f"`{content.content}` has no variant for `{name}`: nothing would be told there"
            hint = f"add `{name}:` to its variants, or leave the channel out"
            yield diagnostic("W-UNTOLD", message, body.place("channels"), hint=hint)


def _of_persons(content: Content, at: Position) -> Iterator[Diagnostic]:
    """A content that asks for a customer is unknown where there is none."""
    looked_at = [getattr(content, name) for name in _LOOKED_AT] + list(content.with_.values())
    for expression in looked_at:
        read = sorted({path[0] for path in expression.reads} & set(_OF_PERSONS)) if expression is not None else []
        if read:
            message = f"`{content.content}` asks for `{read[0]}`, and what is published is told to nobody in particular"
            hint = f"give the value by `with` of the step, and leave `{read[0]}` out of the content"
            yield diagnostic("E-CONTENT", message, at, hint=hint)
            return
