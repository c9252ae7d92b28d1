"""What could be wrong about who is whom, and inside a customer. Each is made of the original."""

from typing import Any

from orchestrator.engine.advance import Advance
from orchestrator.model.customer import Customer


def everybody_is_member(original: Any) -> Any:
    def destination(work: Any, target: str) -> Any:
        return work.node.to

    return destination


def window_left_behind(original: Any) -> Any:
    def join(winner: Customer, parcel: Customer) -> None:
        windows = dict(winner.window)
        original(winner, parcel)
        winner.window = windows

    return join


def cut_without_window(original: Any) -> Any:
    def cut(work: Any, customer: Customer, node: str, *rest: Any, **more: Any) -> None:
        customer.window.pop(node, None)
        original(work, customer, node, *rest, **more)

    return cut


def absorb_again(original: Any) -> Any:
    def absorb(work: Any, message: Any) -> None:
        known = work.customer().family.get(message.mover)
        if known is not None and known.epoch == message.epoch:
            known.epoch -= 1
        original(work, message)

    return absorb


def same_epoch(original: Any) -> Any:
    def move(work: Any, customer: Customer, link: Any) -> None:
        work.node.epoch = max(0, work.node.epoch - 1)
        original(work, customer, link)

    return move


def home_to_mover_only(original: Any) -> Any:
    def take_in(work: Any, customer: Customer, absorb: Any) -> None:
        original(work, customer, absorb)
        work.effects = [
            effect
            for effect in work.effects
            if type(getattr(effect, "message", None)).__name__ != "Home" or effect.node == absorb.mover
        ]

    return take_in


def split_any_epoch(original: Any) -> Any:
    def split(work: Any, message: Any) -> None:
        if work.node.to is not None:
            message.epoch = work.node.epoch
        original(work, message)

    return split


def late_evidence_counts(original: Any) -> Any:
    def link(work: Any, message: Any) -> None:
        member = work.customer().family.get(message.target)
        if member is not None and message.time <= member.since:
            member.since = 0
        original(work, message)

    return link


def weaker_wins(original: Any) -> Any:
    return lambda self, one, other: self.rank(one) > self.rank(other)


def link_forgotten(original: Any) -> Any:
    def evidence(customer: Customer, event: Any, target: str, work: Any) -> list[str]:
        return list(original(customer, event, target, work))[:1]

    return evidence


def since_ignored(original: Any) -> Any:
    def evidence(customer: Customer, event: Any, target: str, work: Any) -> list[str]:
        since = {node: member.since for node, member in customer.family.items()}
        links = list(original(customer, event, target, work))
        for node, member in customer.family.items():
            member.since = since[node]
        return links

    return evidence


def seed_without_family(original: Any) -> Any:
    def split(work: Any, message: Any) -> None:
        message.seed.family = {}
        original(work, message)

    return split


# What happens inside a customer.


def contacts_dropped(original: Any) -> Any:
    def join(one: list[Any], other: list[Any]) -> list[Any]:
        return one

    return join


def one_half_only(original: Any) -> Any:
    return lambda one, *_: one


def consent_looser(original: Any) -> Any:
    return lambda one, other: {**other, **one}


def entries_do_not_wait(original: Any) -> Any:
    def event(self: Advance, happened: Any, links: list[str]) -> None:
        self.customer.waiting = []
        original(self, happened, links)

    return event


def early(original: Any) -> Any:
    return lambda self, until, waits=False: original(self, until + 5000, waits)


def events_end_waits(original: Any) -> Any:
    def event(self: Advance, happened: Any, links: list[str]) -> None:
        if any(waiting.until <= self.now for waiting in self.customer.waiting):
            moment = self._moment(self.now)
            self._waited_enough(moment, lambda waiting: waiting.until <= self.now)
            self._finish(moment)
        original(self, happened, links)

    return event


def nobody_is_asked(original: Any) -> Any:
    def wait_or_ask(self: Advance, moment: Any, at: int) -> None:
        self._waited_enough(moment, lambda waiting: waiting.until <= at)

    return wait_or_ask


def silent(original: Any) -> Any:
    """Who was cut by an erasure tells nobody."""

    def tell_receipt(work: Any, request: str, expected: list[str], done: list[str], whole: bool = False) -> None:
        if whole:
            original(work, request, expected, done, whole)

    return tell_receipt
