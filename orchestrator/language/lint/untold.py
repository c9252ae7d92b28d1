"""E-CONTENT W-UNTOLD: a message that could not be told: no variant, no text, not in this language, a value missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.bundle.texts import texts_named
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import nearest
from orchestrator.language.spec.fields import fields_of
from orchestrator.language.spec.ground import Settings
from orchestrator.language.spec.steps import Publish, Send, Show
from orchestrator.language.spec.values import Text
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.content import Candidate, Content, Variant

_ALWAYS_GIVEN: Final = frozenset({"language", "unsubscribe_url", "forloop", "tablerowloop"})
_CHOSEN_LATER: Final = frozenset({"preferred", "last_used"})
_NEEDS_ONE_OF: Final = {"email": ("body", "body_file"), "sms": ("text",), "push": ("title", "text"), "voice": ("say",)}
_SHOWN: Final = re.compile(r"\{\{-?\s*([A-Za-z_]\w*)((?:(?!\}\}).)*)\}\}", re.DOTALL)
_TAG: Final = re.compile(r"\{%-?\s*(\w+)\s+((?:(?!%\}).)*)%\}", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_MAKES_A_NAME: Final = frozenset({"assign", "capture", "for", "tablerow", "increment", "decrement"})
_ASKS: Final = frozenset({"if", "elsif", "unless", "case"})


def untold(context: Context) -> Iterator[Diagnostic]:
    """Look at what each message says, at each step that sends or shows one, and at what slots choose from."""
    contents = {draft.name: draft.element for draft in context.sound("content")}
    yield from _said(contents.values(), context)
    yield from _without_address(contents.values(), context)
    for draft in context.sound("scenario"):
        for step in all_steps(draft.element.steps):
            if isinstance(step.body, Send) and step.body.content.name in contents:
                content = contents[step.body.content.name]
                yield from _no_variant(step.body, content)
                yield from _no_value(step.body, content, _sent_on(step.body, content), {}, context)
            elif isinstance(step.body, Publish) and step.body.content.name in contents:
                yield from _no_value(step.body, contents[step.body.content.name], step.body.channels, {}, context)
            elif isinstance(step.body, Show):
                yield from _shown_without(step.body, step.body.slots, contents, context)
    for draft in context.sound("slot"):
        for candidate in draft.element.candidates:
            yield from _shown_without(candidate, (draft.name,), contents, context)


def _said(contents: Iterable[Content], context: Context) -> Iterator[Diagnostic]:
    """Each variant of a channel that we send on, by itself."""
    language = next((draft.element.language for draft in context.sound("bundle")), Settings(bundle="").language)
    for content in contents:
        for channel, variant in content.variants.items():
            declared = context.channels.get(channel)
            if declared is not None and declared.sends == "push":
                yield from _says_nothing(channel, variant)
                if content.language_missing == "default":
                    yield from _not_in(language, variant, context)
                    yield from _mixed(language, variant, context)


def _shown_without(
    element: Show | Candidate, slots: tuple[str, ...], contents: Mapping[str, Content], context: Context
) -> Iterator[Diagnostic]:
    """Values that a slot would show, and that neither its content, nor the slot, nor who places it there gives."""
    content = contents.get(element.content.name or "") if element.content is not None else None
    known = {name: draft.element for draft in context.sound("slot") for name in (draft.name, *draft.element.also)}
    with_ = [set(known[name].with_) for name in slots if name in known]
    if content is not None and with_:
        asked = {name for name, channel in context.channels.items() if channel.sends == "pull"}
        yield from _no_value(element, content, asked, set.intersection(*with_), context)


def _says_nothing(channel: str, variant: Variant) -> Iterator[Diagnostic]:
    needed = _NEEDS_ONE_OF.get(channel, ())
    if needed and not any(name in variant.places for name in needed):
        names = " or ".join(f"`{name}`" for name in needed)
        yield diagnostic("W-UNTOLD", f"this {channel} says nothing", variant.at, hint=f"give it {names}")


def _not_in(language: str, variant: Variant, context: Context) -> Iterator[Diagnostic]:
    for name, texts in _texts(variant, context).items():
        spoken = [one for one in texts if one]
        if spoken and "" not in texts and language not in texts:
            message = f"`{name}` is not told in `{language}`, the language of the bundle: others are not told it at all"
            hint = f"add `{language}: ...`, or `language_missing: skip` to the content"
            yield diagnostic("W-UNTOLD", message, variant.place(name), hint=hint)


def _mixed(language: str, variant: Variant, context: Context) -> Iterator[Diagnostic]:
    """Fields that lack a language in which the others are told: a German body under an English subject."""
    told = {name: set(texts) for name, texts in _texts(variant, context).items() if texts and "" not in texts}
    for name, languages in told.items():
        for missing in sorted(set().union(*told.values()) - languages - {language}):
            other = next(each for each, spoken in told.items() if missing in spoken)
            message = f"`{name}` is not told in `{missing}`, and `{other}` is: who reads that gets a mixture"
            yield diagnostic("W-UNTOLD", message, variant.place(name), hint=f"add `{missing}: ...`")


def _without_address(contents: Iterable[Content], context: Context) -> Iterator[Diagnostic]:
    """Channels that we send to and that no identifier is an address of, where contents are told on them."""
    sends = [step.body for draft in context.drafts.of("scenario") for step in all_steps(draft.element.steps)]
    told = {channel for content in contents for channel in content.variants}
    if any(isinstance(body, Send) and body.to is not None for body in sends):
        return
    for name, channel in context.channels.items():
        to_people = channel.sends == "push" and channel.enabled and not channel.public
        if to_people and channel.address is None and name in told:
            message = f"nobody has an address on `{name}`: what is sent on it would not be sent"
            hint = "say which identifier is one: `address: NAMESPACE`"
            yield diagnostic("W-UNTOLD", message, channel.named_at or channel.at, length=len(name), hint=hint)


def _texts(variant: Variant, context: Context) -> dict[str, Mapping[str, str]]:
    """The texts of a variant by field and language, files of the bundle included."""
    found: dict[str, Mapping[str, str]] = {}
    for spec in fields_of(type(variant)):
        value = getattr(variant, spec.attribute)
        if isinstance(value, Text):
            found[spec.name] = value.by_language
        elif spec.name in {"body_file", "file"} and value is not None:
            found[spec.name] = texts_named(value, variant.at.file, context.texts)
    return found


def _no_variant(send: Send, content: Content) -> Iterator[Diagnostic]:
    channels = send.channel
    if not channels or _CHOSEN_LATER.intersection(channels) or any(name in content.variants for name in channels):
        return
    message = f"`{content.content}` has no variant for " + " or ".join(f"`{name}`" for name in channels)
    hint = "it has one for " + " ".join(f"`{name}`" for name in content.variants)
    yield diagnostic("E-CONTENT", message, send.place("channel"), hint=hint)


def _sent_on(send: Send, content: Content) -> Collection[str]:
    """The channels on which a send may tell a content."""
    later = not send.channel or _CHOSEN_LATER.intersection(send.channel)
    return content.variants if later else send.channel


def _terms(by: Send | Show | Publish | Candidate, content: Content, context: Context) -> Collection[str]:
    """The terms of the offer that it carries."""
    named = by.offer if isinstance(by, Send) else None  # what `Show` and `Candidate` name there has no content
    name = content.offer if named is None else named.name
    return next((draft.element.terms for draft in context.sound("offer") if draft.name == name), ())


def _no_value(
    by: Send | Show | Publish | Candidate,
    content: Content,
    channels: Collection[str],
    others: Collection[str],
    context: Context,
) -> Iterator[Diagnostic]:
    if isinstance(by, Send) and by.offer is not None and by.offer.expr is not None:
        return  # its terms are those of an offer that is chosen later
    given = {*content.with_, *by.with_, *others, *_terms(by, content, context)}
    told = [variant for channel, variant in content.variants.items() if channel in channels]
    texts = [text for variant in told for texts in _texts(variant, context).values() for text in texts.values()]
    seen: set[str] = set().union(*map(_needed, texts))
    lost = "the message would not be sent" if isinstance(by, Send | Publish) else "that text would not be shown"
    for name in sorted(seen - given - _ALWAYS_GIVEN):
        message = f"`{content.content}` shows `{name}`, and nothing gives it: {lost}"
        near = nearest(name, given - seen)
        hint = f"`with` gives `{near}`: is that meant?" if near else f"add `{name}: ...` to `with` here"
        length = len(content.content)
        yield diagnostic("W-UNTOLD", message, by.place("content"), length=length, hint=hint)


def _needed(text: str) -> set[str]:
    """Names that a template shows in any case: not those that it makes itself, asks for, or has a default for."""
    if "{{" not in text:
        return set()
    own: set[str] = set()
    for tag, rest in _TAG.findall(text):
        names = _NAME.findall(rest)
        own.update(names if tag in _ASKS else names[:1] if tag in _MAKES_A_NAME else ())
    return {name for name, filters in _SHOWN.findall(text) if "default" not in filters} - own
