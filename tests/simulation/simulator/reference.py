"""What must come out in the end, computed from what was told alone."""

from collections.abc import Mapping
from typing import NamedTuple

from tests.simulation.simulator.house import COUNTED, MOST, SHARED, UNIQUE
from tests.simulation.simulator.story import Happening, Story


class Expected(NamedTuple):
    """What the events alone decide.

    Attributes:
        counted: ids of the events that count for sure.
        orphans: ids of events that only name an order: counted, or in dead-letter.
        spent: the sum of all orders.
        groups: identifiers of the same customer, None where that depends on the order of arrival.
        owners: shared identifier -> one of its owner's, where only the newest evidence decides.
    """

    counted: frozenset[str]
    orphans: frozenset[str]
    spent: float
    groups: list[frozenset[str]] | None
    owners: dict[str, str]


def expected(story: Story, told: Mapping[str, int]) -> Expected:
    """Args: the story, and event id -> event time of what was told."""
    events = [one for one in story.happenings if one.type in COUNTED]
    orphans = frozenset(one.name for one in events if not one.nodes)
    orders = [one.data["total"] for one in events if one.type == "bought"]
    return Expected(
        frozenset(one.name for one in events) - orphans,
        orphans,
        sum(float(str(total)) for total in orders),
        _groups(story, events),
        _owners(events, told) if story.mode == "newest" else {},
    )


def _groups(story: Story, events: list[Happening]) -> list[frozenset[str]] | None:
    """Connected components over unique identifiers, where nothing but evidence decides."""
    if story.has("erase", "logged_out", "split"):
        return None
    if any(is_shared(node) for one in events for node in one.nodes) and story.mode != "newest":
        return None
    groups: list[set[str]] = []
    for one in events:
        nodes = {node for node in one.nodes if not is_shared(node)}
        if nodes:
            touched = [group for group in groups if group & nodes]
            groups = [group for group in groups if group not in touched]
            groups.append(nodes.union(*touched))
    found = [frozenset(group) for group in groups]
    return None if any(_too_many(group) for group in found) else found


def _too_many(group: frozenset[str]) -> bool:
    return any(sum(node.startswith(f"{name}:") for node in group) > MOST[name] for name in UNIQUE)


def _owners(events: list[Happening], told: Mapping[str, int]) -> dict[str, str]:
    """A shared identifier belongs to whoever was seen with it last."""
    newest: dict[str, tuple[int, str]] = {}
    for one in events:
        unique = [node for node in one.nodes if not is_shared(node)]
        for node in one.nodes:
            if is_shared(node) and unique:
                newest[node] = max(newest.get(node, (0, "")), (told[one.name], unique[0]))
    return {node: owner for node, (_, owner) in newest.items()}


def is_shared(node: str) -> bool:
    """Whether an identifier belongs to its newest owner."""
    return node.partition(":")[0] in SHARED
