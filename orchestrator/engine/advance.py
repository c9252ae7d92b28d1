"""One input through one customer, in the order of the reference: the spine of the engine.

Pure: the customer, the time, the program and the facts come as arguments; what is to be sent goes out as values.
"""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.candidates import go_on, judge_candidates
from orchestrator.engine.conversation import settle_threads
from orchestrator.engine.endings import check_against, check_endings
from orchestrator.engine.entries import check_due, check_entries, check_merged, remember_elements
from orchestrator.engine.intake import forget_contacts, take_in
from orchestrator.engine.journey import Journey, end_instance
from orchestrator.engine.levels import compare_levels, look_before
from orchestrator.engine.maps import stored_event
from orchestrator.engine.moment import Moment
from orchestrator.engine.offers.states import expire_offers
from orchestrator.engine.recalls import is_on_its_way, recall_denied, withdrawal
from orchestrator.engine.releases import hold_back, is_outdated, is_told, settle_releases, take_over
from orchestrator.engine.schedules import keep_schedules
from orchestrator.engine.steps.waiting import newest_touch, restart_silence
from orchestrator.engine.tasks import close_tasks, fold_tasks, tell_tasks
from orchestrator.engine.timers import NEVER, act, due_at, earliest_due
from orchestrator.engine.waits import check_waits
from orchestrator.model import reason
from orchestrator.model.customer import IN, Customer, Instance, Waiting
from orchestrator.model.effect import Effect, Note, Tell
from orchestrator.model.event import Event
from orchestrator.model.lines import Line, lines_of
from orchestrator.model.message import Inquire

if TYPE_CHECKING:
    from orchestrator.engine.facts import Facts
    from orchestrator.engine.identity.work import Merge
    from orchestrator.engine.program.plan import EventPlan, Program, ScenarioPlan

MOST_ROUNDS: Final = 8
MERGE_WAIT: Final = 1000
"""Entries wait so long (ms) for a merge, then those whom they wait for are asked whether they come."""
ANSWER_WAIT: Final = 300_000
"""And so long (ms) for an answer: an identifier's partition may not be at work, or far behind."""


