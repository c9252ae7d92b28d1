"""What a channel should show this customer now: one question, one answer, the same on every channel."""

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.engine.context import plain
from orchestrator.engine.explaining import explained
from orchestrator.engine.gates.channel import told_on
from orchestrator.language.cel import CelError
from orchestrator.model import reason

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.content import Candidate, Content, Slot


class Eligible(NamedTuple):
    """A candidate that may be shown, and its place in the order."""

    order: tuple[float, float, int]
    content: "Content"
    candidate: "Candidate"
    item: Any


def answer_slot(moment: "Moment", name: str, around: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Answer one slot for the moment's customer; `scope.ask` says who asks.

    The answer: `content` (name, "" for nothing), `reason` where it is the default, `name` of the variant, `values`,
    `fields` of the variant for the asking channel, `items` for a slot of several, `include`d answers. `around` names
    the slots that include this one: what would include itself is not answered again.
    """
    slot: Slot | None = moment.program.slots.get(name)
    if slot is None:
        return {"content": "", "reason": "unknown_slot", "values": {}}
    if slot.only is not None and not moment.holds(slot.only, f"slot:{name}", ""):
        _left_out(moment, (f"slot:{name}", ""), "only", slot.only)
        return _default(moment, slot, "only")
    found = sorted(_eligible(moment, slot), key=lambda eligible: eligible.order)
    if not found:
        return _default(moment, slot, reason.FALLBACK, around)
    answers = [_shown(moment, slot, eligible) for eligible in found[: slot.items]]
    answer = dict(answers[0])
    if slot.items > 1:
        answer["items"] = answers
    return _with_includes(moment, slot, answer, around)


def _eligible(moment: "Moment", slot: "Slot") -> "list[Eligible]":
    found: list[Eligible] = []
    for place, candidate in enumerate(slot.candidates):
        if not moment.holds(candidate.when, f"slot:{slot.slot}", ""):
            _left_out(moment, (f"slot:{slot.slot}", _called(candidate)), "when", candidate.when)
            continue
        for content, item in _contents(moment, slot, candidate):
            if _may_show(moment, slot, content):
                rank = _rank(moment, slot, candidate, item)
                found.append(Eligible((-candidate.priority, -rank, place), content, candidate, item))
    return found


def _called(candidate: "Candidate") -> str:
    """A candidate as a trace names it."""
    for name in (candidate.content, candidate.offer):
        if name is not None:
            return name.name or (name.expr.source if name.expr is not None else "")
    return f"from {candidate.from_}"


def _contents(moment: "Moment", slot: "Slot", candidate: "Candidate") -> "list[tuple[Content, Any]]":
    contents = moment.program.contents
    if candidate.content is not None:
        name = candidate.content.name
        if name is None:
            try:
                name = str(moment.value(candidate.content.expr, f"slot:{slot.slot}", ""))  # type: ignore[arg-type]
            except CelError:
                return []
        return [(contents[name], None)] if name in contents else []
    if candidate.from_ == "content":
        return [
            (content, item)
            for content, item in ((c, _as_item(c)) for c in contents.values())
            if _item_fits(moment, slot, candidate, item)
        ]
    return []


def _as_item(content: "Content") -> dict[str, Any]:
    return {
        "name": content.content,
        "kind": content.kind,
        "about": [name.name for name in content.about if name.name is not None],
        "campaign": content.campaign or "",
        "stage": list(content.stage),
        "level": list(content.level),
        "topic": content.topic.name if content.topic is not None and content.topic.name else content.content,
        "class": content.class_,
        "purpose": content.purpose,
        "claims": dict(content.claims),
    }


def _item_fits(moment: "Moment", slot: "Slot", candidate: "Candidate", item: dict[str, Any]) -> bool:
    moment.scope.item = item
    return moment.holds(candidate.where, f"slot:{slot.slot}", "")


def _may_show(moment: "Moment", slot: "Slot", content: "Content") -> bool:
    """A variant for the asking channel, suited, its facts there, not seen yet. An unnamed channel takes any."""
    place = (f"slot:{slot.slot}", content.content)
    channel = moment.scope.ask.get("channel", "")
    if channel and not told_on(channel, content, moment):
        _left_out(moment, place, f"no variant for {channel}", None)
        return False
    if not moment.holds(content.suits, *place):
        _left_out(moment, place, reason.NOT_SUITED, content.suits)
        return False
    if not moment.holds(content.requires, *place):
        _left_out(moment, place, content.reason, content.requires)
        return False
    if content.once is not None and moment.holds(content.once, *place):
        _left_out(moment, place, reason.ALREADY_SEEN, None)
        return False
    return True


def _left_out(moment: "Moment", place: tuple[str, str], why: str, condition: "Expression | None") -> None:
    """Trace a candidate that is not shown, and why."""
    if moment.explain:
        moment.note("left_out", place[0], place[1], why, explained(condition, moment.scope))


def _rank(moment: "Moment", slot: "Slot", candidate: "Candidate", item: Any) -> float:
    if candidate.rank is None:
        return 0.0
    moment.scope.item = item
    try:
        return float(moment.value(candidate.rank, f"slot:{slot.slot}", ""))
    except CelError:
        return 0.0


def _shown(moment: "Moment", slot: "Slot", eligible: Eligible) -> dict[str, Any]:
    moment.scope.item = eligible.item
    values: dict[str, Any] = {}
    for source in (eligible.content.with_, slot.with_, eligible.candidate.with_):
        for name, expression in source.items():
            try:
                values[name] = plain(moment.value(expression, f"slot:{slot.slot}", ""))
            except CelError:
                values[name] = None
    return {"content": eligible.content.content, "values": values, **_variant(moment, eligible.content)}


def _variant(moment: "Moment", content: "Content") -> dict[str, Any]:
    channel = moment.scope.ask.get("channel", "")
    variant = content.variants.get(channel)
    if variant is None:
        return {"name": content.content, "fields": {}}
    language = moment.scope.language()
    fields: dict[str, Any] = {"data": variant.data} if variant.data else {}
    for field in ("title", "text", "image", "link", "say"):
        text = getattr(variant, field)
        if text is not None:
            fields[field] = text.in_language(language, moment.program.language)
    if variant.file:
        fields["file"] = variant.file
    return {"name": variant.name or content.content, "fields": fields}


def _default(moment: "Moment", slot: "Slot", why: str, around: frozenset[str] = frozenset()) -> dict[str, Any]:
    content = moment.program.contents.get(slot.default) if slot.default else None
    shown = _variant(moment, content) if content is not None else {"name": slot.default or "", "fields": {}}
    values: dict[str, Any] = {}
    answer = {"content": slot.default or "", "reason": why, "values": values, **shown}
    if slot.items > 1:
        answer["items"] = []
    return answer if why == "only" else _with_includes(moment, slot, answer, around)


def _with_includes(moment: "Moment", slot: "Slot", answer: dict[str, Any], around: frozenset[str]) -> dict[str, Any]:
    if slot.include:
        inside = around | {slot.slot}
        answer["include"] = {field: _included(moment, other, inside) for field, other in slot.include.items()}
    return answer


def _included(moment: "Moment", name: str, around: frozenset[str]) -> dict[str, Any]:
    slot = moment.program.slots.get(name)
    if slot is not None and slot.slot in around:
        return {"content": "", "reason": reason.TOO_DEEP, "values": {}}
    return answer_slot(moment, name, around)
