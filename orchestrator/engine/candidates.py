"""Step 8 of a moment: sends that were reached are sorted and judged, each seeing what the earlier ones took."""

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.breaker import tell_sent
from orchestrator.engine.context import plain
from orchestrator.engine.fallback import replace, watch
from orchestrator.engine.gates.chain import through_gates
from orchestrator.engine.gates.verdict import Verdict
from orchestrator.engine.guard import guarded
from orchestrator.engine.journey import Journey, end, finish_if_over, run
from orchestrator.engine.offers.states import show
from orchestrator.language.cel import CelError
from orchestrator.model import reason
from orchestrator.model.customer import Contact, Standing
from orchestrator.model.effect import Action

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.offers.opening import Opened
    from orchestrator.engine.program.plan import ScenarioPlan, StepPlan
    from orchestrator.language.spec.content import Content
    from orchestrator.model.customer import Instance

HELD_AT_LEAST: Final = 60_000
"""Who is held until a time that is not ahead is looked at again after so long (ms), instead of for ever now."""


class Candidate:
    """A send that wants to leave: what the gates look at, and what they settle (channel, address, a swap)."""

    __slots__ = (
        "about", "address", "channel", "content", "decided_at", "instance", "language", "offer", "plan", "score",
        "standing", "step", "swapped", "topic", "valid_until",
    )  # fmt: skip

    def __init__(
        self, instance: "Instance", plan: "ScenarioPlan", step: "StepPlan", standing: Standing, content: "Content"
    ) -> None:
        self.instance = instance
        self.plan = plan
        self.step = step
        self.standing = standing
        self.content = content
        self.decided_at = int(standing.data["decided"])
        self.channel = ""
        self.address = ""
        self.offer: Opened | None = None
        self.language = ""
        self.topic = ""
        self.about: tuple[str, ...] = ()
        self.valid_until = 0
        self.score = 0.0
        self.swapped = False

    @property
    def messages(self) -> tuple[str, ...]:
        """The ids of the same message on other channels, where this is their fallback."""
        return tuple(self.standing.data.get("messages", ()))

    @property
    def class_(self) -> str:
        return self.content.class_

    @property
    def purpose(self) -> str:
        return self.content.purpose if self.content.class_ == "marketing" else ""


def judge_candidates(moment: "Moment") -> list[Candidate]:
    """Judge what stands to be sent, best first; gives those that are settled (sent or suppressed)."""
    waiting, moment.candidates = moment.candidates, []
    rank = {name: place for place, name in enumerate(moment.program.policy.rank)} if moment.program.policy else {}
    for candidate in waiting:
        candidate.score = _score(moment, candidate)
    if len(waiting) > 1:
        waiting.sort(key=lambda c: (
            rank.get(c.class_, len(rank)), -c.plan.document.priority, -c.score, c.plan.name, c.instance.key, c.step.id
        ))  # fmt: skip
    return [candidate for candidate in waiting if _judged(moment, candidate)]


def _judged(moment: "Moment", candidate: Candidate) -> bool:
    """Judge one; where anything raises, the message is not sent and the others are judged all the same.

    An instance that has ended by another of its messages (`on_unsent: exit`) sends nothing more.
    """
    if candidate.instance not in moment.customer.instances:
        return False
    settled = guarded(moment, candidate.plan.name, candidate.instance, _judge, moment, candidate)
    return _refused(moment, candidate, Verdict(reason.ERROR)) if settled is None else bool(settled)


def _score(moment: "Moment", candidate: Candidate) -> float:
    score = candidate.plan.document.score
    if score is None:
        return 0.0
    moment.scope.tell_story(candidate.instance, candidate.plan)
    try:
        return float(moment.value(score, candidate.plan.name, candidate.step.id))
    except CelError:
        return 0.0


def _judge(moment: "Moment", candidate: Candidate) -> bool:
    """Let a candidate through the gates; False where it is held and stands where it stood."""
    moment.scope.tell_story(candidate.instance, candidate.plan)
    moment.scope.event = moment.scope.entry
    verdict = through_gates(candidate, moment)
    return _send(moment, candidate) if verdict is None else _refused(moment, candidate, verdict)


def _refused(moment: "Moment", candidate: Candidate, verdict: Verdict) -> bool:
    journey = Journey(moment, candidate.instance, candidate.plan, candidate.standing.branch)
    detail = {"content": name_of(candidate), "channel": candidate.channel, **(verdict.detail or {})}
    if verdict.held:
        until = min(verdict.until or candidate.valid_until, candidate.valid_until)
        until = candidate.standing.due = until if until > moment.now else moment.now + HELD_AT_LEAST
        candidate.standing.data = {
            **candidate.standing.data, "held": verdict.reason, "valid_until": candidate.valid_until,
        }  # fmt: skip
        journey.note("held", candidate.step, verdict.reason, {**detail, "until": until})
        return False
    journey.note("suppressed", candidate.step, verdict.reason, detail)
    journey.leave(candidate.standing)
    if candidate.messages:
        return True
    unsent(journey, candidate.step, candidate.content.content, candidate.channel, verdict.reason)
    if candidate.step.body.on_unsent == "exit":
        end(journey, "lost", verdict.reason)
    return True


