"""The engine as the identity handlers know it: what happens inside a customer, whoever calls."""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.advance import Advance
from orchestrator.engine.identity.merge import DECISIONS_KEPT
from orchestrator.engine.identity.references import refer
from orchestrator.engine.profile_only import only_tells, tell
from orchestrator.engine.tasks import erase_tasks
from orchestrator.model import ring
from orchestrator.model.customer import IN, Customer
from orchestrator.model.effect import Note
from orchestrator.model.lines import Decision, IdentityStep, decision_bytes
from orchestrator.model.message import Reset

if TYPE_CHECKING:
    from orchestrator.engine.facts import Facts
    from orchestrator.engine.identity.work import Merge, Work
    from orchestrator.engine.program.plan import EventPlan, Program
    from orchestrator.engine.traits.plan import Traits
    from orchestrator.model.event import Event

TOLD: Final = frozenset({"sent", "suppressed", "held", "placed", "entered", "ended", "task"}) | {
    f"offer_{became}" for became in ("shown", "redeemed", "refused", "expired")
}


class Engine:
    """One release on the facts that one worker holds. With `explain`, traces also say what did not happen."""

    def __init__(self, program: "Program", facts: "Facts", explain: bool = False) -> None:
        self.program = program
        self.facts = facts
        self.explain = explain

    @property
    def traits(self) -> "Traits":
        return self.program.traits

    def event(self, work: "Work", customer: Customer, event: "Event", links: list[str]) -> None:
        """An event of this customer; `links` are the nodes that it names and that are not members yet."""
        program = self.program
        plan = program.plans.get((event.type, event.channel)) or program.event_plan(event.type, event.channel)
        if plan.brief and not links and not self.explain and only_tells(customer, event, plan, program, work.now):
            self._tell(work, customer, event, plan)
        else:
            advance = self._advance(work, customer)
            advance.event(event, links)
            self._left(work, customer, advance)
        if plan.unlinks or plan.replaces:
            _let_go(work, customer, event, plan)
        if program.identity.references:
            refer(work, customer, event)

    def timers(self, work: "Work", customer: Customer, until: int) -> None:
        """What is due up to `until` (ms) acts, also what waits for a merge."""
        advance = self._advance(work, customer)
        advance.timers(until, waits=True)
        self._left(work, customer, advance)

    def released(self, work: "Work", customer: Customer) -> None:
        """This release has begun; most customers it leaves as they were."""
        advance = self._advance(work, customer)
        if advance.released():
            self._left(work, customer, advance)

    def facts_changed(self, work: "Work", customer: Customer) -> None:
        """Rows that this customer waits for have changed."""
        advance = self._advance(work, customer)
        advance.facts_changed()
        self._left(work, customer, advance)

    def tell_tasks(self, work: "Work", customer: Customer) -> None:
        """Who was about to move stays: the open tasks are told anew."""
        if customer.tasks:
            advance = self._advance(work, customer)
            advance.tell_tasks()
            self._left(work, customer, advance)

    def merged(self, work: "Work", customer: Customer, merge: "Merge") -> None:
        """Another half has just moved in."""
        advance = self._advance(work, customer)
        advance.merged(merge)
        self._left(work, customer, advance)

    def stays(self, work: "Work", customer: Customer, node: str) -> None:
        """An identifier that entries wait for stays somebody else's."""
        advance = self._advance(work, customer)
        advance.stays(node)
        self._left(work, customer, advance)

    def erased(self, work: "Work", customer: Customer, time: int) -> None:
        """Everything is to be forgotten: what is under way is withdrawn."""
        erase_tasks(work, customer)
        advance = self._advance(work, customer)
        advance.erased()
        work.effects += advance.effects
        work.notes += advance.notes

    def noted(self, work: "Work", step: "IdentityStep") -> None:
        """A step of somebody's identity: it stands in the record, and nothing else is to do."""

    def _tell(self, work: "Work", customer: Customer, event: "Event", plan: "EventPlan") -> None:
        """The short way: the event only tells of the customer."""
        tell(work, customer, event, plan, self.program, self.facts)

    def _advance(self, work: "Work", customer: Customer) -> Advance:
        return Advance(customer, self.program, self.facts, work.name, work.now, self.explain)

    def _left(self, work: "Work", customer: Customer, advance: Advance) -> None:
        advance.over()
        work.changed = True
        work.effects += advance.effects
        if advance.notes:
            work.notes += advance.notes
            for note in advance.notes:
                if note.what in TOLD:
                    told = decision_bytes(_decision(note, customer.now))
                    customer.decisions = ring.append(customer.decisions, customer.now, told, DECISIONS_KEPT)


def _decision(note: Note, at: int) -> Decision:
    detail: dict[str, Any] = note.detail or {}
    content = detail.get("content", detail.get("queue", detail.get("offer", "")))
    return Decision(at, note.what, note.scenario, note.step, note.reason, str(content), str(detail.get("channel", "")))


def _let_go(work: "Work", customer: Customer, event: "Event", plan: Any) -> None:
    """Identifiers that leave by an event.

    `unlink_on`: the shared identifiers of the event are nobody's from its time on. `replace_on`: the named value takes
    the place of the customer's other values of its namespace.
    """
    rules = work.rules
    if plan.unlinks:
        for node in event.identifiers:
            if rules.is_shared(node):
                work.tell(node, Reset(node, event.time))
    if plan.replaces:
        for named in event.identifiers[1:]:
            namespace = named.partition(":")[0]
            for node, member in customer.family.items():
                if member.state == IN and node not in {named, work.name} and node.partition(":")[0] == namespace:
                    work.tell(node, Reset(node, event.time))
