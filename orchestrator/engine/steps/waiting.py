"""Words that wait: delay, silence, wait_until."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.endings import remembered
from orchestrator.engine.explaining import explained
from orchestrator.engine.journey import STAND
from orchestrator.engine.local_time import next_time, zone
from orchestrator.engine.maps import envelope_of
from orchestrator.engine.steps.word import NOTHING, Word
from orchestrator.model import ring
from orchestrator.model.lines import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.engine.journey import Journey
    from orchestrator.engine.program.plan import StepPlan
    from orchestrator.model.customer import Contact, Standing
    from orchestrator.model.event import Event
    from orchestrator.model.lines import Line


class Delay(Word):
    """Waits for a time; one already past passes at once."""

    def enter(self, step: "StepPlan", journey: "Journey") -> Any:
        due = delay_until(step, journey, journey.moment.now)
        if due <= journey.moment.now:
            return self._passed(step, journey)
        return journey.stand(step, due, journey.moment.scope.zone_name() if step.body.time is not None else None)

    def due(self, step: "StepPlan", journey: "Journey", standing: "Standing") -> Any:
        journey.leave(standing)
        return self._passed(step, journey)

    def look(self, step: "StepPlan", journey: "Journey", standing: "Standing") -> Any:
        """A changed zone re-times a delay that waits for an o'clock."""
        if standing.data is not None and standing.data != journey.moment.scope.zone_name():
            standing.data = journey.moment.scope.zone_name()
            standing.due = max(delay_until(step, journey, standing.since), journey.moment.now)
        return NOTHING

    def _passed(self, step: "StepPlan", journey: "Journey") -> Any:
        journey.output(step, "passed")
        return step.follow


def delay_until(step: "StepPlan", journey: "Journey", since: int) -> int:
    """When a delay that began at `since` is over (ms); what is over already ends now, and then in opening hours too."""
    body, program = step.body, journey.moment.program
    if body.for_ is not None:
        due = since + body.for_
    elif body.until is not None:
        due = journey.value(step, body.until).ms
    else:
        where = zone(journey.moment.scope.zone_name(), program.zone)
        due = next_time(since, body.time, where, body.days_later, body.weekdays)
    return program.calendars[body.calendar].next_opening(max(due, journey.moment.now)) if body.calendar else due


class Silence(Word):
    """Passes when none of these happened for so long; each match starts it again, from its event time."""

    def enter(self, step: "StepPlan", journey: "Journey") -> Any:
        began = self._last_touch(step, journey)
        due = began + step.body.for_ + step.body.grace
        if due <= journey.moment.now:
            return self._passed(step, journey)
        return journey.stand(step, due, began)

    def _last_touch(self, step: "StepPlan", journey: "Journey") -> int:
        """What led here, or a newer touch that is known already: events come out of order, and entries may wait."""
        led_at, timeline = journey.moment.led_at, journey.moment.customer.timeline
        if ring.newest(timeline) <= led_at:
            return led_at
        return newest_touch(step, journey, lines_of(timeline), led_at)

    def touched(self, step: "StepPlan", journey: "Journey", standing: "Standing", event: "Event") -> Any:
        in_time = not step.body.grace or event.time <= standing.data + step.body.for_
        if in_time and journey.holds(step, step.body.where):
            restart_silence(step, standing, event.time)
        return NOTHING

    def due(self, step: "StepPlan", journey: "Journey", standing: "Standing") -> Any:
        journey.leave(standing)
        return self._passed(step, journey)

    def _passed(self, step: "StepPlan", journey: "Journey") -> Any:
        journey.output(step, "passed")
        return step.follow


def newest_touch(step: "StepPlan", journey: "Journey", lines: "Iterable[Line]", since: int) -> int:
    """The time (ms) of the newest of these lines, oldest first, that starts a silence again; `since` where none does.

    As for an event that arrives: of a type that the silence listens for, with `where`, an activity, and with `grace`
    not after the silence was over.
    """
    moment, body, newest = journey.moment, step.body, since
    outer = moment.scope.event
    for line in lines:
        if line.time <= newest or (body.grace and line.time > newest + body.for_):
            continue
        if line.type not in step.listens and f"{line.channel}.{line.type}" not in step.listens:
            continue
        moment.scope.event = remembered(moment, line)
        if moment.program.event_plan(line.type, line.channel).activity and journey.holds(step, body.where):
            newest = line.time
    moment.scope.event = outer
    return newest


def restart_silence(step: "StepPlan", standing: "Standing", time: int) -> None:
    """A touch at `time` (ms): the silence counts from the newest touch."""
    if time > standing.data:
        standing.data = time
        standing.due = time + step.body.for_ + step.body.grace


