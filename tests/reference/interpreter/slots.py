"""A slot is asked: its candidates and the placements in it, who may be shown, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError
from tests.reference.interpreter.conditions import Scope, holds

if TYPE_CHECKING:
    from orchestrator.language.spec.content import Content
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Instance, Placement

Option = tuple[Any, "Content", dict[str, Any], str]
"""Where it comes in the order; the content; values; the placement's id, "" for a candidate."""


def answer(customer: Customer, name: str, channel: str) -> dict[str, Any]:
    """What a slot shows now."""
    slot: Any = next(one for one in customer.bundle.slots.values() if name in {one.slot, *one.also})
    if not holds(slot.only, Scope(customer)):
        return _default(customer, slot, "only")
    options = _candidates(customer, slot, channel) + _placements(customer, slot, channel)
    shown = [_told(one) for one in sorted(options, key=lambda one: one[0])[: slot.items]]
    found = dict(shown[0]) if shown else _default(customer, slot, "fallback")
    if slot.items > 1 and shown:
        found["items"] = shown
    if slot.include:
        found["include"] = {field: answer(customer, other, channel) for field, other in slot.include.items()}
    return found


def _told(option: Option) -> dict[str, Any]:
    _, content, values, placement = option
    return {"content": content.content, "placement": placement, "reason": "", "values": values}


def _default(customer: Customer, slot: Any, reason: str) -> dict[str, Any]:
    """A default is told with the values of its content, and with none where `only` keeps the slot from somebody."""
    content = customer.bundle.contents.get(slot.default or "")
    known = content is not None and reason != "only"
    values = _values(Scope(customer), content.with_) if known and content is not None else {}
    return {"content": slot.default or "", "placement": "", "reason": reason, "values": values}


def _candidates(customer: Customer, slot: Any, channel: str) -> list[Option]:
    options: list[Option] = []
    scope = Scope(customer)
    for place, one in enumerate(slot.candidates):
        if not holds(one.when, scope):
            continue
        try:
            name = str(one.content.name if one.content.expr is None else one.content.expr.evaluate(scope))
        except CelError:
            continue
        content = _shown_as(customer, name, channel, scope, None)
        if content is not None:
            order = (-one.priority, -_rank(one.rank, scope), 1, place)
            options.append((order, content, _values(scope, content.with_, slot.with_, one.with_), ""))
    return options


def _placements(customer: Customer, slot: Any, channel: str) -> list[Option]:
    options: list[Option] = []
    for instance in customer.instances:
        for placement in instance.placements:
            body: Any = placement.step.body
            if placement.until <= customer.now or not {slot.slot, *slot.also} & {*body.slots}:
                continue
            scope = Scope(customer, None, instance)
            content = _shown_as(customer, placement.content, channel, scope, instance)
            if content is not None:
                values = _values(scope, content.with_, slot.with_, body.with_)
                options.append((_order(instance, placement), content, values, placement.id))
    return options


def _order(instance: Instance, placement: Placement) -> Any:
    body: Any = placement.step.body
    priority = instance.scenario.priority if body.priority is None else body.priority
    return -priority, 0.0, 0, placement.since, instance.name, instance.key, placement.step.id


def _rank(rank: Any, scope: Scope) -> float:
    try:
        return float(rank.evaluate(scope)) if rank is not None else 0.0
    except CelError:
        return 0.0


def _shown_as(customer: Customer, name: str, channel: str, scope: Scope, by: Instance | None) -> Content | None:
    """The content, or what comes in its place where a fact is missing; None where neither may be shown."""
    content = customer.contents.get(name)
    if content is None or not _allowed(customer, content, channel, scope, by) or not holds(content.suits, scope):
        return None
    if not holds(content.requires, scope):
        content = None if content.instead is None else customer.contents[content.instead]
        fits = content is not None and _allowed(customer, content, channel, scope, by)
        if content is None or not (fits and holds(content.suits, scope) and holds(content.requires, scope)):
            return None
    return None if content.once is not None and holds(content.once, scope) else content


def _allowed(customer: Customer, content: Content, channel: str, scope: Scope, by: Instance | None) -> bool:
    """Told on that channel, still valid, and, of a scenario's marketing, not stopped and nobody else's."""
    if channel not in content.variants or not _valid(content, scope):
        return False
    if by is None or content.class_ != "marketing":
        return True
    about = {str(name.name or name.expr.evaluate(scope)) for name in content.about}  # type: ignore[union-attr]
    owners = [one for one in customer.instances if one.mode == "live" and one.name != by.name]
    return not customer.shared.stopped(by.scenario) and not any(about & {*one.scenario.owns} for one in owners)


def _valid(content: Content, scope: Scope) -> bool:
    if content.valid_until is None:
        return True
    try:
        return bool(scope.customer.now < content.valid_until.evaluate(scope).ms)
    except CelError:
        return False


def _values(scope: Scope, *given: Any) -> dict[str, Any]:
    """Of two values of one name the last counts; one that is unknown is none."""
    values: dict[str, Any] = {}
    for name, value in {name: value for one in given for name, value in (one or {}).items()}.items():
        try:
            values[name] = value.evaluate(scope)
        except CelError:
            values[name] = None
    return values
