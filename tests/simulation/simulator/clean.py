"""Stories whose end does not depend on when who crashed: their customers are those of a run in which nobody did.

That is so where nobody meets anybody, nothing but records and time decides, and topics are read by record time.
"""

from typing import Any

from orchestrator.model.customer import Customer
from orchestrator.rehearsal.world import World
from tests.simulation.simulator.house import releases
from tests.simulation.simulator.simulation import HORIZON, START, Simulation
from tests.simulation.simulator.story import Story
from tests.simulation.simulator.violation import ViolationError


def is_free_of_chance(story: Story) -> bool:
    """Whether only what was told, and when the broker took it, decides how the story ends."""
    return story.mode == "solo" and story.merged and not story.has("level", "returned")


def check_clean(run: Simulation, customers: dict[str, Customer]) -> None:
    """Play the same records on virtual time, without any trouble, and compare.

    Raises:
        ViolationError: a customer is not the same.
    """
    world = World(releases().first, START, partitions=1)
    records = sorted(run.broker.read("channel.web"), key=lambda record: record.timestamp)
    for record in records:
        world.arrive(record.topic, record.key, record.value or b"", record.timestamp)
    world.advance(run.broker.clock + HORIZON // 2)
    clean = {name: _decided(customer) for name, customer in world.customers()}
    found = {name: _decided(customer) for name, customer in customers.items()}
    for name in clean.keys() | found.keys():
        if clean.get(name) != found.get(name):
            raise ViolationError(f"{name} is {found.get(name)}; without trouble: {clean.get(name)}")


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
