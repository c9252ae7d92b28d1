"""What becomes of an offer for one customer: shown, redeemed, refused, expired.

The state is the customer's, whatever channel or scenario showed it: so the terms that one channel has told are those
of every other until they end, and what was redeemed in a shop is closed in every message still to come.
"""

from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from orchestrator.language.cel import Timestamp
from orchestrator.model.customer import OFFERS_HAD_KEPT, Offered
from orchestrator.model.reason import EXPIRED

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.offers.opening import Opened
    from orchestrator.engine.program.plan import EventPlan, OfferPlan
    from orchestrator.model.customer import Customer
    from orchestrator.model.event import Event

NONE: Final = "none"
SHOWN: Final = "shown"
REDEEMED: Final = "redeemed"
REFUSED: Final = "refused"

OFFERS_KEPT: Final = 200
"""So many are remembered at least; beside them all that the release declares."""
_CLOSED: Final = (REDEEMED, REFUSED)


def state_at(offered: Offered | None, at: int) -> str:
    """The state of an offer at a time (ms): `none`, `shown`, `redeemed`, `refused` or `expired`."""
    if offered is None:
        return NONE
    over = bool(offered.until) and offered.until <= at
    if over and offered.state == SHOWN:
        return EXPIRED
    return NONE if over and offered.state == REFUSED else offered.state


def is_promised(offered: Offered | None, at: int) -> bool:
    """Whether its terms hold until a time that is still ahead."""
    return offered is not None and offered.state == SHOWN and offered.until > at


def offer_map(name: str, offered: Offered | None, at: int) -> dict[str, Any]:
    """An offer as conditions see it."""
    terms = offered.terms if offered is not None else {}
    until = offered.until if is_promised(offered, at) and offered is not None else 0
    return told_map(name, terms, until, state_at(offered, at))


def told_map(name: str, terms: dict[str, Any], until: int, state: str) -> dict[str, Any]:
    """The record `offer`: `price` is the term of that name, where it is a number."""
    price = terms.get("price")
    return {
        "name": name,
        "price": float(price) if isinstance(price, int | float) and not isinstance(price, bool) else None,
        "terms": terms,
        "until": Timestamp.of_ms(until) if until else None,
        "state": state,
    }


def apply_offers(moment: "Moment", event: "Event", plan: "EventPlan") -> None:
    """Step 4 of a moment: an event redeems or refuses offers, or tells that one was shown."""
    moment.scope.refresh()  # conditions see what the event has made of the profile
    for rule in plan.offers:
        moment.scope.offer = offer_map(rule.offer, moment.customer.offers.get(rule.offer), moment.now)
        if moment.holds(rule.where, f"offer:{rule.offer}", ""):
            _close(moment, event, rule)
    moment.scope.no_offer()
    promise = event.data.get("promise") if plan.shows else None
    if promise is not None:
        shown = Offered(SHOWN, event.time, promise["until"], promise["terms"], promise["item"], (), promise["by"])
        put_on_record(moment, event.data["offer"], shown)


def show(moment: "Moment", opened: "Opened", by: str) -> None:
    """A message tells it now."""
    if opened.begins or not opened.until:
        put_on_record(moment, opened.name, Offered(SHOWN, moment.now, opened.until, opened.terms, opened.item, (), by))


def put_on_record(moment: "Moment", name: str, shown: Offered) -> None:
    """It was shown to them; what was told first stands.

    A question is answered before what it showed is on record: meanwhile it may have been redeemed or refused, or shown
    to them elsewhere.
    """
    known = moment.customer.offers.get(name)
    had = known.had if known is not None else ()
    if known is not None:
        if is_promised(known, shown.at) or (known.state in _CLOSED and shown.at <= known.at):
            return
        if known.state == SHOWN and not known.until:  # theirs since then; what is not promised is told anew each time
            _set(moment, name, Offered(SHOWN, known.at, shown.until, shown.terms, shown.item, had, known.by))
            return
    had = (*had, shown.at)[-OFFERS_HAD_KEPT:]
    _set(moment, name, Offered(SHOWN, shown.at, shown.until, shown.terms, shown.item, had, shown.by))
    _tell(moment, name, SHOWN, by=shown.by, terms=shown.terms, until=shown.until)