def unsent(journey: Journey, step: "StepPlan", content: str, channel: str, why: str) -> None:
    """What a message that is not sent gives, and tells."""
    journey.output(step, "suppressed", sent=False, reason=why, channel="", message="")
    told = {"content": content, "channel": channel, "reason": why, "scenario": journey.plan.name}
    journey.moment.make("contact_suppressed", told)


def name_of(candidate: Candidate) -> str:
    """What reports and tests call it: the variant's name where it has one."""
    variant = candidate.content.variants.get(candidate.channel)
    return getattr(variant, "name", None) or candidate.content.content


def _send(moment: "Moment", candidate: Candidate) -> bool:
    journey = Journey(moment, candidate.instance, candidate.plan, candidate.standing.branch)
    try:
        action = _action(moment, candidate, journey)
    except CelError as problem:
        return _refused(moment, candidate, Verdict(reason.ERROR, detail={"because": str(problem)}))
    moment.effects.append(action)
    if candidate.plan.document.stop_when is not None and not candidate.messages:
        tell_sent(moment, candidate.plan.name, action.id)
    customer = moment.customer
    customer.contacts = [*customer.contacts, _contact(candidate, action, customer.person)]
    if candidate.class_ == "service":
        customer.used = {**customer.used, candidate.channel: moment.now}
    if candidate.offer is not None:
        show(moment, candidate.offer, candidate.plan.name)
    moment.taken.setdefault(candidate.class_, candidate.plan.name)
    journey.leave(candidate.standing)
    _told(journey, candidate, action)
    journey.note("sent", candidate.step, "", {
        "content": name_of(candidate), "channel": action.channel, "id": action.id, "to": action.address,
        "class": action.class_, "document": action.content, "received": action.received,
    })  # fmt: skip
    moment.make("contact_sent", {
        "content": action.content, "channel": action.channel, "reason": "", "message": action.id,
        "scenario": action.scenario, "topic": action.topic,
    })  # fmt: skip
    return True


def _told(journey: Journey, candidate: Candidate, action: Action) -> None:
    """What the step gives; a message sent again takes the place of the one before, if that is still the step's."""
    messages = candidate.messages
    if messages:
        replace(journey, candidate)
    if not messages or journey.instance.outputs.get(candidate.step.id, {}).get("message") == messages[-1]:
        more = {"messages": [*messages, action.id]} if messages else {}
        journey.output(candidate.step, "sent", sent=True, channel=action.channel, reason="", message=action.id, **more)
    if candidate.step.body.fallback is not None:
        watch(journey, candidate, action.id)


def _action(moment: "Moment", candidate: Candidate, journey: Journey) -> Action:
    content, body, step, instance = candidate.content, candidate.step.body, candidate.step, candidate.instance
    offer = candidate.offer
    values = dict(offer.terms) if offer is not None else {}
    values |= {name: plain(journey.value(step, value)) for name, value in content.with_.items()}
    values |= {name: plain(journey.value(step, value)) for name, value in body.with_.items()}
    return Action(
        id=journey.action_id(step, len(candidate.messages), candidate.standing.data.get("visit", 0)),
        person=instance.person,
        tenant=moment.program.tenant,
        node=f"{moment.program.tenant}/{moment.node}",
        channel=candidate.channel,
        address=candidate.address,
        content=content.content,
        release=moment.program.release_of(content.content),
        class_=content.class_,
        values=values,
        valid_until=candidate.valid_until,
        at=moment.now,
        received=moment.received,
        scenario=instance.scenario,
        key=instance.key,
        ordinal=instance.ordinal,
        step=step.id,
        language=moment.scope.language(),
        zone=moment.scope.zone_name(),
        thread=str(journey.value(step, body.thread)) if body.thread is not None else "",
        sender=named(journey, step, body.sender),
        topic=candidate.topic,
        about=candidate.about,
        offer=offer.name if offer is not None else "",
    )


def named(journey: Journey, step: "StepPlan", name: Any) -> str:
    """A `name*`: the name itself, or what its expression gives.

    Raises:
        CelError: the expression is unknown.
    """
    if name is None:
        return ""
    return str(name.name if name.expr is None else journey.value(step, name.expr))


def _contact(candidate: Candidate, action: Action, person: str) -> Contact:
    return Contact(
        at=action.at,
        id=action.id,
        content=action.content,
        channel=action.channel,
        class_=action.class_,
        purpose=candidate.purpose,
        topic=action.topic,
        scenario=action.scenario,
        about=action.about,
        thread=action.thread,
        address=action.address,
        offer=action.offer,
        valid_until=action.valid_until,
        key=action.key,
        step=action.step,
        person=action.person if action.person != person else "",
        first=next(iter(candidate.messages), ""),
    )


def go_on(moment: "Moment", settled: list[Candidate]) -> None:
    """Step 9: instances that stood at a judged send go on."""
    for candidate in sorted(settled, key=lambda one: bool(one.messages)):
        if candidate.instance in moment.customer.instances and not guarded(
            moment, candidate.plan.name, candidate.instance, _go_on, moment, candidate
        ):
            end(Journey(moment, candidate.instance, candidate.plan), "lost", reason.ERROR)


def _go_on(moment: "Moment", candidate: Candidate) -> bool:
    journey = Journey(moment, candidate.instance, candidate.plan, candidate.standing.branch)
    if candidate.messages:
        finish_if_over(journey)
    else:
        run(journey, candidate.step.follow)
    return True
