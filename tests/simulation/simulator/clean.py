"""What must end as in a run in which nobody crashed, nothing came twice and nobody was overtaken.

Everything, where nobody meets anybody, nothing but records and time decides, and topics are read by record time. What
people are, though not what was decided about them on the way, wherever nothing but evidence says who is whom.
"""

from typing import Any

from orchestrator.engine.identity.merge import TIMELINE_KEPT
from orchestrator.engine.identity.work import members
from orchestrator.engine.traits.states import unpack
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer, PartitionState
from orchestrator.model.effect import INPUTS
from orchestrator.model.lines import lines_of
from orchestrator.model.message import Shown, Tick, decode_message
from orchestrator.rehearsal.world import World
from orchestrator.stream.lane.records import Record
from tests.simulation.simulator.broker import Broker
from tests.simulation.simulator.bundles import Bundles
from tests.simulation.simulator.faults import Fault
from tests.simulation.simulator.house import CHANNELS, COUNTED, releases
from tests.simulation.simulator.simulation import HORIZON, START, Simulation
from tests.simulation.simulator.story import Story
from tests.simulation.simulator.violation import ViolationError
from tests.simulation.simulator.worker import Ownership, Worker


def is_free_of_chance(story: Story) -> bool:
    """Whether only what was told, and when the broker took it, decides how the story ends."""
    return story.mode == "solo" and story.merged and not story.has("level", "returned")


def has_one_outcome(story: Story) -> bool:
    """Whether events alone decide who is whom and what is known of them, in whatever order they come."""
    return story.mode in {"solo", "unique"} and not story.has("returned", "erase", "split")


def check_profiles(run: Simulation, customers: dict[str, Customer]) -> None:
    """Tell every event once, in the order in which it was told first, with nobody at work but one worker.

    Raises:
        ViolationError: somebody is not whom they are then.
    """
    world = World(run.programs[0], START, partitions=1)
    seen: set[bytes | None] = set()
    for record in sorted(_told(run), key=lambda record: record.timestamp):
        if record.value not in seen:
            seen.add(record.value)
            world.arrive(record.topic, record.key, record.value or b"", record.timestamp)
    clean = dict(world.customers())
    if clean.keys() != {name for name, customer in customers.items() if customer.person}:
        raise ViolationError(f"without trouble there are {list(clean)}, not {list(customers)}")
    for name, customer in clean.items():
        lines, all_lines = _lines(customers[name]), _lines(customer)
        forgotten = len(lines_of(customers[name].timeline)) >= TIMELINE_KEPT  # for what delivery said since
        if _known(customer) != (known := _known(customers[name])):
            raise ViolationError(f"{name} is {_known(customer)} without trouble, not {known}")
        if lines != (all_lines[len(all_lines) - len(lines) :] if forgotten else all_lines):
            raise ViolationError(f"{name} has done {all_lines} without trouble, not {lines}")


def _told(run: Simulation) -> list[Record]:
    events = [record for topic in CHANNELS if topic != "channel.email" for record in run.broker.read(topic)]
    return events + _shown(run)


def _shown(run: Simulation) -> list[Record]:
    """What was shown, as the worker that answered told it: nobody has passed it on yet."""
    inputs = [(record, decode_message(record.value or b"")) for record in run.broker.read(INPUTS)]
    return [record for record, message in inputs if isinstance(message, Shown) and not message.hops]


def _known(customer: Customer) -> dict[str, Any]:
    """What is known of a customer, by what they did alone; counted from the oldest."""
    return {
        "members": sorted(members(customer)),
        "traits": {name: unpack(state) for name, state in customer.traits.items()},
    }


def _lines(customer: Customer) -> list[tuple[int, str, str]]:
    return [(line.time, line.type, line.id) for line in lines_of(customer.timeline) if line.type in COUNTED]


