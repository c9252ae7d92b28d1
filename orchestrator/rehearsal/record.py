"""What happened in a rehearsal: the engine's own traces and effects, with the time and the customer they belong to."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from orchestrator.engine.advance import Advance
from orchestrator.engine.engine import Engine
from orchestrator.model.effect import Action, Emitted, Note, Publication, TaskNotice, Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.engine.identity.work import Work
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import EventPlan
    from orchestrator.model.customer import Customer
    from orchestrator.model.event import Event
    from orchestrator.model.lines import IdentityStep

Shown = Action | Publication | Withdrawal | TaskNotice | Emitted


class Happening(msgspec.Struct, frozen=True, gc=False):
    """One line of a trace, or one effect.

    Attributes:
        at: the customer's clock in that moment, ms.
        node: where it happened, `NAMESPACE:VALUE`.
        note: the line of the trace, None for an effect.
        effect: what went out, None for a line of the trace.
    """

    at: int
    node: str
    note: Note | None = None
    effect: Shown | None = None


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A record that could not be taken in."""

    at: int
    event: str
    reason: str


class Came(NamedTuple):
    """An event that counted for a customer: where they lived then, and what its type is known to carry."""

    node: str
    event: Event
    plan: EventPlan


class Record:
    """Everything that happened, in order.

    Attributes:
        happenings: what the engine did.
        refusals: what could not be taken in.
        events: what customers did; only kept where somebody has asked for it, by an empty list.
    """

    def __init__(self) -> None:
        self.happenings: list[Happening] = []
        self.refusals: list[Refusal] = []
        self.events: list[Came] | None = None

    def notes(self, since: int = 0) -> list[Happening]:
        """The lines of the trace from index `since` on."""
        return [one for one in self.happenings[since:] if one.note is not None]

    def actions(self) -> list[Happening]:
        """The messages that were decided."""
        return [one for one in self.happenings if isinstance(one.effect, Action)]


class _Stamped(Advance):
    """Knows at which time each note and effect was made: one input may be several moments."""

    marks: list[tuple[int, int, int]]

    def _moment(self, at: int) -> Moment:
        moment = super()._moment(at)
        self.__dict__.setdefault("marks", []).append((moment.now, len(self.notes), len(self.effects)))
        return moment


class RecordingEngine(Engine):
    """The engine, which tells a record what it did.

    Args:
        program: see `Engine`.
        facts: see `Engine`.
        explain: see `Engine`.
        record: what is told.
        about: told which customer is at work, before anything is decided.
    """

    def __init__(
        self, program: Any, facts: Any, explain: bool, record: Record, about: Callable[[Customer], None] | None = None
    ) -> None:
        super().__init__(program, facts, explain)
        self.record = record
        self.about = about

    def event(self, work: Work, customer: Customer, event: Event, links: list[str]) -> None:
        super().event(work, customer, event, links)
        if self.record.events is not None:
            self.record.events.append(Came(work.name, event, self.program.event_plan(event.type, event.channel)))

    def _advance(self, work: Work, customer: Customer) -> Advance:
        if self.about is not None:
            self.about(customer)
        return _Stamped(customer, self.program, self.facts, work.name, work.now, self.explain)

    def _tell(self, work: Work, customer: Customer, event: Event, plan: EventPlan) -> None:
        if self.about is not None:
            self.about(customer)
        before = len(work.notes)
        super()._tell(work, customer, event, plan)
        self._happened(work.name, customer.now, work.notes[before:], [])

    def erased(self, work: Work, customer: Customer, time: int) -> None:
        notes, effects = len(work.notes), len(work.effects)
        super().erased(work, customer, time)
        self._happened(work.name, work.now, work.notes[notes:], work.effects[effects:])

    def noted(self, work: Work, step: IdentityStep) -> None:
        detail = {"nodes": list(step.nodes), "by": list(step.by), "event": step.type}
        self._happened(work.name, work.now, [Note(f"identity_{step.what}", "", "", step.why, detail)], [])

    def _left(self, work: Work, customer: Customer, advance: Advance) -> None:
        marks = [*advance.__dict__.get("marks", []), (0, len(advance.notes), len(advance.effects))]
        for (at, note, effect), (_, next_note, next_effect) in pairwise(marks):
            self._happened(work.name, at, advance.notes[note:next_note], advance.effects[effect:next_effect])
        super()._left(work, customer, advance)

    def _happened(self, node: str, at: int, notes: list[Note], effects: list[Any]) -> None:
        happenings = self.record.happenings
        for note in notes:
            happenings.append(Happening(at, node, note))
        for effect in effects:
            if isinstance(effect, Shown):
                happenings.append(Happening(at, node, None, effect))
