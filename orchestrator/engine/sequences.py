"""Entry by `sequence`: events in order of event time, with others between.

What fits an element is kept for as long as it may still count: `within` and the lateness. A sequence is looked for
backwards from an event that could be its last, each time anything before it arrives, so that the order of arrival does
not matter; an event completes it once. Of several ways to complete it the earliest events are taken.
"""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from orchestrator.engine.maps import EventMap, opened_event, stored_event

if TYPE_CHECKING:
    from orchestrator.engine.context import Context
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import ScenarioPlan
    from orchestrator.engine.program.sequence import SequencePlan
    from orchestrator.model.event import Event

MOST_KEPT: Final = 50
MOST_PENDING: Final = 20
MOST_TRIES: Final = 2_000
_ABSENT: Final = 1 << 30


class Seen(msgspec.Struct, array_like=True, gc=False, order=True):
    """An event that fits elements: a bit of `fits` each. `done`: it has completed the sequence."""

    at: int
    name: str
    fits: int
    event: dict[str, Any]
    done: bool = False

    @property
    def place(self) -> tuple[int, str]:
        """Where it stands in the order of events."""
        return self.at, self.name


class Pending(msgspec.Struct, array_like=True, gc=False):
    """A sequence that completes at `due`, if what must be absent does not happen until then."""

    due: int
    event: dict[str, Any]


class Matching(msgspec.Struct, array_like=True, gc=False):
    """What one customer's record keeps for one sequence; `sign` says for which elements, "" for whatever they are."""

    seen: list[Seen] = []
    pending: list[Pending] = []
    sign: str = ""


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(Matching).decode


class Scope:
    """What a condition of a sequence sees: an element as `event`, the elements before it by name, and the rest."""

    def __init__(self, outer: "Context", event: EventMap, names: dict[str, EventMap]) -> None:
        self.__dict__.update(names)
        self.event = event
        self.item: Any = None
        self.outer = outer

    def __getattr__(self, name: str) -> Any:
        return getattr(self.outer, name)


class Completed(NamedTuple):
    """A sequence that is complete: the entry of an instance, and when it came about (ms)."""

    stored: dict[str, Any]
    at: int


def remember(moment: "Moment", plan: "ScenarioPlan", event: "Event") -> Matching:
    """Keep an event that fits elements; what must be absent and has happened ends what waits."""
    sequence = _sequence(plan)
    state = _opened(moment, plan)
    fits = _fits(moment, plan, sequence, event)
    one = Seen(event.time, f"{event.id}\n{event.source}", fits, stored_event(event, sequence.fields))
    if not fits or any(known.place == one.place for known in state.seen):
        return state
    horizon = moment.now - moment.program.lateness - max(sequence.within, sequence.for_)
    kept = [known for known in state.seen if known.at > horizon]
    state.seen = sorted([*kept, one], key=lambda known: known.place)[-MOST_KEPT:]
    if fits & _ABSENT:
        state.pending = [pending for pending in state.pending if not _broken(moment, plan, pending, [one])]
    _keep(moment, plan, state)
    return state


def completed(moment: "Moment", plan: "ScenarioPlan", event: "Event") -> list[Completed]:
    """The sequences that an event completes: as their last event, or as one that was missing and came late."""
    state = remember(moment, plan, event)
    return _completions(moment, plan, state, event.time)


def completed_by_merge(moment: "Moment", plan: "ScenarioPlan") -> list[Completed]:
    """Two halves have become one: what their events complete together, if it is not too late for it.

    What must be absent on the time line of one may have happened on the other's.
    """
    state = _opened(moment, plan)
    left = [pending for pending in state.pending if not _broken(moment, plan, pending, state.seen)]
    if len(left) < len(state.pending):
        state.pending = left
        _keep(moment, plan, state)
    return _completions(moment, plan, state, moment.now - moment.program.lateness)


def completed_by_absence(moment: "Moment", plan: "ScenarioPlan", at: int) -> list[Completed]:
    """The sequences that were only waiting for a time, which has come."""
    state = _opened(moment, plan)
    ready = [Completed(pending.event, pending.due) for pending in state.pending if pending.due <= at]
    state.pending = [pending for pending in state.pending if pending.due > at]
    _keep(moment, plan, state)
    return ready


def join(one: list[Any], other: list[Any]) -> list[Any]:
    """The states of two halves as one; where a release lies between them, the one of the newer event."""
    mine, theirs = _decode(one[1]), _decode(other[1])
    if mine.sign != theirs.sign:
        return _packed(
            max(mine, theirs, key=lambda state: (state.seen[-1].place if state.seen else (0, ""), state.sign))
        )
    seen = {known.place: known for known in theirs.seen}
    for known in mine.seen:
        twin = seen.get(known.place)
        known.done = known.done or (twin is not None and twin.done)
        seen[known.place] = known
    pending = sorted(mine.pending + theirs.pending, key=lambda waiting: waiting.due)[:MOST_PENDING]
    kept = sorted(seen.values(), key=lambda known: known.place)[-MOST_KEPT:]
    return _packed(Matching(kept, pending, mine.sign))


def _sequence(plan: "ScenarioPlan") -> "SequencePlan":
    assert plan.sequence is not None  # noqa: S101 - only such plans come here
    return plan.sequence