def check_clean(run: Simulation, customers: dict[str, Customer]) -> None:
    """Play the same records without any trouble, and compare.

    Not where a tick was to a release that was retired by then: who never retires any would follow it.

    Where releases come, what a partition does depends on where its ticks stand, so these are played, too; else they are
    left out, and the clock makes its own. Who may have acted late is not asked when.

    Raises:
        ViolationError: a customer is not the same.
    """
    if run.broker.met[Fault.TICK_TO_RETIRED]:
        return
    found = {name: _decided(customer) for name, customer in customers.items()}
    clean = _replayed(run) if run.story.releases else _on_virtual_time(run)
    if run.behind:
        found, clean = _without_times(found), _without_times(clean)
    for name in sorted(clean if run.story.releases else clean.keys() | found.keys()):
        mine, other = found.get(name, {}), clean.get(name, {})
        differing = {
            what: (mine.get(what), other.get(what)) for what in mine | other if mine.get(what) != other.get(what)
        }
        if differing:
            raise ViolationError(f"{name} is other than without trouble: {differing}")


def _replayed(run: Simulation) -> dict[str, dict[str, Any]]:
    """Every record as it stands on the topics, read by one worker that knows every release and never stops."""
    broker = Broker(run.story.partitions, run.broker.clock)
    broker.logs.update(run.broker.logs)
    found = {}
    bundles = Bundles(run.story.releases)
    while bundles.published < len(run.programs):
        bundles.publish()
    for partition in range(run.story.partitions):
        first = _first_release(run, partition)
        if not first:
            continue
        worker = Worker("clean", broker, bundles, first - 1, lambda *_: None)
        owner = Ownership(worker, partition)
        owner.open()
        while worker.read_next():
            pass
        while records := owner.take(1, run.rng, merged=True):
            owner.table.apply(worker.core.process(partition, records, broker.clock).changelog)
            worker.core.committed(partition, {records[0].topic: records[0].offset + 1})
        for key, value in owner.table.values.items():
            node = decode_node(value)
            if isinstance(node.body, Customer):
                found[key.decode().partition("/")[2]] = _decided(node.body)
    return found


def _first_release(run: Simulation, partition: int) -> int:
    """How many releases the first owner of a partition had read: the newest of them is what it began on.

    0 where two began at the same time, on different ones: then it depends on who was quicker.
    """
    states = [decode_node(record.value).body for record in run.broker.changelog[partition] if record.value is not None]
    begun = [state.release for state in states if isinstance(state, PartitionState)]
    ticks = [decode_message(record.value or b"") for record in run.broker.logs[INPUTS, partition]]
    told = {tick.release for tick in ticks if isinstance(tick, Tick)}
    if not begun or set(begun) - told - {begun[0]}:
        return 0
    return [program.release for program in run.programs].index(begun[0]) + 1


def _on_virtual_time(run: Simulation) -> dict[str, dict[str, Any]]:
    world = World(releases()[0], START, partitions=1)
    records = sorted([*run.broker.read("channel.web"), *_shown(run)], key=lambda record: record.timestamp)
    for record in records:
        world.arrive(record.topic, record.key, record.value or b"", record.timestamp)
    world.advance(run.broker.clock + HORIZON // 2)
    return {name: _decided(customer) for name, customer in world.customers()}


def _without_times(decided: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            **one,
            "sent": sorted((id_, content) for id_, _, content in one["sent"]),
            "journeys": [(scenario, key, [step for step, _ in at]) for scenario, key, at in one["journeys"]],
        }
        for name, one in decided.items()
    }


def _decided(customer: Customer) -> dict[str, Any]:
    """What was decided about a customer; not what delivery said since, which takes its time."""
    return {
        "person": (customer.person, customer.born),
        "traits": customer.traits,
        "consents": customer.consents,
        "entered": customer.ordinals,
        "sent": [(contact.id, contact.at, contact.content) for contact in customer.contacts],
        "journeys": [
            (instance.scenario, instance.key, [(standing.step, standing.due) for standing in instance.standing])
            for instance in customer.instances
        ],
    }
