"""Words that act: send, task, award, emit, decide."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.candidates import Candidate, named, unsent
from orchestrator.engine.context import plain
from orchestrator.engine.fallback import UNDELIVERED, drop, fits, is_fallback, is_needed
from orchestrator.engine.gates.pauses import paused_until
from orchestrator.engine.journey import STAND, Journey, end
from orchestrator.engine.slots import answer_slot
from orchestrator.engine.steps.word import NOTHING, Word
from orchestrator.engine.tasks import open_task
from orchestrator.engine.traits.states import pack
from orchestrator.language.cel import CelError
from orchestrator.model import reason
from orchestrator.model.customer import Standing, Task
from orchestrator.model.effect import Emitted
from orchestrator.model.ids import made_id

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import StepPlan
    from orchestrator.model.event import Event


class Send(Word):
    """The instance stands here until the message is sent or suppressed."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        moment = journey.moment
        name = named(journey, step, step.body.content)
        content = moment.program.content(name)
        if content is None:
            return self._of_nothing(step, journey, name)
        standing = Standing(step.id, moment.now, 0, {"content": name, "decided": moment.now}, journey.branch)
        journey.instance.standing.append(standing)
        moment.candidates.append(Candidate(journey.instance, journey.plan, step, standing, content))
        return STAND

    def _of_nothing(self, step: "StepPlan", journey: Journey, name: str) -> Any:
        """A content that no document declares is suppressed like any other that cannot be sent."""
        journey.note("suppressed", step, reason.ERROR, {"content": name, "because": "no such content"})
        unsent(journey, step, name, "", reason.ERROR)
        return end(journey, "lost", reason.ERROR) if step.body.on_unsent == "exit" else step.follow

    def due(self, step: "StepPlan", journey: Journey, standing: Standing) -> Any:
        """Held until now, or not delivered by now: a candidate again, from the top."""
        if is_fallback(standing) and not is_needed(journey, standing):
            drop(journey, standing)
        elif not _still_paused(journey, standing):
            judge_again(step, journey, standing)
        return NOTHING

    def touched(self, step: "StepPlan", journey: Journey, standing: Standing, event: "Event") -> Any:
        """Delivery says what became of the message: the next channel at once, or none at all.

        One that is held already on its next channel has its time.
        """
        if not is_fallback(standing) or not fits(standing, event):
            return self.look(step, journey, standing)
        if event.type not in UNDELIVERED:
            drop(journey, standing)
        elif "held" not in standing.data:
            judge_again(step, journey, standing)
        return NOTHING

    def look(self, step: "StepPlan", journey: Journey, standing: Standing) -> Any:
        """Held by a pause: judged again when it lifts."""
        held, moment = standing.data.get("held"), journey.moment
        its_time = 0 < standing.due <= moment.now
        by_pause = held is not None and held in {pause.name for pause in moment.program.pauses}
        if by_pause and not its_time and not _still_paused(journey, standing):
            judge_again(step, journey, standing)
        return NOTHING


def _still_paused(journey: Journey, standing: Standing) -> bool:
    """Whether the pause that holds a message still does.

    Then it stays held, without another judgement, until the pause ends, and no longer than it is valid.
    """
    moment = journey.moment
    for pause in moment.program.pauses:
        if pause.name == standing.data.get("held"):
            until = paused_until(moment, pause)
            valid_until = standing.data.get("valid_until", 0)
            if until is None or moment.now >= valid_until:
                return False
            standing.due = min(until, valid_until)
            return True
    return False


def judge_again(step: "StepPlan", journey: Journey, standing: Standing) -> None:
    """Make a held send a candidate of this moment."""
    moment = journey.moment
    if any(candidate.standing is standing for candidate in moment.candidates):
        return
    content = moment.program.content(standing.data["content"])
    if content is None:
        raise LookupError(f"the content {standing.data['content']} is in no release that is known")
    standing.due = 0
    moment.candidates.append(Candidate(journey.instance, journey.plan, step, standing, content))


