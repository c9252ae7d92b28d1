"""The word that tells everybody: `publish`, in stories of the brand."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.candidates import named
from orchestrator.engine.context import plain
from orchestrator.engine.explaining import explained
from orchestrator.engine.gates.channel import enabled
from orchestrator.engine.steps.word import Word
from orchestrator.language.cel import CelError
from orchestrator.model import reason
from orchestrator.model.effect import Publication
from orchestrator.model.ids import made_id

if TYPE_CHECKING:
    from orchestrator.engine.journey import Journey
    from orchestrator.engine.program.plan import StepPlan
    from orchestrator.language.spec.content import Content


class Publish(Word):
    """One command for each channel; the content looks at what it `requires`, as one that is sent does."""

    def enter(self, step: "StepPlan", journey: "Journey") -> Any:
        name = named(journey, step, step.body.content)
        content = journey.moment.program.content(name)
        if content is None:
            return _not_told(step, journey, name, reason.ERROR, {"because": "no such content"})
        fit = _fit(step, journey, content)
        if fit is None:
            return _not_told(step, journey, name, content.reason, explained(content.requires, journey.moment.scope))
        try:
            valid_until = _valid_until(step, journey, fit)
            values = {key: plain(journey.value(step, value)) for key, value in {**fit.with_, **step.body.with_}.items()}
        except CelError as problem:
            return _not_told(step, journey, fit.content, reason.ERROR, {"because": str(problem)})
        if valid_until <= journey.moment.now:
            return _not_told(step, journey, fit.content, reason.EXPIRED, {"valid_until": valid_until})
        told = [channel for channel in _channels(step, journey) if channel in fit.variants]
        if not told:
            return _not_told(step, journey, fit.content, reason.NO_ADDRESS, {"tried": list(step.body.channels)})
        for channel in told:
            publication = _publication(step, journey, fit, channel, values, valid_until)
            journey.moment.effects.append(publication)
            journey.note("published", step, "", {
                "content": _name_of(fit, channel), "document": fit.content, "channel": channel, "id": publication.id,
                "received": journey.moment.received,
            })  # fmt: skip
        journey.output(step, "published", channels=told, reason="")
        return step.follow


def _not_told(step: "StepPlan", journey: "Journey", content: str, why: str, detail: dict[str, Any]) -> Any:
    """Nothing is told anywhere; the story goes on."""
    journey.note("suppressed", step, why, {"content": content, "channel": "", **detail})
    journey.output(step, "suppressed", channels=[], reason=why)
    return step.follow


def _fit(step: "StepPlan", journey: "Journey", content: "Content") -> "Content | None":
    """The content, or the one that takes its place, whose `requires` is true."""
    for one in (content, journey.moment.program.content(content.instead) if content.instead else None):
        if one is not None and journey.holds(step, one.requires):
            return one
    return None


def _valid_until(step: "StepPlan", journey: "Journey", content: "Content") -> int:
    """Until when it is told, ms.

    Raises:
        CelError: that is unknown.
    """
    if content.valid_until is not None:
        return int(journey.value(step, content.valid_until).ms)
    return journey.moment.now + content.valid_for


def _channels(step: "StepPlan", journey: "Journey") -> list[str]:
    """The channels of the step that are on; one that is off gives way to its `next`."""
    channels = journey.moment.program.channels
    found = dict.fromkeys(enabled(iter(step.body.channels), journey.moment))
    return [name for name in found if channels[name].public]


def _publication(
    step: "StepPlan", journey: "Journey", content: "Content", channel: str, values: dict[str, Any], valid_until: int
) -> Publication:
    moment, instance = journey.moment, journey.instance
    return Publication(
        id=made_id("publish", journey.action_id(step), channel),
        person=instance.person,
        tenant=moment.program.tenant,
        node=f"{moment.program.tenant}/{moment.node}",
        channel=channel,
        content=content.content,
        release=moment.program.release_of(content.content),
        values=values,
        valid_until=valid_until,
        at=moment.now,
        received=moment.received,
        scenario=instance.scenario,
        key=instance.key,
        ordinal=instance.ordinal,
        step=step.id,
        language=moment.program.language,
        zone=moment.program.zone,
        topic=content.topic.name or content.content if content.topic is not None else content.content,
        about=tuple(name.name for name in content.about if name.name),
    )


def _name_of(content: "Content", channel: str) -> str:
    """What reports and tests call it: the variant's name where it has one."""
    return content.variants[channel].name or content.content


__all__ = ["Publish"]