class Advance:
    """The engine for one customer and one input; `effects` and `notes` hold what came of it.

    Args:
        customer: changed in place.
        program: the release it runs on.
        facts: what everyone shares.
        node: where the customer lives, `NAMESPACE:VALUE`.
        now: record time of the input, ms.
        explain: trace also what did not happen, and why.
    """

    def __init__(
        self, customer: Customer, program: "Program", facts: "Facts", node: str, now: int, explain: bool = False
    ) -> None:
        self.customer = customer
        self.program = program
        self.facts = facts
        self.node = node
        self.now = now
        self.explain = explain
        self.effects: list[Effect] = []
        self.notes: list[Note] = []
        self._moments: list[Moment] = []

    # Inputs.

    def event(self, event: Event, links: list[str]) -> None:
        """An event: timers that are due act first, then the event has its own moment.

        `links` are the nodes that it names and that are not this customer's yet: its entries wait for them.
        """
        customer = self.customer
        if customer.instances or customer.tasks or customer.matching or customer.offers:
            self.timers(self.now)
        program = self.program
        moment = self._moment(self.now)
        event.late = event.time < moment.now - program.lateness
        moment.led_at = event.time
        moment.received = event.received
        plan = program.plans.get((event.type, event.channel)) or program.event_plan(event.type, event.channel)
        self._through(moment, event, plan, links)
        if moment.candidates or moment.made or program.becomes:
            self._finish(moment)
        if program.schedules:
            keep_schedules(moment)

    def timers(self, until: int, waits: bool = False) -> None:
        """Everything that is due up to `until` (ms), each at its own due time; of one instant it is one moment.

        With `waits` also entries that wait for a merge: for a tick. An event ends no wait, for after an outage events
        of many seconds are read at once, and nobody could have answered meanwhile.
        """
        self._take_over()
        held = None
        while True:
            at = earliest_due(self.customer, waits)
            if at == NEVER or at > until:
                break
            if held is None:
                held = hold_back(self.customer, self.program, self.now)
                if held:
                    continue
            moment = self._moment(at)
            moment.led_at = at
            due = due_at(self.customer, at)
            if self.customer.offers:
                expire_offers(moment, at)
            self._look_at_levels(moment)
            act(moment, due)
            if waits and self.customer.waiting:
                self._wait_or_ask(moment, at)
            if self.customer.matching:
                check_due(moment, at)
            self._finish(moment)
        for standing, kept in held or ():
            standing.due = kept

    def facts_changed(self) -> None:
        """Rows that this customer may wait for have changed: what is due acts first, then levels are looked at."""
        self.timers(self.now)
        moment = self._moment(self.now)
        self._look_at_levels(moment)
        self._finish(moment)

    def released(self) -> bool:
        """Another release began and nothing else happens here; False where it changes nothing for this customer.

        Who has been told already is left alone, what is due as well: it depends on who owned the partition whether
        somebody is looked at twice, and nothing that happens to a customer may.
        """
        customer = self.customer
        clock, levels = customer.now, customer.levels
        told = is_told(self._moment(self.now))
        customer.now, customer.levels = clock, levels
        if told:
            return False
        if NEVER < earliest_due(customer, waits=False) <= self.now:
            self.timers(self.now)
        moment = self._moment(self.now)
        take_over(moment)
        self._finish(moment)
        return True

    def _take_over(self) -> None:
        """Instances that a release has moved or taken away go on by its rules before anything else happens."""
        if self._is_outdated():
            moment = self._moment(self.customer.now)
            settle_releases(moment)
            self._finish(moment)

    def _is_outdated(self) -> bool:
        return bool(self.program.outdated) and is_outdated(self.customer, self.program)

    def merged(self, merge: "Merge") -> None:
        """Another half has moved in: what each half waited for may be on the other's timeline.

        What ends by the merge does so before anything goes on, also by a release that this half has not met yet.
        """
        settle_threads(self.customer, self.program)
        moment = self._moment(self.now)
        for instance in merge.ended:
            self.customer.instances.append(instance)
            end_instance(moment, instance, "lost", reason.MERGED)
        self._end_repeated(moment, merge.repeated)
        if self._is_outdated():
            settle_releases(moment)
        fold_tasks(moment)
        tell_tasks(moment)
        own, other = lines_of(merge.own_lines), lines_of(merge.came_lines)
        for instance in list(self.customer.instances):
            plan = self._nearest_plan(instance)
            lines = own if instance in merge.came else other
            if plan is not None and not check_against(moment, instance, plan, lines):
                _restart_silences(moment, instance, plan, lines)
        moment.make("merged", {"ids": merge.nodes})
        recall_denied(moment)
        self._look_at_levels(moment)
        self._waited_for_members(moment)
        check_merged(moment)
        self._finish(moment)
        forget_contacts(moment)
        keep_schedules(moment)

    def stays(self, node: str) -> None:
        """A node that entries wait for was asked, and stays somebody else's."""
        self._take_over()
        self.customer.waiting = [
            Waiting(one.until, [other for other in one.nodes if other != node], one.event, one.by, one.asked)
            if one.asked
            else one
            for one in self.customer.waiting
        ]
        moment = self._moment(self.now)
        self._waited_for_members(moment)
        self._finish(moment)

    def tell_tasks(self) -> None:
        """Every open task as it stands now."""
        tell_tasks(self._moment(self.now))

    def _end_repeated(self, moment: Moment, repeated: list[Instance]) -> None:
        """What one half has been through the other does not go through again, where a scenario is entered once.

        Of a scenario that only a release to come has, the instance itself knows.
        """
        for instance in repeated:
            plan = self._nearest_plan(instance)
            if instance.once if plan is None else plan.document.entry.re_entry == "never":
                end_instance(moment, instance, "lost", reason.MERGED)

    def _nearest_plan(self, instance: Instance) -> "ScenarioPlan | None":
        """The plan of an instance's version; of one that a later release has, the newest there is here.

        A merge is told once: what it ends cannot wait for that release.
        """
        known = self.program.scenario(instance.scenario, instance.version)
        return known or self.program.scenarios.get(instance.scenario)

    def erased(self) -> None:
        """Everything ends without an outcome; messages on their way are withdrawn."""
        moment = self._moment(self.now)
        on_their_way = [contact for contact in self.customer.contacts if is_on_its_way(contact, self.now)]
        self.effects += [withdrawal(moment, contact, reason.ERASED) for contact in on_their_way]
        for instance in list(self.customer.instances):
            end_instance(moment, instance, "", reason.ERASED)

    # The order of a moment.

    def _moment(self, at: int) -> Moment:
        self.customer.now = max(self.customer.now, at)
        moment = Moment(
            self.customer,
            self.program,
            self.facts,
            self.customer.now,
            self.node,
            self.effects,
            self.notes,
            self.explain,
        )
        self._moments.append(moment)
        if self.program.becomes:
            look_before(moment)
        return moment

    def over(self) -> None:
        """Nothing more comes of this input: what its moments have read goes free."""
        for moment in self._moments:
            moment.scope.refresh()

    def _through(self, moment: Moment, event: Event, plan: "EventPlan", links: list[str]) -> None:
        """Steps 3 to 7 for one event: the customer's, or one that the engine made."""
        take_in(moment, event, plan)
        if plan.replaces:
            self._identifiers_change(moment, event)
        if self.customer.tasks:
            close_tasks(moment)
        if self.customer.instances and (plan.heard or self.program.looks_always):
            check_endings(moment)
            check_waits(moment)
        if plan.entries is not None:
            if links and not event.late:
                if plan.entries.sequences:
                    remember_elements(moment, event)
                by = event.identifiers[0]
                waiting = Waiting(moment.now + MERGE_WAIT, links, stored_event(event, None), by)
                self.customer.waiting = [*self.customer.waiting, waiting]
            else:
                self._enter(moment, event)

    def _identifiers_change(self, moment: Moment, event: Event) -> None:
        """The event names a value that takes the place of the customer's other values of its namespace."""
        for named in event.identifiers[1:]:
            namespace, _, new = named.partition(":")
            for node, member in self.customer.family.items():
                old = node.partition(":")
                if member.state == IN and old[0] == namespace and node != named:
                    moment.make("identifier_changed", {"namespace": namespace, "old": old[2], "new": new})

    def _look_at_levels(self, moment: Moment) -> None:
        """Steps 5 and 6 without an event: levels may have changed."""
        if self.customer.instances:
            check_endings(moment)
            check_waits(moment)

    def _waited_for_members(self, moment: Moment) -> None:
        """Entries whose nodes have all come, or stay elsewhere, wait no longer."""
        members = {node for node, m in self.customer.family.items() if m.state == IN}
        self._waited_enough(moment, lambda waiting: members.issuperset(waiting.nodes))

    def _wait_or_ask(self, moment: Moment, at: int) -> None:
        """What has waited until `at` (ms): who is waited for is asked; who was asked and is silent, given up."""
        self._waited_enough(moment, lambda waiting: waiting.asked and waiting.until <= at)
        asked, waiting = [], []
        for one in self.customer.waiting:
            if one.until <= at:
                asked += [(node, one.by or self.node) for node in one.nodes]
                waiting.append(Waiting(self.now + ANSWER_WAIT, one.nodes, one.event, one.by, asked=True))
            else:
                waiting.append(one)
        self.customer.waiting = waiting
        self.effects += [Tell(node, Inquire(node, by)) for node, by in dict.fromkeys(asked)]

    def _waited_enough(self, moment: Moment, over: Any) -> None:
        """Entries that waited for a merge are looked at, on the whole person."""
        ready = [waiting for waiting in self.customer.waiting if over(waiting)]
        if not ready:
            return
        self.customer.waiting = [waiting for waiting in self.customer.waiting if not over(waiting)]
        for waiting in ready:
            event = reopened(waiting, self.node)
            moment.event, moment.plan = event, self.program.event_plan(event.type, event.channel)
            moment.led_at, moment.received = event.time, event.received
            moment.scope.refresh()
            moment.scope.look_at(event, moment.plan.declared)
            self._enter(moment, event)

    def _enter(self, moment: Moment, event: Event) -> None:
        """Step 7. What happened after the event and is known already counts for what it starts.

        An entry may have waited for a merge, or have come out of order: an order since then ends it.
        """
        before = tuple(self.customer.instances)
        check_entries(moment)
        known = {id(instance) for instance in before}
        entered = [instance for instance in self.customer.instances if id(instance) not in known]
        if not entered:
            return
        lines = lines_of(self.customer.timeline, after=event.time)
        for instance in entered:
            plan = self.program.scenario(instance.scenario, instance.version)
            later = [line for line in lines if line.time > instance.entry_time]
            if plan is not None:
                check_against(moment, instance, plan, later)

    def _made(self, moment: Moment, event: Event) -> None:
        """An event that the engine made: what it leads to counts from its own time."""
        outer, moment.led_at = moment.led_at, event.time
        self._through(moment, event, self.program.event_plan(event.type, event.channel), [])
        moment.led_at = outer

    def _finish(self, moment: Moment) -> None:
        """Steps 8 and 9: candidates are judged, instances go on, engine events are looked at; at most 8 rounds."""
        for _ in range(MOST_ROUNDS):
            settled = judge_candidates(moment) if moment.candidates else []
            go_on(moment, settled)
            moved = bool(settled)
            made, moment.made = moment.made, []
            for event in made:
                self._made(moment, event)
                moved = True
            if self.program.becomes and compare_levels(moment):
                moved = True
            if not moved and not moment.candidates:
                break
        else:
            if moment.candidates or moment.made:
                moment.note("stopped", "", "", reason.TOO_DEEP)
                for candidate in tuple(moment.candidates):
                    end_instance(moment, candidate.instance, "lost", reason.TOO_DEEP)
        if moment.taken:
            forget_contacts(moment)


def reopened(waiting: Waiting, node: str) -> Event:
    """The event of an entry that waited."""
    meta = waiting.event["meta"]
    return Event(
        meta["id"], meta["source"], meta["type"], meta["channel"], meta["time"], meta["received"],
        waiting.event["data"], (node,), meta["thread"],
    )  # fmt: skip


def _restart_silences(moment: Moment, instance: Instance, plan: "ScenarioPlan", lines: list[Line]) -> None:
    """Inactivity counts from the newest activity of both halves."""
    for standing in instance.standing:
        step = plan.steps.get(standing.step)
        if step is None or step.kind != "silence":
            continue
        journey = Journey(moment, instance, plan, standing.branch)
        journey.look()
        restart_silence(step, standing, newest_touch(step, journey, lines, standing.data))
