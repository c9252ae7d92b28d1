"""What could be wrong in the lane: order, recovery, ownership, ticks, releases. Each is made of the original."""

from typing import Any

from orchestrator.engine.timers import earliest_due
from orchestrator.model.customer import Customer
from orchestrator.model.message import Applied, Shown
from orchestrator.stream.lane import step
from orchestrator.stream.table import PartitionTable
from tests.simulation.simulator import worker
from tests.simulation.simulator.house import OWNERSHIP


def send_first(original: Any) -> Any:
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


def commit_first(original: Any) -> Any:
    def process(self: worker.Ownership, records: Any) -> Any:
        batch = original(self, records)
        self.done.update(batch.offsets)
        return batch

    return process


def live_state_kept(original: Any) -> Any:
    def assigned(self: Any, index: int, *rest: Any) -> Any:
        old = self.__dict__.setdefault("kept_live", {}).get(index)
        batch = original(self, index, *rest)
        if old is not None:
            self._owned[index]._live = old
        self.kept_live[index] = self._owned[index]._live
        return batch

    return assigned


def any_writer(original: Any) -> Any:
    return lambda _, previous, *__: previous


def unfenced(original: Any) -> Any:
    return property(lambda _: False)


def half_recovered(original: Any) -> Any:
    def restore(self: PartitionTable, records: Any, next_offset: int) -> None:
        original(self, records[: len(records) - 1], next_offset)

    return restore


def stale_commits(original: Any) -> Any:
    def drop(node: Any, committed: Any) -> None:
        original(node, {topic: offset + 1 for topic, offset in committed.items()})

    return drop


def tick_for_all(original: Any) -> Any:
    def timers(step_: Any, record: Any, key: bytes, until: int) -> None:
        node = step_.partition.node(key)
        body = node.body
        if isinstance(body, Customer):
            work = step_.work(node, key.decode().partition("/")[2], record)
            step_.engine.timers(work, body, until)
            step_.settle(record, key, work)
        else:
            original(step_, record, key, until)

    return timers


def moving_is_due(original: Any) -> Any:
    def due(node: Any) -> int:
        return earliest_due(node.body) if isinstance(node.body, Customer) else int(original(node))

    return due


def nodes_stay(original: Any) -> Any:
    def undo(self: Any, mark: Any) -> None:
        live = dict(self._live)
        original(self, mark)
        self._live.update(live)

    return undo


def release_stays(original: Any) -> Any:
    def undo(self: Any, mark: Any) -> None:
        release = self.release
        original(self, mark)
        self.release = release

    return undo


def dues_stay(original: Any) -> Any:
    def undo(self: Any, mark: Any) -> None:
        heap, due = self._heap, self._due
        original(self, mark)
        self._heap, self._due = heap, due

    return undo


def indexes_lost(original: Any) -> Any:
    def rebuild(self: Any) -> Any:
        found = original(self)
        self._heap, self._due = [], {}
        return found

    return rebuild


def waiting_thrown(original: Any) -> Any:
    def unowned(step_: Any, record: Any, node: Any, until: int) -> None:
        before = len(node.outbox)
        original(step_, record, node, until)
        del node.outbox[before:]

    return unowned


def replays_by_mark(original: Any) -> Any:
    def replayed(self: step.Step, record: Any, target: str, node: Any) -> bool:
        return self.applied(node, record)

    return replayed


def shown_travels_empty(original: Any) -> Any:
    def pass_on(self: step.Step, name: str, message: Any) -> None:
        original(self, name, Applied(message.target, b"", message.time) if isinstance(message, Shown) else message)

    return pass_on


# Releases.


def newest_known(original: Any) -> Any:
    def scenario(self: Any, name: str, version: int) -> Any:
        newest = self.scenarios.get(name)
        return self.older.get((name, version), newest)

    return scenario


def moved_again(original: Any) -> Any:
    def go_over(moment: Any, instance: Any, newest: Any) -> None:
        original(moment, instance, newest)
        for standing in instance.standing:
            standing.step = newest.document.moved.get(standing.step, standing.step)

    return go_over


def release_forgotten(original: Any) -> Any:
    def assigned(self: Any, index: int, values: Any, *rest: Any) -> Any:
        batch = original(self, index, values, *rest)
        self._owned[index].release = self.current.release
        return batch

    return assigned


def forgets_only(original: Any) -> Any:
    def wake(self: Any, release: str) -> None:
        self.recall = lambda _: None
        original(self, release)

    return wake


def visits_forgotten(original: Any) -> Any:
    def begin(self: Any, whom: str, after: bytes = b"") -> None:
        if not after:
            original(self, whom)

    return begin


def ownership_first(original: Any) -> Any:
    def encode(self: Any, program: Any) -> Any:
        return sorted(original(self, program), key=lambda written: not written[0].startswith(OWNERSHIP))

    return encode
