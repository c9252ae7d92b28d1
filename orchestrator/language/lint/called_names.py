"""E-EVENT E-NAME E-CEL: names and windows inside conditions: `count("order_placed", "30d")`, `in_segment("loyal")`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.lint.references import event_reference, undeclared
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.inside import place_inside
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.spec.reader import Reference
from orchestrator.language.spec.scope import LONGEST_WINDOW, NAMED_BY_FUNCTION, WINDOWED
from orchestrator.language.spec.types import milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.cel import Call
    from orchestrator.language.lint.context import Context

_PROPERTY: Final = 2
"""Where `count` and `seen` name a property."""
_FACT_BEHIND: Final = {"price": "price", "promised": "price", "catalog": "catalog"}


def called_names(context: Context) -> Iterator[Diagnostic]:
    for bound in context.bound:
        for call in bound.expression.calls:
            if call.name in NAMED_BY_FUNCTION:
                yield from _name(context, bound, call)
            if call.name in WINDOWED:
                yield from _window(bound, call)
                yield from _property(context, bound, call)
            if call.name == "intent":
                yield from _intents(context, bound, call)
            yield from _fact(context, bound, call)


def _reference(bound: Bound, call: Call, index: int, kind: str) -> Reference:
    offset, length = call.places[index]
    at = place_inside(bound.pending.node, bound.draft.lines, offset)
    return Reference(kind, str(call.args[index]), at, length)


def _name(context: Context, bound: Bound, call: Call) -> Iterator[Diagnostic]:
    kind, index = NAMED_BY_FUNCTION[call.name]
    if not isinstance(call.args[index], str):
        if kind == "event":
            yield _literal(
                bound, call, index, "the event is a text in quotes: what is counted must be known beforehand"
            )
        return
    reference = _reference(bound, call, index, kind)
    if kind == "event":
        yield from event_reference(context, reference)
    elif not context.names.knows(kind, reference.name):
        yield undeclared(reference, context.names.of(kind))


def _literal(bound: Bound, call: Call, index: int, message: str) -> Diagnostic:
    offset, length = call.places[index]
    at = place_inside(bound.pending.node, bound.draft.lines, offset)
    return diagnostic("E-CEL", message, at, length=length, hint=f'as in `{call.name}("order_placed", "30d")`')


def _window(bound: Bound, call: Call) -> Iterator[Diagnostic]:
    window = call.args[1] if len(call.args) > 1 else None
    length = milliseconds(window) if isinstance(window, str) else None
    if length is None or length <= 0:
        yield _literal(bound, call, 1, 'the window is a duration in quotes, such as `"30d"`')
    elif length > LONGEST_WINDOW:
        yield _literal(bound, call, 1, "the window is longer than 400d: history is not kept so long")


def _property(context: Context, bound: Bound, call: Call) -> Iterator[Diagnostic]:
    """`count(type, window, property, value)`: a property that such an event cannot have is counted nowhere."""
    if len(call.args) <= _PROPERTY or not isinstance(call.args[0], str):
        return
    name = call.args[_PROPERTY]
    if not isinstance(name, str):
        yield _literal(bound, call, _PROPERTY, "the property is a text in quotes: what is kept is known beforehand")
        return
    event = context.typing.event((call.args[0],))
    if event.open or name in event.fields or not context.typing.events.named(call.args[0]):
        return
    offset, length = call.places[_PROPERTY]
    at = place_inside(bound.pending.node, bound.draft.lines, offset)
    hint = did_you_mean(name, event.fields) or "properties are declared in the topic files"
    yield diagnostic("E-CEL", f"`{call.args[0]}` has no field `{name}`", at, length=length, hint=hint)


def _intents(context: Context, bound: Bound, call: Call) -> Iterator[Diagnostic]:
    names: Any = call.args[1] if len(call.args) > 1 else ()
    if not isinstance(names, list | tuple):
        return
    for name in names:
        if isinstance(name, str) and not context.names.knows("intent", name):
            reference = _reference(bound, call, 1, "intent")
            yield undeclared(Reference("intent", name, reference.at, reference.length), context.names.of("intent"))


def _fact(context: Context, bound: Bound, call: Call) -> Iterator[Diagnostic]:
    fact = _FACT_BEHIND.get(call.name)
    if fact is not None and not context.names.knows("fact", fact):
        at = place_inside(bound.pending.node, bound.draft.lines, call.offset)
        message = f"`{call.name}(...)` reads the fact `{fact}`, and none is declared"
        yield diagnostic("E-NAME", message, at, length=len(call.name), hint=f"add a document `facts: {fact}`")
