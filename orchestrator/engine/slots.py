"""What a channel should show this customer now: one question, one answer, the same on every channel."""

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.engine.context import plain
from orchestrator.engine.explaining import explained
from orchestrator.engine.gates.channel import told_on
from orchestrator.engine.placements import Placement, kept_back, placements_in
from orchestrator.language.cel import CelError
from orchestrator.language.liquid.filters import DECIDED_AT, ZONE
from orchestrator.language.liquid.templates import TemplateError, may_hold_liquid
from orchestrator.model import reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.content import Candidate, Content, Slot


class Eligible(NamedTuple):
    """What may be shown, and its place in the order: priority, rank, placements first, then as made or written."""

    order: tuple[float, float, bool, int]
    content: "Content"
    with_: "Mapping[str, Expression]"
    item: Any = None
    placement: Placement | None = None


class Refused(NamedTuple):
    """Why a content is not shown; `lacks` a fact: then another may take its place."""

    why: str
    condition: "Expression | None" = None
    lacks: bool = False


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
        _left_out(moment, (f"slot:{name}", ""), Refused("only", slot.only))
        return _default(moment, slot, "only")
    found = sorted((*_candidates(moment, slot), *_placed(moment, slot)), key=lambda eligible: eligible.order)
    if not found:
        return _default(moment, slot, reason.FALLBACK, around)
    answers = [_shown(moment, slot, eligible) for eligible in found[: slot.items]]
    answer = dict(answers[0])
    if slot.items > 1:
        answer["items"] = answers
    return _with_includes(moment, slot, answer, around)


def shown_by(program: "Program", slot: str, answer: dict[str, Any]) -> "Iterator[dict[str, Any]]":
    """What `slot_shown` says of an answer: once for each content in it, those of included slots too."""
    for one in answer.get("items") or [answer]:
        if one["content"]:
            placed = {"placement": one["placement"]} if "placement" in one else {}
            yield {"slot": slot, "content": one["content"], "offer": one.get("offer", ""), **placed}
    for field, inner in answer.get("include", {}).items():
        yield from shown_by(program, program.slots[slot].include[field], inner)


def _placed(moment: "Moment", slot: "Slot") -> list[Eligible]:
    """What scenarios have placed here. Their contents know the story that placed them."""
    found = []
    for place, placement in enumerate(placements_in(moment, slot)):
        content = moment.program.content(placement.standing.data["content"])
        moment.scope.tell_story(placement.instance, placement.plan)
        fitting = _fitting(moment, slot, content, placement) if content is not None else None
        if fitting is not None:
            order = (-float(placement.priority), 0.0, False, place)
            found.append(Eligible(order, fitting, placement.step.body.with_, None, placement))
    moment.scope.end_story()
    return found


def _candidates(moment: "Moment", slot: "Slot") -> list[Eligible]:
    found: list[Eligible] = []
    for place, candidate in enumerate(slot.candidates):
        if not moment.holds(candidate.when, f"slot:{slot.slot}", ""):
            _left_out(moment, (f"slot:{slot.slot}", _called(candidate)), Refused("when", candidate.when))
            continue
        for content, item in _contents(moment, slot, candidate):
            fitting = _fitting(moment, slot, content)
            if fitting is not None:
                order = (-float(candidate.priority), -_rank(moment, slot, candidate, item), True, place)
                found.append(Eligible(order, fitting, candidate.with_, item))
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
            for content, item in ((c, c.as_item()) for c in contents.values())
            if _item_fits(moment, slot, candidate, item)
        ]
    return []


def _item_fits(moment: "Moment", slot: "Slot", candidate: "Candidate", item: dict[str, Any]) -> bool:
    moment.scope.item = item
    return moment.holds(candidate.where, f"slot:{slot.slot}", "")


def _fitting(
    moment: "Moment", slot: "Slot", content: "Content", placement: Placement | None = None
) -> "Content | None":
    """A content that may be shown, or what takes its place where it lacks a fact; None where neither may."""
    place = (f"slot:{slot.slot}", content.content)
    refused = _refused(moment, place, content, placement)
    if refused is None:
        return content
    _left_out(moment, place, refused)
    other = moment.program.content(content.instead) if refused.lacks and content.instead else None
    if other is None:
        return None
    place = (place[0], other.content)
    refused = _refused(moment, place, other, placement)
    if refused is not None:
        _left_out(moment, place, refused)
    return other if refused is None else None