def _opened(moment: "Moment", plan: "ScenarioPlan") -> Matching:
    """What is kept; nothing where a release has changed the elements since: what fitted them fits others now."""
    known, sign = moment.customer.matching.get(plan.name), _sequence(plan).sign
    state = _decode(known[1]) if known is not None and isinstance(known[1], bytes) else Matching()
    return state if state.sign in {"", sign} else Matching(sign=sign)


def _packed(state: Matching) -> list[Any]:
    return [min((pending.due for pending in state.pending), default=0), _encode(state)]


def _keep(moment: "Moment", plan: "ScenarioPlan", state: Matching) -> None:
    state.sign = _sequence(plan).sign
    moment.customer.matching = {**moment.customer.matching, plan.name: _packed(state)}


def _fits(moment: "Moment", plan: "ScenarioPlan", sequence: "SequencePlan", event: "Event") -> int:
    """A bit for each element that the event fits, as far as that can be told of it alone."""
    names = (event.type, f"{event.channel}.{event.type}")
    elements = [(1 << number, element) for number, element in enumerate(sequence.elements)]
    if sequence.absent is not None:
        elements.append((_ABSENT, sequence.absent))
    fits = 0
    for bit, element in elements:
        if (names[0] in element.on or names[1] in element.on) and (
            not element.free or moment.holds(element.where, plan.name, "")
        ):
            fits |= bit
    return fits


def _completions(moment: "Moment", plan: "ScenarioPlan", state: Matching, since: int) -> list[Completed]:
    """What is complete with a last event at `since` (ms) or later that has completed nothing yet."""
    sequence = _sequence(plan)
    last = 1 << (len(sequence.elements) - 1)
    found: list[Completed] = []
    changed = False
    for one in state.seen:
        if one.at < since or one.done or not one.fits & last:
            continue
        chain = _Search(moment, plan, state.seen, one).chain()
        if chain is not None:
            one.done = changed = True
            found += _or_wait(moment, plan, state, chain)
    if changed:
        _keep(moment, plan, state)
    return found


def _or_wait(moment: "Moment", plan: "ScenarioPlan", state: Matching, chain: list[Seen]) -> list[Completed]:
    """A chain is complete, or has to wait until what must be absent has not happened for so long."""
    sequence, last = _sequence(plan), chain[-1]
    named = {e.name: s.event for e, s in zip(sequence.elements, chain, strict=True) if e.name}
    stored = {**last.event, "as": named}
    if sequence.absent is None:
        return [Completed(stored, last.at)]
    pending = Pending(last.at + sequence.for_, stored)
    if _broken(moment, plan, pending, state.seen):
        return []
    if pending.due <= moment.now:
        return [Completed(stored, pending.due)]
    state.pending = [*state.pending, pending][-MOST_PENDING:]
    return []


def _broken(moment: "Moment", plan: "ScenarioPlan", pending: Pending, seen: list[Seen]) -> bool:
    """Whether any of these events is one that must be absent, between the last element and the due time."""
    sequence = _sequence(plan)
    assert sequence.absent is not None  # noqa: S101 - nothing is pending without it
    began = pending.due - sequence.for_
    among = [one for one in seen if one.fits & _ABSENT and began <= one.at <= pending.due]
    names = {name: opened_event(event, plan.declared) for name, event in pending.event["as"].items()}
    meta = pending.event["meta"]
    return any(
        (one.at, one.name) > (meta["time"], f"{meta['id']}\n{meta['source']}")
        and _holds(moment, plan, sequence.absent.where, one, names)
        for one in among
    )


def _holds(moment: "Moment", plan: "ScenarioPlan", where: Any, one: Seen, names: dict[str, EventMap]) -> bool:
    outer = moment.scope
    moment.scope = Scope(outer, opened_event(one.event, plan.declared), names)  # type: ignore[assignment]
    try:
        return moment.holds(where, plan.name, "")
    finally:
        moment.scope = outer


class _Search:
    """Looks for the elements before an event that could be the last; gives up after so many tries."""

    def __init__(self, moment: "Moment", plan: "ScenarioPlan", seen: list[Seen], last: Seen) -> None:
        self.moment = moment
        self.plan = plan
        self.sequence = _sequence(plan)
        self.last = last
        since = last.at - self.sequence.within
        self.before = [one for one in seen if one.place < last.place and one.at >= since]
        self.tries = MOST_TRIES

    def chain(self) -> list[Seen] | None:
        """The events of all elements, in order; None where some element has none."""
        return self._extend([], 0)

    def _extend(self, chosen: list[Seen], start: int) -> list[Seen] | None:
        number = len(chosen)
        if number == len(self.sequence.elements) - 1:
            return [*chosen, self.last] if self._fits(number, self.last, chosen) else None
        for place in range(start, len(self.before)):
            one = self.before[place]
            if self._fits(number, one, chosen):
                found = self._extend([*chosen, one], place + 1)
                if found is not None:
                    return found
        return None

    def _fits(self, number: int, one: Seen, chosen: list[Seen]) -> bool:
        element = self.sequence.elements[number]
        if not one.fits & (1 << number):
            return False
        if element.free:
            return True
        self.tries -= 1
        if self.tries < 0:
            return False
        elements = self.sequence.elements
        names = {e.name: opened_event(s.event, self.plan.declared) for e, s in zip(elements, chosen, strict=False)}
        return _holds(self.moment, self.plan, element.where, one, names)
