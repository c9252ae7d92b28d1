"""Defects planted in the real code, one at a time: each must break a promise within so many seeds.

A defect that is not noticed means that the simulator does not look where it should.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple
from unittest.mock import patch

from orchestrator.engine.advance import Advance
from orchestrator.engine.identity import handlers, merge, route
from orchestrator.engine.identity.rules import IdentityRules
from orchestrator.engine.timers import earliest_due
from orchestrator.model.customer import Customer
from orchestrator.stream.lane import core, partition, step, ticks
from orchestrator.stream.table import PartitionTable
from tests.simulation.simulator import worker
from tests.simulation.simulator.play import Draw, run_seed
from tests.simulation.simulator.story import draw_deep, draw_echoes, draw_story

RARE: Final = 1000
"""A defect that needs more seeds than this to be noticed is planted only by `make simulate`."""

Patch = Callable[[ExitStack], None]


class Defect(NamedTuple):
    """What is broken, how, and within how many seeds, drawn in which way, that is noticed."""

    name: str
    plant: Patch
    within: int
    draw: Draw = draw_story


def caught_by(defect: Defect) -> int | None:
    """The first seed that notices, None where none does within the limit."""
    with planted(defect):
        return next((seed for seed in range(defect.within) if run_seed(seed, defect.draw) is not None), None)


@contextmanager
def planted(defect: Defect) -> Iterator[None]:
    """The real code with one defect in it."""
    with ExitStack() as stack:
        defect.plant(stack)
        yield


def _replaced(target: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """A defect that puts something made of the original in its place."""

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.object(target, name, make(getattr(target, name))))

    return plant


def _always(value: Any) -> Callable[[Any], Any]:
    """Whatever is asked, the answer is this."""
    return lambda _: lambda *_, **__: value


def _both(*patches: Patch) -> Patch:
    def plant(stack: ExitStack) -> None:
        for each in patches:
            each(stack)

    return plant


# The lane.


def _send_first(original: Any) -> Any:
    def moves(self: worker.Ownership) -> Any:
        found: list[Any] = []
        before: set[Any] = set()
        for flight in self.flights:
            found += [(flight, lane) for lane in flight.lanes if lane not in before]
            before.update(flight.lanes)
            if not flight.durable:
                found += [] if flight.lanes else [(flight, None)]
                break
        return found

    return moves


def _commit_first(original: Any) -> Any:
    def process(self: worker.Ownership, records: Any) -> Any:
        batch = original(self, records)
        self.done.update(batch.offsets)
        return batch

    return process


def _live_state_kept(original: Any) -> Any:
    def assigned(self: Any, index: int, *rest: Any) -> Any:
        old = self.__dict__.setdefault("kept_live", {}).get(index)
        batch = original(self, index, *rest)
        if old is not None:
            self._owned[index]._live = old
        self.kept_live[index] = self._owned[index]._live
        return batch

    return assigned


def _any_writer(original: Any) -> Any:
    return lambda _, previous, *__: previous


def _unfenced(original: Any) -> Any:
    return property(lambda _: False)


def _half_recovered(original: Any) -> Any:
    def restore(self: PartitionTable, records: Any, next_offset: int) -> None:
        original(self, records[: len(records) - 1], next_offset)

    return restore


def _stale_commits(original: Any) -> Any:
    def drop(node: Any, committed: Any) -> None:
        original(node, {topic: offset + 1 for topic, offset in committed.items()})

    return drop


def _tick_for_all(original: Any) -> Any:
    def timers(step_: Any, record: Any, key: bytes, until: int) -> None:
        node = step_.partition.node(key)
        body = node.body
        if isinstance(body, Customer):
            work = step_.work(node, key.decode().partition("/")[2], record)
            step_.engine.timers(work, body, until)
            step_.settle(record, key, work)

    return timers


def _moving_is_due(original: Any) -> Any:
    def due(node: Any) -> int:
        return earliest_due(node.body) if isinstance(node.body, Customer) else int(original(node))

    return due


def _indexes_lost(original: Any) -> Any:
    def rebuild(self: Any) -> Any:
        found = original(self)
        self._heap, self._due = [], {}
        return found

    return rebuild


def _waiting_thrown(original: Any) -> Any:
    def unowned(step_: Any, record: Any, node: Any, until: int) -> None:
        before = len(node.outbox)
        original(step_, record, node, until)
        del node.outbox[before:]

    return unowned


def _replays_by_mark(original: Any) -> Any:
    def replayed(self: step.Step, record: Any, target: str, node: Any) -> bool:
        return self._applied(node, record)

    return replayed


# Identity.


def _everybody_is_member(original: Any) -> Any:
    def destination(work: Any, target: str) -> Any:
        return work.node.to

    return destination


def _window_left_behind(original: Any) -> Any:
    def join(winner: Customer, parcel: Customer) -> None:
        windows = dict(winner.window)
        original(winner, parcel)
        winner.window = windows

    return join


def _cut_without_window(original: Any) -> Any:
    def cut(work: Any, customer: Customer, node: str, *rest: Any, **more: Any) -> None:
        customer.window.pop(node, None)
        original(work, customer, node, *rest, **more)

    return cut


def _absorb_again(original: Any) -> Any:
    def absorb(work: Any, message: Any) -> None:
        known = work.customer().family.get(message.mover)
        if known is not None and known.epoch == message.epoch:
            known.epoch -= 1
        original(work, message)

    return absorb


def _same_epoch(original: Any) -> Any:
    def move(work: Any, customer: Customer, link: Any) -> None:
        work.node.epoch = max(0, work.node.epoch - 1)
        original(work, customer, link)

    return move


def _home_to_mover_only(original: Any) -> Any:
    def take_in(work: Any, customer: Customer, absorb: Any) -> None:
        original(work, customer, absorb)
        work.effects = [
            effect
            for effect in work.effects
            if type(getattr(effect, "message", None)).__name__ != "Home" or effect.node == absorb.mover
        ]

    return take_in


def _split_any_epoch(original: Any) -> Any:
    def split(work: Any, message: Any) -> None:
        if work.node.to is not None:
            message.epoch = work.node.epoch
        original(work, message)

    return split


def _late_evidence_counts(original: Any) -> Any:
    def link(work: Any, message: Any) -> None:
        member = work.customer().family.get(message.target)
        if member is not None and message.time <= member.since:
            member.since = 0
        original(work, message)

    return link


def _weaker_wins(original: Any) -> Any:
    return lambda self, one, other: self.rank(one) > self.rank(other)


def _link_forgotten(original: Any) -> Any:
    def evidence(customer: Customer, event: Any, target: str, work: Any) -> list[str]:
        return list(original(customer, event, target, work))[:1]

    return evidence


def _since_ignored(original: Any) -> Any:
    def evidence(customer: Customer, event: Any, target: str, work: Any) -> list[str]:
        since = {node: member.since for node, member in customer.family.items()}
        links = list(original(customer, event, target, work))
        for node, member in customer.family.items():
            member.since = since[node]
        return links

    return evidence


def _seed_without_family(original: Any) -> Any:
    def split(work: Any, message: Any) -> None:
        message.seed.family = {}
        original(work, message)

    return split


# What happens inside a customer.


def _contacts_dropped(original: Any) -> Any:
    def join(one: list[Any], other: list[Any]) -> list[Any]:
        return one

    return join


def _consent_looser(original: Any) -> Any:
    return lambda one, other: {**other, **one}


def _entries_do_not_wait(original: Any) -> Any:
    def event(self: Advance, happened: Any, links: list[str]) -> None:
        self.customer.waiting = []
        original(self, happened, links)

    return event


def _early(original: Any) -> Any:
    return lambda self, until: original(self, until + 5000)


DEFECTS: Final = (
    Defect("sends leave before the changelog is acknowledged", _replaced(worker.Ownership, "_moves", _send_first), 400),
    Defect(
        "offsets are committed before anything is durable", _replaced(worker.Ownership, "process", _commit_first), 60
    ),
    Defect("recovery forgets the outboxes", _replaced(core, "unsent", _always([])), 100),
    Defect("recovery ends a record too early", _replaced(PartitionTable, "restore", _half_recovered), 60),
    Defect("recovery forgets who is due", _replaced(partition.Partition, "rebuild", _indexes_lost), 200),
    Defect("recovery forgets who waits for facts", _replaced(partition.Partition, "all_waiting", _always([])), 2500),
    Defect("two owners have the same number", _replaced(worker.Ownership, "fenced", _unfenced), 12000),
    Defect("live state is kept across a revoke", _replaced(core.CustomerCore, "assigned", _live_state_kept), 2500),
    Defect("the zombie rule is off", _replaced(core.CustomerCore, "accepts", _any_writer), 800),
    Defect(
        "outbox entries go with the commit before theirs", _replaced(partition, "drop_committed", _stale_commits), 400
    ),
    Defect(
        "a later record of its topic makes an event a replay",
        _replaced(step.Step, "_replayed", _replays_by_mark),
        4000,
        draw_deep,
    ),
    Defect("what nobody owned is not in the outbox", _replaced(ticks, "_unowned", _waiting_thrown), 4000),
    Defect(
        "a moving node fires its timers",
        _both(_replaced(ticks, "_timers", _tick_for_all), _replaced(partition, "node_due", _moving_is_due)),
        1000,
    ),
    Defect(
        "membership is not asked",
        _both(
            _replaced(route, "destination", _everybody_is_member), _replaced(step, "destination", _everybody_is_member)
        ),
        300,
    ),
    Defect("events are counted as often as they come", _replaced(handlers, "seen", _always(False)), 40),
    Defect("the dedupe window stays behind at a move", _replaced(merge, "_join_identity", _window_left_behind), 300),
    Defect("the dedupe window stays behind at a cut", _replaced(handlers, "cut", _cut_without_window), 300),
    Defect("a parcel is absorbed twice", _replaced(handlers, "on_absorb", _absorb_again), 300),
    Defect("a move does not raise the epoch", _replaced(handlers, "move", _same_epoch), 200),
    Defect("unique limits are not checked", _replaced(handlers, "over_unique", _always(False)), 200),
    Defect("a refusal is not heard", _replaced(handlers, "on_refused", _always(None)), 300),
    Defect("a parcel's arrival is not heard", _replaced(handlers, "on_home", _always(None)), 60),
    Defect("only the mover hears where home is", _replaced(handlers, "_take_in", _home_to_mover_only), 300),
    Defect("a split of another epoch counts", _replaced(handlers, "on_split", _split_any_epoch), 12000, draw_echoes),
    Defect("late evidence takes a browser back", _replaced(handlers, "on_link", _late_evidence_counts), 400),
    Defect("the weaker name wins", _replaced(IdentityRules, "stronger", _weaker_wins), 60),
    Defect("only the first other identifier is linked", _replaced(handlers, "_evidence", _link_forgotten), 300),
    Defect("newer evidence is not remembered", _replaced(handlers, "_evidence", _since_ignored), 1000),
    Defect("a seed leaves the family behind", _replaced(handlers, "on_split", _seed_without_family), 8000, draw_echoes),
    Defect("contacts of one half are forgotten", _replaced(merge, "_union", _contacts_dropped), 400),
    Defect("the looser consent wins", _replaced(merge, "_stricter", _consent_looser), 4000),
    Defect("entries that wait are forgotten", _replaced(Advance, "event", _entries_do_not_wait), 300),
    Defect("timers act early", _replaced(Advance, "timers", _early), 400),
    Defect(
        "a half goes through what the other has been through", _replaced(handlers, "had_already", _always([])), 4000
    ),
)
