"""One moment: one input and all that follows from it, for one customer, at one `now`."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.context import Context
from orchestrator.language.cel import CelError
from orchestrator.model.effect import Effect, Note
from orchestrator.model.event import Event

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.facts import Facts
    from orchestrator.engine.program.plan import EventPlan, Program
    from orchestrator.language.cel import Expression
    from orchestrator.model.customer import Customer


class Moment:
    """What the phases of a moment share.

    Attributes:
        customer: changed in place.
        now: the customer's clock, ms.
        led_at: event time of what led here; a timer's due time (silences start there).
        received: record time at which what led here first came in.
        event, plan: the event under way and what it may touch; None for a timer, a fact, a merge.
        effects: what is to be sent, in order.
        notes: the trace. With `explain` also what did not happen, and why.
        made: events that the engine made and that are still to be looked at.
        candidates: sends reached and not judged yet.
        taken: classes of which one message was sent in this moment, and by which scenario.
    """

    event: Event | None = None
    plan: "EventPlan | None" = None
    made_count = 0

    def __init__(
        self,
        customer: "Customer",
        program: "Program",
        facts: "Facts",
        now: int,
        node: str,
        effects: list[Effect],
        notes: list[Note],
        explain: bool = False,
    ) -> None:
        self.customer = customer
        self.program = program
        self.facts = facts
        self.now = now
        self.node = node
        self.effects = effects
        self.notes = notes
        self.explain = explain
        self.led_at = now
        self.received = now
        self.scope = Context(customer, program, facts, now)
        self.made: list[Event] = []
        self.candidates: list[Candidate] = []
        self.taken: dict[str, str] = {}

    def note(self, what: str, scenario: str = "", step: str = "", reason: str = "", detail: Any = None) -> None:
        self.notes.append(Note(what, scenario, step, reason, detail))

    def holds(self, condition: "Expression | None", scenario: str, step: str, unknown: bool = False) -> bool:
        """Whether a condition is true; what is unknown counts as `unknown`, and is traced and counted."""
        if condition is None:
            return True
        try:
            return condition.evaluate(self.scope) is True
        except CelError as problem:
            self.unknown(condition, scenario, step, problem)
            return unknown

    def value(self, expression: "Expression", scenario: str, step: str) -> Any:
        """The value of an expression.

        Raises:
            CelError: it is unknown; that is traced and counted here.
        """
        try:
            return expression.evaluate(self.scope)
        except CelError as problem:
            self.unknown(expression, scenario, step, problem)
            raise

    def unknown(self, expression: "Expression", scenario: str, step: str, problem: CelError) -> None:
        self.note("unknown", scenario, step, "error", {"condition": expression.source, "because": str(problem)})

    def make(self, type_: str, data: dict[str, Any]) -> None:
        """The engine makes an event; it is looked at in the next round, if anything in the bundle could care.

        Nothing may name it, and yet a level may read what it stands for: `live()` after `entered`.
        """
        plan = self.program.event_plan(type_, "engine")
        if plan.quiet and not self.program.looks_always:
            return
        self.made_count += 1
        name = f"{self.node}/{self.customer.version}/{self.now}/{self.made_count}"
        self.made.append(
            Event(name, "engine", type_, "engine", self.now, self.received, data, (self.node,), "", False, b"")
        )
