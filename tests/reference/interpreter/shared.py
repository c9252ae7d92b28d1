"""What all customers share: the rows of facts, and what is counted of scenarios that may stop themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Happened, Message

PARTS = 60
"""The window moves on in so many steps."""


@dataclass
class Breaker:
    """Of one scenario: when each message was sent that counts, and that of those that met what it stops for (ms)."""

    sent: list[int] = field(default_factory=list)
    met: list[int] = field(default_factory=list)
    stopped: dict[str, int] | None = None
    reopened_at: int = 0


class Shared:
    """What customers tell is heard when all that happens to them at once is over.

    `rows` are fact -> key -> row; `row_time` is the event time (ms) of what has set a row.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.rows = {fact: {key: dict(row) for key, row in rows.items()} for fact, rows in bundle.rows.items()}
        self.row_time: dict[tuple[str, str], int] = {}
        self.breakers: dict[str, Breaker] = {}
        self.told: list[tuple[str, int, bool]] = []

    def stopped(self, scenario: Any) -> bool:
        """Whether a scenario has stopped itself."""
        known = self.breakers.get(scenario.scenario)
        return scenario.stop_when is not None and known is not None and known.stopped is not None

    def hear(self, bundle: Bundle, at: int) -> None:
        """One told message after the other is counted at `at` (ms)."""
        told, self.told = self.told, []
        for scenario, time, met in told:
            document = bundle.scenarios.get(scenario)
            rule = None if document is None else document.stop_when
            breaker = self.breakers.setdefault(scenario, Breaker())
            if rule is None or time < breaker.reopened_at:
                continue
            (breaker.met if met else breaker.sent).append(time)
            _look(breaker, rule, at)

    def reopen(self, scenario: str, at: int) -> None:
        """A person lets it go on: what was sent before counts no more."""
        self.breakers[scenario] = Breaker(reopened_at=at)


def _look(breaker: Breaker, rule: Any, at: int) -> None:
    """Whether too many of the messages of the window, at least so many, met what the scenario stops for."""
    part = max(rule.in_ // PARTS, 1)
    since = at - rule.in_ - part
    sent, met = (sum(1 for time in times if time - time % part > since) for times in (breaker.sent, breaker.met))
    if breaker.stopped is None and sent >= rule.at_least and met > rule.over * sent:
        breaker.stopped = {"at": at, "sent": sent, "met": met}


def tell_sent(customer: Customer, scenario: Any, message: Message) -> None:
    """A message of a scenario that may stop itself leaves."""
    if scenario.stop_when is not None:
        customer.shared.told.append((message.scenario, message.at, False))


def tell_met(customer: Customer, event: Happened) -> None:
    """The message that an event is about has met it, once; on whichever channel, it is the one that was sent first."""
    message = _about(customer.sent, event)
    rule = customer.bundle.scenarios[message.scenario].stop_when if message and _lives(customer, message) else None
    if message is None or rule is None or not event.is_one_of(rule.on):
        return
    first = message if message.first is None else message.first
    if not first.met:
        first.met = True
        customer.shared.told.append((message.scenario, first.at, True))


def _lives(customer: Customer, message: Message) -> bool:
    return message.scenario in customer.bundle.scenarios


def _about(sent: list[Message], event: Happened) -> Message | None:
    """The message that an event names; else the newest on its channel, else the newest, of those sent by then."""
    named = event.data.get("message")
    if named:
        fitting = [one for one in sent if named in {one.id, one.content}]
    else:
        before = [one for one in sent if one.at <= event.time]
        fitting = [one for one in before if one.channel == event.channel] or before
    return fitting[-1] if fitting else None
