"""One seed: producers, workers, delivery and troubles in one thread, in an order drawn from the seed."""

from collections.abc import Callable
from random import Random
from typing import Final

from orchestrator.engine.program.plan import Program
from orchestrator.stream.lane.core import MissingReleaseError
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.bundles import Bundles, Retiring
from tests.simulation.simulator.delivery import Delivery
from tests.simulation.simulator.faults import Fault
from tests.simulation.simulator.house import SECOND
from tests.simulation.simulator.interruptions import Interruptions
from tests.simulation.simulator.producers import Producers
from tests.simulation.simulator.story import Story
from tests.simulation.simulator.tracing import describe
from tests.simulation.simulator.violation import ViolationError
from tests.simulation.simulator.watch import Watcher
from tests.simulation.simulator.worker import Ownership, Worker

START: Final = 1_772_442_000_000
HORIZON: Final = 3_600 * SECOND
"""Until nothing is due for so long, a seed is not quiet."""
MOST_ROUNDS: Final = 4_000


class Simulation:
    """The world of one seed.

    Args:
        story: what was drawn.
        trace: told each thing that happens, for people to read; None is fast.
    """

    def __init__(self, story: Story, trace: Callable[[str], None] | None = None) -> None:
        self.story = story
        self.rng = Random(story.seed ^ 0x5EED)
        self._cuts = Random(story.seed ^ 0xC075)
        alone = story.mode == "solo" and bool(story.releases)
        self.broker = Broker(story.partitions, START, distinct=alone)
        self.bundles = Bundles(story.releases)
        self.retiring = Retiring(self.broker, self.bundles)
        self.trace = trace
        self.producers = Producers(story, self.broker, self.rng, self._say)
        meeting = story.mode in {"unique", "newest"} and not story.has("erase")
        self.watcher = Watcher(self.broker, meeting=meeting, alone=story.mode == "solo")
        self.delivery = Delivery(self.broker, self.rng, story.busy)
        self.owners: dict[int, Ownership] = {}
        self.zombies: list[Ownership] = []
        self.interruptions = Interruptions(self.broker)
        self._known: dict[int, int] = {}
        self.behind = False
        """A partition came to a worker that had read fewer releases than one before it. It was not told so, where a
        release came again that it knew: then journeys of the release between wait for that, and act late."""
        self.made = 0
        self.workers = [self._worker() for _ in range(story.workers)]
        self._troubles = 7
        self._stirs = 4 if story.troubles.crash else 0
        self._drawn = self._moves()

    @property
    def programs(self) -> tuple[Program, ...]:
        """All releases of this story."""
        return self.bundles.programs

    # The run.

    def run(self) -> None:
        """Trouble first, then peace until nothing is under way.

        Raises:
            ViolationError: a promise was broken.
        """
        budget = 60 + 12 * len(self.story.happenings)
        for move in self.rng.choices(*self._drawn, k=budget):
            move()
        self._settle()

    def _moves(self) -> tuple[list[Callable[[], None]], list[float]]:
        troubles, rng = self.story.troubles, self.rng
        table: list[tuple[Callable[[], None], float]] = [
            (self._produce, 3.0),
            (self._poll, 10.0),
            (self._land, rng.choice((4.0, 10.0))),
            (self._commit, rng.choice((0.5, 2.0))),
            (self._turn, 3.0),
            (self._wait, 3.0),
            (self._sleep, troubles.hours),
            (self._deliver, 3.0),
            (self._facts, 1.0),
            (self._crash, troubles.crash),
            (self._lose, troubles.lose),
            (self._haunt, 6.0 if troubles.lose else 0.0),
            (self.producers.repeat, troubles.repeat),
            (self._release, troubles.release),
            (self._take_over, 5.0),
            (self._publish, 6.0 if self.story.retires else 2.0 if self.story.releases else 0.0),
            (self._retire, 12.0 if self.story.retires else 0.0),
        ]
        return [move for move, _ in table], [weight for _, weight in table]

    def _say(self, text: str) -> None:
        if self.trace is not None:
            self.trace(f"{self.broker.clock - START:>8} {text}")

    # Time, producers and releases.

    def _produce(self) -> None:
        """What happens, one after the other; or much at once, so that batches are large."""
        for _ in range(self.story.most // 2 if self.rng.random() < 0.3 else 1):
            self.producers.go_on()

    def _wait(self) -> None:
        self.broker.clock += int(self.rng.random() ** 2 * 1500)

    def _sleep(self) -> None:
        self.broker.clock += int(self.rng.random() * 20 * SECOND)

    def _publish(self) -> None:
        """Another release; or a worker reads of the next one, sooner or later than others."""
        if self.bundles.published < len(self.programs) and self.rng.random() < 0.4:
            self.bundles.publish()
            self._say(f"release {self.bundles.published} is published")
        worker = self.workers[0] if self.story.lagging else self.rng.choice(self.workers)
        if worker.read_next():
            self._say(f"{worker.name} reads of release {worker.read.published}")

    def _retire(self) -> None:
        self._say(f"the operator {self.retiring.go_on()}")

    # Workers at work.

    def _worker(self) -> Worker:
        self.made += 1
        worker = Worker(f"w{self.made}", self.broker, self.bundles, len(self.bundles.states) - 1, self.watcher.settled)
        worker.core.too_much = self._too_much
        return worker

    def _too_much(self, release: bool) -> bool:
        """Whether several records are more than can be written at once."""
        if self._cuts.random() > 0.1:
            return False
        self.broker.met[Fault.IN_PARTS] += 1
        self.broker.met[Fault.RELEASE_TAKEN_BACK] += release
        return True

    def _some(self) -> Ownership | None:
        owners = self.owners
        if not owners:
            return None
        return list(owners.values())[int(self.rng.random() * len(owners))]

    def _poll(self) -> None:
        owner = self._some()
        if owner is not None and owner.ready:
            self._process(owner, 1 + int(self.rng.random() ** 2 * self.story.most))

    def _process(self, owner: Ownership, most: int) -> bool:
        records = owner.take(most, self.rng, self.story.merged) if not owner.rest else []
        if not records and not owner.rest:
            return False
        known = self._known.get(owner.partition, 0)
        self._known[owner.partition] = max(known, owner.worker.read.published)
        self.watcher.latest = max(self.watcher.latest, *(record.timestamp for record in records), 0)
        if self.trace is not None:
            for record in records:
                self._say(f"{owner.worker.name} p{owner.partition} takes {describe(record)}")
        try:
            with self.interruptions.watched(owner, records, self.owners):
                batch = owner.process(records)
        except MissingReleaseError:
            self._miss(owner.worker)
            return True
        owner.skip_empty()
        if self.trace is not None:
            for send in batch.sends:
                self._say(f"    -> {describe(send)}")
        if not owner.lost:
            self.watcher.after(owner, batch)
        return True

    def _land(self) -> None:
        owner = self._some()
        if owner is not None:
            self._arrive(owner)

    def _arrive(self, owner: Ownership, whole: bool = False) -> bool:
        """Something of this owner arrives at the broker; whether there was anything."""
        landed = owner.land(self.rng, whole)
        if landed:
            self._say(f"{owner.worker.name} p{owner.partition} lands: {[f.written for f in owner.flights]}")
        if owner.fenced:
            self._say(f"{owner.worker.name} p{owner.partition} finds somebody else's writes, and ends")
            self.broker.met[Fault.FENCED] += 1
            self._end(owner.worker)
        return landed

    def _commit(self) -> None:
        owner = self._some()
        if owner is not None and owner.done:
            self._say(f"{owner.worker.name} p{owner.partition} commits {owner.done}")
            owner.commit()
            self._close(owner)

    def _turn(self) -> None:
        owner = self._some()
        if owner is not None and owner.ready and owner.tick() is not None:
            self._say(f"{owner.worker.name} p{owner.partition} ticks")

    def _facts(self) -> None:
        self.rng.choice(self.workers).read_facts(1)

    def _deliver(self) -> None:
        self.delivery.go_on()

    # Troubles.

    def _take_over(self) -> None:
        free = [partition for partition in range(self.story.partitions) if partition not in self.owners]
        if free:
            self._assign(free[int(self.rng.random() * len(free))])

    def _assign(self, partition: int) -> None:
        workers = [worker for worker in self.workers if not worker.lost]
        behind = [worker for worker in workers if worker.place < len(self.bundles.states) - 1]
        worker = self.rng.choice(behind if behind and self.rng.random() < 0.5 else workers)
        for other in self.workers:
            if other is not worker:
                other.kept.pop(partition, None)
        owner = Ownership(worker, partition)
        for zombie in self.zombies:
            if zombie.partition == partition and self.rng.random() < 0.5:
                zombie.land(self.rng)
        try:
            batch = owner.open()
        except MissingReleaseError:
            self._miss(worker)
            return
        self.behind = self.behind or worker.read.published < self._known.get(partition, 0)
        self.owners[partition] = owner
        self.broker.met[Fault.OUTBOX_AGAIN] += bool(batch.sends)
        self._say(f"{worker.name} takes p{partition} over, sends {len(batch.sends)} again")
        self.watcher.opened(owner)

    def _trouble(self) -> bool:
        """Whether this seed may have one more; else it would never come to an end."""
        self._troubles -= 1
        return self._troubles >= 0

    def _crash(self) -> None:
        if self._trouble():
            worker = self.rng.choice(self.workers)
            for owner in list(self.owners.values()):
                if owner.worker is worker and self.rng.random() < 0.6:
                    owner.land(self.rng)  # part of what was under way still arrives
            self._say(f"{worker.name} crashes")
            self._end(worker)

    def _miss(self, worker: Worker) -> None:
        self._say(f"{worker.name} misses a release and ends")
        self.broker.met[Fault.RELEASE_MISSING] += 1
        self._end(worker)

    def _end(self, worker: Worker) -> None:
        """A process is gone, with all that was in flight; a supervisor starts another."""
        for partition, owner in list(self.owners.items()):
            if owner.worker is worker:
                self.broker.met.update(owner.interrupted())
                self.interruptions.add(owner)
                del self.owners[partition]
                self.watcher.gone(partition)
        self.zombies = [zombie for zombie in self.zombies if zombie.worker is not worker]
        self.workers = [other for other in self.workers if other is not worker]
        if not any(not other.lost for other in self.workers) or len(self.workers) < self.story.workers:
            self.workers.append(self._worker())

    def _lose(self) -> None:
        """The group gives a worker's partitions away without its knowing."""
        worker = self.rng.choice(self.workers)
        if worker.lost or not self._trouble():
            return
        self._say(f"{worker.name} is lost, and does not know")
        worker.lost = True
        for partition, owner in list(self.owners.items()):
            if owner.worker is worker:
                del self.owners[partition]
                self.watcher.gone(partition)
                self.interruptions.add(owner)
                owner.lose()
                self.zombies.append(owner)
                self.broker.met[Fault.ZOMBIE] += 1
        if all(other.lost for other in self.workers):
            self.workers.append(self._worker())

    def _haunt(self) -> None:
        """A zombie works on, or finds out."""
        if not self.zombies:
            return
        zombie = self.rng.choice(self.zombies)
        if self.rng.random() < 0.06:
            self._say(f"{zombie.worker.name} finds out")
            self._end(zombie.worker)
        elif self.rng.random() < 0.5 and zombie.ready:
            self.broker.met[Fault.ZOMBIE_DECIDES] += bool(zombie.unread())
            if self._process(zombie, 2) and zombie in self.zombies and zombie.flights:
                zombie.lose()
        else:
            self._arrive(zombie)

    def _release(self) -> None:
        """A rebalance without a crash: an owner finishes what it has in hand, and gives it up."""
        owner = self._some()
        if owner is not None and not owner.closing and owner.ready and self._trouble():
            self._say(f"{owner.worker.name} p{owner.partition} gives up in order")
            owner.closing = True

    def _close(self, owner: Ownership) -> None:
        if owner.closing and owner.idle:
            owner.close()
            self.broker.met[Fault.GIVEN_UP] += 1
            del self.owners[owner.partition]
            self.watcher.gone(owner.partition)

    # Peace.

    def _settle(self) -> None:
        """Let everything arrive, and time pass until nothing is due."""
        self._sober()
        while self.bundles.published < len(self.programs):
            self.bundles.publish()
        while self.producers.busy:
            self.producers.go_on()
        for _ in range(MOST_ROUNDS):
            if not self._round():
                due = [at for owner in self.owners.values() if (at := self._next_due(owner))]
                due += [at] if (at := self.delivery.next_due()) else []
                if not due or min(due) > self.broker.clock + HORIZON:
                    return
                self.broker.clock = max(self.broker.clock, min(due)) + 300
                self._stir()
        raise ViolationError("it never becomes quiet")

    def _stir(self) -> None:
        """What falls due late has its troubles, too."""
        if self._stirs:
            self._stirs -= 1
            for move in self.rng.choices(*self._drawn, k=20):
                move()
            self._sober()

    def _sober(self) -> None:
        """Zombies find out."""
        for worker in [worker for worker in self.workers if worker.lost]:
            self._end(worker)

    def _next_due(self, owner: Ownership) -> int:
        owned = owner.worker.core.owned(owner.partition)
        return owned.next_due() if owned is not None else 0

    def _round(self) -> bool:
        """One turn for everybody; whether anything moved."""
        moved = False
        for worker in self.workers:
            while worker.read_next():
                moved = True
            if worker.facts_read < len(self.broker.logs["facts", 0]):
                worker.read_facts(99)
                moved = True
        for partition in range(self.story.partitions):
            moved = self._peace(partition) or moved
        return self.delivery.finish() or moved

    def _peace(self, partition: int) -> bool:
        """A partition does what it can; whether that was anything."""
        if partition not in self.owners:
            self._assign(partition)
            return True
        owner, moved = self.owners[partition], False
        while self._arrive(owner, whole=True):
            moved = True
        if owner not in self.owners.values():
            return True
        if owner.done:
            owner.commit()
            moved = True
        if owner.closing:
            self._close(owner)
            return True
        if owner.tick() is not None:
            self._say(f"{owner.worker.name} p{partition} ticks")
            moved = True
        return self._process(owner, 3) or moved
