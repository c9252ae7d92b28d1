"""Whether an offer is open to a customer now, and at which terms."""

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.engine.context import plain
from orchestrator.engine.explaining import explained
from orchestrator.engine.gates.caps import start_of
from orchestrator.engine.offers.states import NONE, REDEEMED, REFUSED, SHOWN, is_promised, offer_map, state_at, told_map
from orchestrator.language.cel import CelError
from orchestrator.model import reason

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.content import Offer
    from orchestrator.model.customer import Offered


class Opened(NamedTuple):
    """An offer that is open, at these terms, until then (ms, 0: nothing is promised); `begins`: theirs from now."""

    name: str
    about: tuple[str, ...]
    terms: dict[str, Any]
    until: int
    item: str
    begins: bool

    def told(self) -> dict[str, Any]:
        """As conditions see it."""
        return told_map(self.name, self.terms, self.until, NONE if self.begins else SHOWN)


class Closed(NamedTuple):
    """Why an offer is not open; `lacks` a fact: then another may take its place."""

    name: str
    why: str
    condition: "Expression | None" = None
    lacks: bool = False


def open_offer(moment: "Moment", name: str, *, granted: bool) -> Opened | Closed:
    """Whether an offer is open, or the one that takes its place where its `requires` is false.

    Afterwards `scope.offer` is the offer that was found, or the closed one as it stands. Nothing is recorded.

    Args:
        moment: whose customer.
        name: of the offer; one that no document declares is closed, and to nobody known nothing can be promised.
        granted: a scenario shows or sends it.
    """
    scope, outer = moment.scope, moment.scope.item
    document = moment.program.offers.get(name)
    if not moment.customer.person:
        return Closed(name, "nobody_known")
    found = Closed(name, "unknown") if document is None else _look(moment, document, granted)
    other = _in_its_place(moment, document) if isinstance(found, Closed) and found.lacks else None
    if other is not None:
        second = _look(moment, other, granted)
        found = second if isinstance(second, Opened) else found
    scope.item = outer
    kept = moment.customer.offers.get(found.name)
    scope.offer = found.told() if isinstance(found, Opened) else offer_map(name, kept, moment.now)
    return found


def why_closed(moment: "Moment", closed: Closed) -> dict[str, Any]:
    """What a trace says of it."""
    told: dict[str, Any] = {"offer": closed.name, "because": closed.why}
    if moment.explain:
        return {**told, **explained(closed.condition, moment.scope)}
    return told if closed.condition is None else {**told, "condition": closed.condition.source}


def _in_its_place(moment: "Moment", document: "Offer | None") -> "Offer | None":
    named = document.instead if document is not None else None
    return moment.program.offers.get(named) if named else None


def _look(moment: "Moment", document: "Offer", granted: bool) -> Opened | Closed:
    """What is promised stays open at its terms, unless it lacks a fact; all else is looked at anew."""
    name, kept = document.offer, moment.customer.offers.get(document.offer)
    moment.scope.offer, moment.scope.item = offer_map(name, kept, moment.now), None
    if kept is not None and is_promised(kept, moment.now):
        if document.from_ is not None:
            moment.scope.item = moment.facts.row(document.from_, kept.item)
        if not moment.holds(document.requires, f"offer:{name}", ""):
            return Closed(name, reason.OUT_OF_STOCK, document.requires, lacks=True)
        return Opened(name, document.about, kept.terms, kept.until, kept.item, begins=False)
    return _closed(moment, document, kept, granted) or _anew(moment, document, kept)


def _closed(moment: "Moment", document: "Offer", kept: "Offered | None", granted: bool) -> Closed | None:
    """Why it cannot be had by this customer at all, whatever its terms would be."""
    name, state = document.offer, state_at(kept, moment.now)
    if state == REFUSED or (state in {REDEEMED, reason.EXPIRED} and _per_customer(document) is None):
        return Closed(name, state)
    if document.granted_only and not granted and state != SHOWN:
        return Closed(name, "not_granted")
    if state != SHOWN and kept is not None and _had_enough(moment, document, kept):
        return Closed(name, reason.CAPPED)
    if not moment.holds(document.when, f"offer:{name}", ""):
        return Closed(name, reason.NOT_SUITED, document.when)
    return None


def _per_customer(document: "Offer") -> Any:
    return document.limit.per_customer if document.limit is not None else None


def _had_enough(moment: "Moment", document: "Offer", kept: "Offered") -> bool:
    """Whether they had it as often as they may in the window that ends now."""
    limit = _per_customer(document)
    return limit is not None and sum(at > start_of(limit.per, moment) for at in kept.had) >= limit.limit


def _anew(moment: "Moment", document: "Offer", kept: "Offered | None") -> Opened | Closed:
    """Its terms as they are now."""
    name, item = document.offer, ""
    if document.from_ is not None:
        picked = _pick(moment, document)
        if picked is None:
            return Closed(name, "no_item", document.where, lacks=True)
        item, moment.scope.item = picked
    if not moment.holds(document.requires, f"offer:{name}", ""):
        return Closed(name, reason.OUT_OF_STOCK, document.requires, lacks=True)
    try:
        terms = {term: plain(moment.value(said, f"offer:{name}", "")) for term, said in document.terms.items()}
    except CelError:
        return Closed(name, reason.ERROR)
    until = moment.now + document.valid_for if document.valid_for else 0
    begins = bool(until) or state_at(kept, moment.now) != SHOWN  # what is promised from now on begins now
    return Opened(name, document.about, terms, until, item, begins)


def _pick(moment: "Moment", document: "Offer") -> tuple[str, dict[str, Any]] | None:
    """The row of the fact with the highest rank, of those that fit; of equals the first by key."""
    best: tuple[float, str, dict[str, Any]] | None = None
    rows = moment.facts.rows.get(document.from_ or "", {})
    for key in sorted(rows):
        moment.scope.item = rows[key]
        if not moment.holds(document.where, f"offer:{document.offer}", ""):
            continue
        rank = _rank(moment, document)
        if best is None or rank > best[0]:
            best = (rank, key, rows[key])
    return best[1:] if best is not None else None


def _rank(moment: "Moment", document: "Offer") -> float:
    if document.rank is None:
        return 0.0
    try:
        return float(moment.value(document.rank, f"offer:{document.offer}", ""))
    except CelError:
        return 0.0