class WaitUntil(Word):
    """Waits for an event, for one of several, or until a condition is true; not longer than its timeout."""

    def enter(self, step: "StepPlan", journey: "Journey") -> Any:
        body = step.body
        if body.when is not None and journey.holds(step, body.when):
            return self._matched(step, journey, "then", None)
        end = journey.moment.now + body.timeout if body.timeout is not None else journey.value(step, body.until).ms
        if end + body.grace <= journey.moment.now or self._hopeless(step, journey):
            return self._timed_out(step, journey)
        return journey.stand(step, end + body.grace)

    def _hopeless(self, step: "StepPlan", journey: "Journey") -> bool:
        """A wait about nothing but messages that were not sent, or steps never reached, can only time out."""
        asked = {awaited.of for awaited in step.body.any} if step.body.any else {step.body.of}
        outputs = journey.instance.outputs
        return all(name is not None and not _told(outputs.get(name, {})) for name in asked)

    def touched(self, step: "StepPlan", journey: "Journey", standing: "Standing", event: "Event") -> Any:
        body = step.body
        if body.grace and event.time > standing.due - body.grace:
            return NOTHING
        names = (event.type, f"{event.channel}.{event.type}")
        if body.on:
            if self._fits(step, journey, body.on, names, body.where, body.of, event):
                journey.leave(standing)
                return self._matched(step, journey, "then", event, event.type)
            return NOTHING
        for awaited in body.any:
            if self._fits(step, journey, awaited.on, names, awaited.where, awaited.of, event):
                journey.leave(standing)
                return self._matched(step, journey, awaited.name, event, awaited.name)
        return NOTHING

    def _fits(
        self, step: "StepPlan", journey: "Journey", on: tuple[str, ...], names: tuple[str, str], where: Any,
        of: str | None, event: "Event",
    ) -> bool:  # fmt: skip
        if names[0] not in on and names[1] not in on:
            return False
        if of is not None and not about_step(journey, of, event):
            if journey.moment.explain:
                journey.note("not_matched", step, "of", {"event": event.type, "of": of})
            return False
        if journey.holds(step, where):
            return True
        if journey.moment.explain:
            journey.note("not_matched", step, "where", {"event": event.type, **explained(where, journey.moment.scope)})
        return False

    def due(self, step: "StepPlan", journey: "Journey", standing: "Standing") -> Any:
        journey.leave(standing)
        return self._timed_out(step, journey)

    def look(self, step: "StepPlan", journey: "Journey", standing: "Standing") -> Any:
        if step.body.when is None or not journey.holds(step, step.body.when):
            return NOTHING
        journey.leave(standing)
        return self._matched(step, journey, "then", None)

    def _matched(
        self, step: "StepPlan", journey: "Journey", branch: str, event: "Event | None", name: str = "when"
    ) -> Any:
        happened = {"data": event.data, "meta": envelope_of(event)} if event is not None else None
        journey.output(step, "matched", matched=name, event=happened)
        if branch != "then" and branch in step.heads:
            return step.heads[branch]
        return step.heads.get("then", step.follow)

    def _timed_out(self, step: "StepPlan", journey: "Journey") -> Any:
        journey.output(step, "timeout", matched="")
        return step.heads.get("on_timeout", step.follow)


def _told(output: "dict[str, Any]") -> bool:
    """Whether there is a message, a task or a placement of a step, by what it gave."""
    return bool(output.get("message") or "task" in output or output.get("slots"))


def about_step(journey: "Journey", of: str, event: "Event") -> bool:
    """Whether an event is about the message, task or placement of a step of this instance.

    By the id where the event names one; else by the name of content or offer, and the newest send.
    """
    output = journey.instance.outputs.get(of, {})
    named = event.data.get("message", event.data.get("in_reply_to"))
    if "task" in output:
        return bool(event.data.get("task", event.data.get("key")) in {output["id"], output.get("key")})
    if output.get("slots"):
        placement = event.data.get("placement")
        said = "content" if output["content"] else "offer"
        return bool(placement == output["placement"] if placement else event.data.get(said) == output[said])
    if not output.get("message"):
        return False
    sent = output.get("messages") or [output["message"]]
    if named in sent:
        return True
    contact = journey.moment.scope.contact(str(named)) if named is not None else _newest(journey, event)
    return contact is not None and contact.id in sent


def _newest(journey: "Journey", event: "Event") -> "Contact | None":
    """What an event without a message id is about: the newest message on its channel, of the content that it names."""
    content = event.data.get("content")
    fitting = [
        c for c in journey.moment.customer.contacts if c.channel == event.channel and content in {None, c.content}
    ]
    return fitting[-1] if fitting else None


__all__ = ["STAND", "Delay", "Silence", "WaitUntil", "about_step", "delay_until", "restart_silence"]
