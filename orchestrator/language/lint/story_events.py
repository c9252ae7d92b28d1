"""W-PROPERTY: an event of a test that the topic's schema would not know, or that lacks what the schema requires."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.language.cel import Type
    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.story import StoryEvent

_TAKES: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,),
    "bool": (bool,),
    "int": (int,),
    "double": (int, float),
    "list": (list,),
    "map": (dict,),
    "record": (dict,),
}


def story_events(context: Context) -> Iterator[Diagnostic]:
    """Compare the properties that tests write with the schemas of the topic files."""
    schemas = context.typing.events.schemas.properties
    for draft in context.sound("test"):
        wrong_on_purpose = {one.rejected for one in (*draft.element.expect, *draft.element.never) if one.rejected}
        for event in (*draft.element.history, *draft.element.events):
            type_ = event.on.removeprefix(f"{event.channel}.")
            if event.id not in wrong_on_purpose:
                yield from _elsewhere(event, context)
            known = schemas.get((event.channel, type_))
            if known is not None and event.id not in wrong_on_purpose:
                yield from _event(event, known, set(context.typing.events.identifiers))


def _elsewhere(event: StoryEvent, context: Context) -> Iterator[Diagnostic]:
    """An event that is declared to come from other channels."""
    events = context.typing.events
    declared = events.declared.get(event.on)
    if declared is not None and declared.type == event.on and not events.named(f"{event.channel}.{event.on}"):
        message = f"`{event.on}` is not declared to come from `{event.channel}`"
        hint = "it comes from " + " ".join(f"`{name}`" for name in declared.channels)
        yield diagnostic("W-PROPERTY", message, event.place("channel"), length=len(event.channel), hint=hint)


def _event(event: StoryEvent, known: Mapping[str, Type], identifiers: set[str]) -> Iterator[Diagnostic]:
    at = event.place("with")
    misspelt: set[str] = set()
    for name, value in event.with_.items():
        if name in known:
            yield from _of_type(event, name, value, known[name])
        elif name not in identifiers:
            near = nearest(name, set(known) - set(event.with_))
            misspelt |= {near} if near else set()
            hint = f"did you mean `{near}`?" if near else "known here: " + " ".join(f"`{one}`" for one in known)
            message = f"the schema of `{event.on}` has no property `{name}`"
            yield diagnostic("W-PROPERTY", message, at, hint=hint)
    for name, type_ in known.items():
        if not type_.nullable and name not in {*event.with_, *event.ids, *misspelt}:
            message = f"the schema of `{event.on}` requires `{name}`, and this event has none"
            yield diagnostic("W-PROPERTY", message, at, hint=f"add `{name}` to `with`")


def _of_type(event: StoryEvent, name: str, value: Any, type_: Type) -> Iterator[Diagnostic]:
    takes = _TAKES.get(type_.plain.kind)
    is_one = takes is None or (isinstance(value, takes) and (type_.plain.kind == "bool" or not isinstance(value, bool)))
    if value is not None and not is_one:
        message = f"`{name}` of `{event.on}` is {type_.plain} in its schema: such an event is refused"
        yield diagnostic("W-PROPERTY", message, event.place("with"), hint="numbers have no quotes, texts may have them")