def expire_offers(moment: "Moment", at: int) -> None:
    """What was promised until now is over."""
    for name, offered in moment.customer.offers.items():
        if offered.state == SHOWN and 0 < offered.until <= at:
            _set(moment, name, _ended(offered, EXPIRED, offered.until, 0))
            _tell(moment, name, EXPIRED)


def earliest_expiry(customer: "Customer") -> int:
    """When the next offer expires (ms), 0 where none does."""
    ends = [offered.until for offered in customer.offers.values() if offered.state == SHOWN and offered.until]
    return min(ends, default=0)


def join_offers(one: dict[str, Offered], other: dict[str, Offered], now: int) -> dict[str, Offered]:
    """The offers of two halves: what one has redeemed or refused is closed for both, what one was promised holds.

    As things stand `now` (ms): a refusal whose cool-down is over takes no promise away.
    """
    joined = dict(one)
    for name, theirs in other.items():
        mine = one.get(name)
        joined[name] = theirs if mine is None else _joined(mine, theirs, now)
    return joined


def _joined(one: Offered, other: Offered, now: int) -> Offered:
    first, second = sorted((one, other), key=lambda offered: _counts_before(offered, now))
    had = tuple(sorted({*one.had, *other.had}))[-OFFERS_HAD_KEPT:]
    until = max(first.until, second.until) if first.state == second.state == REFUSED else first.until
    return Offered(first.state, first.at, until, first.terms, first.item, had, first.by)


_STRENGTH: Final = (REDEEMED, REFUSED, SHOWN, EXPIRED, NONE)


def _counts_before(offered: Offered, now: int) -> tuple[int, int, int, str]:
    """Of two promises the one made first: it was told before anybody could know of the other."""
    return _STRENGTH.index(state_at(offered, now)), offered.at, offered.until, offered.by


def _close(moment: "Moment", event: "Event", rule: "OfferPlan") -> None:
    """It is closed whatever it was before: who was never shown it may have its code from a friend."""
    known = moment.customer.offers.get(rule.offer)
    if known is not None and known.state == REDEEMED:
        return
    state = REFUSED if rule.refuses else REDEEMED
    until = event.time + rule.cool_down if rule.refuses else 0
    was = state_at(known, event.time)
    if known is not None and known.state == state:
        until = max(until, known.until)
    had = (event.time,) if state == REDEEMED and was in {NONE, REFUSED} else ()
    known = known or Offered(NONE, event.time)
    known = replace(known, had=(*known.had, *had)[-OFFERS_HAD_KEPT:])
    _set(moment, rule.offer, _ended(known, state, event.time, until))
    _tell(moment, rule.offer, state, was=was)


def _tell(moment: "Moment", name: str, became: str, **more: Any) -> None:
    """Trace what has become of an offer; an event of the engine says it, too."""
    what = f"offer_{became}"
    moment.note(what, f"offer:{name}", "", "", {"offer": name, **more})
    moment.make(what, {"offer": name, **{field: more[field] for field in _TOLD.get(what, ())}})


_TOLD: Final = {"offer_shown": ("by",), "offer_redeemed": ("was",), "offer_refused": ("was",)}
"""Event -> what it says beside the offer's name."""


def _ended(known: Offered, state: str, at: int, until: int) -> Offered:
    return replace(known, state=state, at=at, until=until)


def _set(moment: "Moment", name: str, offered: Offered) -> None:
    """One customer's record stays bounded: of offers that are declared no more, the newest are remembered."""
    kept = {**moment.customer.offers, name: offered}
    if len(kept) > OFFERS_KEPT:
        gone = sorted((one.at, known) for known, one in kept.items() if known not in moment.program.offers)
        for _, known in gone[: len(kept) - OFFERS_KEPT]:
            del kept[known]
    moment.customer.offers = kept
