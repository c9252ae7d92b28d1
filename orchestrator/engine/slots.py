"""What a channel should show this customer now: one question, one answer, the same on every channel."""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.engine.context import plain
from orchestrator.engine.explaining import explained
from orchestrator.engine.gates.channel import told_on
from orchestrator.engine.offers.opening import Closed, Opened, open_offer, why_closed
from orchestrator.engine.placements import Placement, kept_back, placed_content, placements_in
from orchestrator.language.cel import CelError
from orchestrator.language.liquid.filters import DECIDED_AT, ZONE
from orchestrator.language.liquid.templates import TemplateError, may_hold_liquid
from orchestrator.language.spec.content import Content
from orchestrator.model import reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import Program
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.content import Candidate, Slot
    from orchestrator.language.spec.values import NameOr


ROW: Final = Content(content="")
"""Stands for a row of a fact: it says nothing itself, whoever asked knows what to make of the row."""


class Fitting(NamedTuple):
    """A content that may be shown, with the offer that it carries."""

    content: Content
    offer: Opened | None = None


class Chosen(NamedTuple):
    """What a candidate names or picks: a content, with the `item` it was picked by; a row of a fact, with its `key`."""

    content: Content
    item: Any = None
    key: str = ""


class Eligible(NamedTuple):
    """What may be shown, and its place in the order: priority, rank, placements first, then as made or written."""

    order: tuple[float, float, bool, int]
    fitting: Fitting
    with_: "Mapping[str, Expression]"
    chosen: Chosen
    placement: Placement | None = None


class Refused(NamedTuple):
    """Why a content is not shown; `lacks` a fact, or an open offer: then another may take its place."""

    why: str
    condition: "Expression | None" = None
    lacks: bool = False
    offer: Closed | None = None