def _refused(
    moment: "Moment", place: tuple[str, str], content: "Content", placement: Placement | None
) -> Refused | None:
    """Why a content may not be shown. A channel that is not named takes any variant."""
    channel = moment.scope.ask.get("channel", "")
    if channel and not told_on(channel, content, moment):
        return Refused(f"no variant for {channel}")
    if content.valid_until is not None and not _is_valid(moment, place, content.valid_until):
        return Refused(reason.EXPIRED, content.valid_until)
    kept = kept_back(moment, placement, content) if placement is not None else ""
    return Refused(kept) if kept else _unfit(moment, place, content)


def _unfit(moment: "Moment", place: tuple[str, str], content: "Content") -> Refused | None:
    """Whom it does not suit, the fact that it lacks, and what they have seen."""
    if not moment.holds(content.suits, *place):
        return Refused(reason.NOT_SUITED, content.suits)
    if not moment.holds(content.requires, *place):
        return Refused(content.reason, content.requires, lacks=True)
    if content.once is not None and moment.holds(content.once, *place):
        return Refused(reason.ALREADY_SEEN)
    return None


def _is_valid(moment: "Moment", place: tuple[str, str], until: "Expression") -> bool:
    try:
        return moment.now < int(moment.value(until, *place).ms)
    except CelError:
        return False


def _left_out(moment: "Moment", place: tuple[str, str], refused: Refused) -> None:
    """Trace what is not shown, and why."""
    if moment.explain:
        moment.note("left_out", place[0], place[1], refused.why, explained(refused.condition, moment.scope))


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
    placement, content = eligible.placement, eligible.content
    if placement is not None:
        moment.scope.tell_story(placement.instance, placement.plan)
    values: dict[str, Any] = {}
    for source in (content.with_, slot.with_, eligible.with_):
        values |= _values(moment, slot, source)
    answer = {"content": content.content, "values": values, **_variant(moment, slot, content, values)}
    if placement is not None:
        moment.scope.end_story()
        answer |= {"placement": placement.standing.data["placement"], "scenario": placement.plan.name}
    return answer


def _values(moment: "Moment", slot: "Slot", source: "Mapping[str, Expression]") -> dict[str, Any]:
    """Values returned beside a content; what is unknown is null."""
    values: dict[str, Any] = {}
    for name, expression in source.items():
        try:
            values[name] = plain(moment.value(expression, f"slot:{slot.slot}", ""))
        except CelError:
            values[name] = None
    return values


def _variant(moment: "Moment", slot: "Slot", content: "Content", values: dict[str, Any]) -> dict[str, Any]:
    """What the content says on the asking channel, in the customer's language, with these values."""
    variant = content.variants.get(moment.scope.ask.get("channel", ""))
    if variant is None:
        return {"name": content.content, "fields": {}}
    language = moment.scope.language()
    fields: dict[str, Any] = {"data": variant.data} if variant.data else {}
    for field in ("title", "text", "image", "link", "say"):
        text = getattr(variant, field)
        said = text.in_language(language, moment.program.language) if text is not None else None
        if said is not None and may_hold_liquid(said):
            said = _rendered(moment, (f"slot:{slot.slot}", content.content), said, {"language": language, **values})
        if text is not None:
            fields[field] = said
    if variant.file:
        fields["file"] = variant.file
    return {"name": variant.name or content.content, "fields": fields}


def _rendered(moment: "Moment", place: tuple[str, str], text: str, values: dict[str, Any]) -> str | None:
    """A text with its values; None where one is missing or unknown: half a sentence is not shown."""
    known = {name: value for name, value in values.items() if value is not None}
    clock = {ZONE: moment.scope.zone_name(), DECIDED_AT: moment.now}
    try:
        return moment.program.templates.render(text, {**known, **clock})
    except TemplateError as problem:
        moment.note("unknown", place[0], place[1], "error", {"because": str(problem)})
        return None


def _default(moment: "Moment", slot: "Slot", why: str, around: frozenset[str] = frozenset()) -> dict[str, Any]:
    content = moment.program.contents.get(slot.default) if slot.default else None
    told = content.with_ if content is not None and why != "only" else {}  # of the customer, whom this is kept from
    values = _values(moment, slot, told)
    shown = _variant(moment, slot, content, values) if content is not None else {"name": "", "fields": {}}
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