class OpenTask(Word):
    """Work for a person."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        body, moment, instance = step.body, journey.moment, journey.instance
        key = str(journey.value(step, body.key)) if body.key is not None else f"{instance.scenario}/{instance.key}"
        thread = moment.customer.threads.get(key)
        task = Task(
            id=journey.action_id(step),
            queue=named(journey, step, body.queue),
            key=key,
            opened_at=moment.now,
            due=self._due(step, journey),
            scenario=instance.scenario,
            instance_key=instance.key,
            ordinal=instance.ordinal,
            step=step.id,
            assignee=str(journey.value(step, body.assignee))
            if body.assignee is not None
            else thread.agent
            if thread
            else "",
            thread=key if thread is not None else "",
            with_={name: plain(_known(journey, step, value)) for name, value in body.with_.items()},
            on_exit=body.on_exit,
            entry=instance.entry if body.close_on else {},
            version=instance.version,
        )
        standing = open_task(moment, task)
        journey.output(
            step, "opened", id=standing.id, key=standing.key, task=True, due=standing.due, assignee=standing.assignee
        )
        return step.follow

    def _due(self, step: "StepPlan", journey: Journey) -> int:
        body, moment = step.body, journey.moment
        if body.due_at is not None:
            due = journey.value(step, body.due_at).ms
        else:
            channel = moment.program.channels.get(journey.instance.entry["meta"]["channel"])
            wanted = body.due if body.due is not None else (channel.respond_within if channel is not None else None)
            if wanted is None:
                return 0
            due = moment.now + wanted
        return moment.program.calendars[body.calendar].next_opening(due) if body.calendar else due


def _known(journey: Journey, step: "StepPlan", value: Any) -> Any:
    """A value shown to a person: what is unknown is shown as nothing, and does not keep the task from them."""
    try:
        return journey.value(step, value)
    except CelError:
        return None


class Award(Word):
    """One ledger entry per `ref`, however often it runs."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        moment = journey.moment
        trait = moment.program.traits.by_name[step.body.ledger]
        ref = str(journey.value(step, step.body.ref))
        amount = journey.value(step, step.body.amount)
        states = moment.customer.traits
        known = trait.state(moment.customer)
        line = f"award:{journey.plan.name}/{step.id}"
        entered = known is None or line not in known[1].get(ref, {}).get("a", {})
        entry = ("add", ref, amount)
        states[trait.name] = pack(trait.kind.add(known, moment.now, journey.action_id(step), line, entry))  # type: ignore[union-attr]
        moment.customer.version += 1
        moment.scope.refresh()
        journey.output(step, "done", entered=entered)
        journey.note("awarded", step, "", {"ledger": trait.name, "amount": amount, "ref": ref, "entered": entered})
        return step.follow


class Emit(Word):
    """An event for other systems."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        moment = journey.moment
        data = {name: plain(journey.value(step, value)) for name, value in step.body.with_.items()}
        moment.effects.append(
            Emitted(
                id=made_id("emit", journey.action_id(step)),
                type=step.body.event,
                time=moment.now,
                tenant=moment.program.tenant,
                node=f"{moment.program.tenant}/{moment.node}",
                person=journey.instance.person,
                data=data,
            )
        )
        journey.output(step, "done")
        journey.note("emitted", step, "", {"event": step.body.event, "with": data})
        return step.follow


class Decide(Word):
    """Asks a slot as a channel would."""

    def enter(self, step: "StepPlan", journey: Journey) -> Any:
        moment = journey.moment
        outer = moment.scope.ask
        moment.scope.ask = {"slot": step.body.slot, "channel": "", "known": True, "linked": True, "identifier": ""}
        answer = answer_slot(moment, step.body.slot)
        moment.scope.ask = outer
        journey.output(
            step, "done", content=answer["content"], offer=answer.get("offer", ""), items=answer.get("items", [])
        )
        return step.follow


__all__ = ["Award", "Decide", "Emit", "OpenTask", "Send"]