def answer_slot(moment: "Moment", name: str, around: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Answer one slot for the moment's customer; `scope.ask` says who asks.

    The answer: `content` (name, "" for nothing), `reason` where it is the default, `name` of the variant, `values`,
    `fields` of the variant for the asking channel, `offer` with its `terms` and `until`, the `item` of a fact's row
    (whose key is the `name`), `items` for a slot of several, `include`d answers. `around` names the slots that include
    this one: what would include itself is not answered again.
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
    """What `slot_shown` says of an answer: once for each thing in it, those of included slots too.

    `promise` is there where an offer becomes theirs by it.
    """
    for one in answer.get("items") or [answer]:
        if is_something(one):
            more = {name: one[name] for name in ("placement", "promise") if name in one}
            if "item" in one:
                more["item"] = one["name"]
            yield {"slot": slot, "content": one["content"], "offer": one.get("offer", ""), **more}
    for field, inner in answer.get("include", {}).items():
        yield from shown_by(program, program.slots[slot].include[field], inner)


def is_something(answer: dict[str, Any]) -> bool:
    """Whether an answer shows a content, an offer, or a row of a fact."""
    return bool(answer["content"] or answer.get("offer") or "item" in answer)


def called(answer: "Mapping[str, Any]") -> str:
    """What reports call that which an answer shows; "" where it shows nothing."""
    return str(answer["content"] or answer.get("offer") or (answer["name"] if "item" in answer else ""))


def _placed(moment: "Moment", slot: "Slot") -> list[Eligible]:
    """What scenarios have placed here. Their contents know the story that placed them."""
    found = []
    for place, placement in enumerate(placements_in(moment, slot)):
        content = placed_content(moment.program, placement.standing)
        moment.scope.tell_story(placement.instance, placement.plan)
        fitting = _fitting(moment, slot, content, placement) if content is not None else None
        if fitting is not None:
            order = (-float(placement.priority), 0.0, False, place)
            found.append(Eligible(order, fitting, placement.step.body.with_, Chosen(fitting.content), placement))
    moment.scope.end_story()
    moment.scope.no_offer()
    return found


def _candidates(moment: "Moment", slot: "Slot") -> list[Eligible]:
    found: list[Eligible] = []
    for place, candidate in enumerate(slot.candidates):
        if not moment.holds(candidate.when, f"slot:{slot.slot}", ""):
            _left_out(moment, (f"slot:{slot.slot}", _called(candidate)), Refused("when", candidate.when))
            continue
        for chosen in _chosen(moment, slot, candidate):
            fitting = _fitting(moment, slot, chosen.content)
            if fitting is not None:
                order = (-float(candidate.priority), -_rank(moment, slot, candidate, chosen.item), True, place)
                found.append(Eligible(order, fitting, candidate.with_, chosen))
    moment.scope.no_offer()
    return found


def _called(candidate: "Candidate") -> str:
    """A candidate as a trace names it."""
    for name in (candidate.content, candidate.offer):
        if name is not None:
            return name.name or (name.expr.source if name.expr is not None else "")
    return f"from {candidate.from_}"


def _chosen(moment: "Moment", slot: "Slot", candidate: "Candidate") -> list[Chosen]:
    program = moment.program
    if candidate.from_ not in {None, "content", "offers"}:
        rows = moment.facts.rows.get(candidate.from_ or "", {})
        picked = [Chosen(ROW, rows[key], key) for key in sorted(rows)]
        return [one for one in picked if _item_fits(moment, slot, candidate, one.item)]
    named = candidate.content or candidate.offer
    among = program.contents if candidate.content is not None or candidate.from_ == "content" else program.bare_offers
    if named is not None:
        name = _name(moment, slot, named)
        return [Chosen(among[name])] if name in among else []
    picked = [Chosen(one, one.as_item() if one.content else _offer_item(one)) for one in among.values()]
    return [one for one in picked if _item_fits(moment, slot, candidate, one.item)]


def _name(moment: "Moment", slot: "Slot", named: "NameOr") -> str:
    """The name that a candidate has; "" where it cannot be known."""
    try:
        return str(moment.value(named.expr, f"slot:{slot.slot}", "")) if named.expr is not None else named.name or ""
    except CelError:
        return ""


def _offer_item(content: Content) -> dict[str, Any]:
    """An offer as a condition sees it where offers are chosen from: `item`."""
    return {"name": content.offer, "about": [one.name for one in content.about]}


def _item_fits(moment: "Moment", slot: "Slot", candidate: "Candidate", item: dict[str, Any]) -> bool:
    moment.scope.item = item
    return moment.holds(candidate.where, f"slot:{slot.slot}", "")


def _fitting(moment: "Moment", slot: "Slot", content: Content, placement: Placement | None = None) -> Fitting | None:
    """A content that may be shown, or what takes its place where it lacks a fact; None where neither may."""
    found = _looked_at(moment, slot, content, placement)
    if isinstance(found, Fitting):
        return found
    other = moment.program.content(content.instead) if found.lacks and content.instead else None
    second = _looked_at(moment, slot, other, placement) if other is not None else None
    return second if isinstance(second, Fitting) else None


def _looked_at(moment: "Moment", slot: "Slot", content: Content, placement: Placement | None) -> Fitting | Refused:
    place = (f"slot:{slot.slot}", content.content or content.offer or "")
    offer = None
    if moment.program.offers:
        moment.scope.no_offer()
        offer = open_offer(moment, content.offer, granted=placement is not None) if content.offer else None
    refused = _refused(moment, place, content, placement)
    if refused is None and isinstance(offer, Closed):
        refused = Refused(reason.NO_OFFER, offer.condition, lacks=True, offer=offer)
    if refused is not None:
        _left_out(moment, place, refused)
        return refused
    return Fitting(content, offer if isinstance(offer, Opened) else None)


def _refused(moment: "Moment", place: tuple[str, str], content: Content, placement: Placement | None) -> Refused | None:
    """Why a content may not be shown. A channel that is not named takes any variant."""
    channel = moment.scope.ask.get("channel", "") if content.content else ""
    if channel and not told_on(channel, content, moment):
        return Refused(f"no variant for {channel}")
    if content.valid_until is not None and not _is_valid(moment, place, content.valid_until):
        return Refused(reason.EXPIRED, content.valid_until)
    kept = kept_back(moment, placement, content) if placement is not None else ""
    return Refused(kept) if kept else _unfit(moment, place, content)


def _unfit(moment: "Moment", place: tuple[str, str], content: Content) -> Refused | None:
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
        why = why_closed(moment, refused.offer) if refused.offer is not None else {}
        moment.note("left_out", *place, refused.why, {**why, **explained(refused.condition, moment.scope)})


def _rank(moment: "Moment", slot: "Slot", candidate: "Candidate", item: Any) -> float:
    if candidate.rank is None:
        return 0.0
    moment.scope.item = item
    try:
        return float(moment.value(candidate.rank, f"slot:{slot.slot}", ""))
    except CelError:
        return 0.0


def _shown(moment: "Moment", slot: "Slot", eligible: Eligible) -> dict[str, Any]:
    moment.scope.item = eligible.chosen.item
    placement, (content, offer) = eligible.placement, eligible.fitting
    if placement is not None:
        moment.scope.tell_story(placement.instance, placement.plan)
    values: dict[str, Any] = {}
    if offer is not None:
        values |= offer.terms
        moment.scope.offer = offer.told()
    for source in (content.with_, slot.with_, eligible.with_):
        values |= _values(moment, slot, source)
    answer = {"content": content.content, "values": values, **_variant(moment, slot, content, values)}
    moment.scope.no_offer()
    if offer is not None:
        by = placement.plan.name if placement is not None else f"slot:{slot.slot}"
        answer |= _offered(offer, by)
    if content is ROW:
        answer |= {"name": eligible.chosen.key, "item": plain(eligible.chosen.item)}
    if placement is not None:
        moment.scope.end_story()
        answer |= {"placement": placement.standing.data["placement"], "scenario": placement.plan.name}
    return answer


def _offered(offer: Opened, by: str) -> dict[str, Any]:
    """What an answer says of its offer; `promise` is for the customer's record, where it becomes theirs by this."""
    answer: dict[str, Any] = {"offer": offer.name, "terms": offer.terms}
    if offer.until:
        answer["until"] = offer.until
    if offer.begins:
        answer["promise"] = {"until": offer.until, "terms": offer.terms, "item": offer.item, "by": by}
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


def _variant(moment: "Moment", slot: "Slot", content: Content, values: dict[str, Any]) -> dict[str, Any]:
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
