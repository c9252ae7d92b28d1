"""Two customers become one: every part is a join, so neither order nor grouping matters (identity.md's table of joins).

Only sums depend on a parcel being taken once; the epoch in the family sees to that.
"""

from typing import Any, Final

from msgspec.structs import replace

from orchestrator.engine.functions.history import join as join_history
from orchestrator.engine.identity.steps import STEPS_KEPT
from orchestrator.engine.matching import join_matching
from orchestrator.engine.offers.states import join_offers
from orchestrator.model import ring
from orchestrator.model.customer import IN, Contact, Customer, Instance, Member, Thread

TIMELINE_KEPT: Final = 20
DECISIONS_KEPT: Final = 16
TURNS_KEPT: Final = 200
"""As many as any bundle keeps; the engine knows how many this one does."""
PERSONS_KEPT: Final = 50
TOKENS_KEPT: Final = 50
"""Of how many signed links it is known by which browser they were redeemed."""


def join_families(one: dict[str, Member], other: dict[str, Member]) -> None:
    """Per node the higher epoch; of the same epoch `in` wins."""
    for node, theirs in other.items():
        mine = one.get(node)
        if (
            mine is None
            or theirs.epoch > mine.epoch
            or (theirs.epoch == mine.epoch and theirs.state == IN != mine.state)
        ):
            one[node] = theirs
        elif theirs.epoch == mine.epoch and theirs.state == mine.state:
            mine.since = max(mine.since, theirs.since)


def join_customers(winner: Customer, parcel: Customer, traits: Any) -> tuple[list[Instance], list[Instance]]:
    """Take everything of `parcel` into `winner`, in place.

    Args:
        winner: the customer at the root.
        parcel: the customer that moves in.
        traits: the bundle's traits, which know how their states join (`join(one, other)`).

    Returns:
        The instances that came over and live on, and the younger twins that end with reason `merged`.
    """
    _name_messages(winner)
    _name_messages(parcel)
    _join_identity(winner, parcel)
    winner.traits = traits.join(winner.traits, parcel.traits)
    winner.consents = _stricter(winner.consents, parcel.consents)
    winner.contacts = _union(winner.contacts, parcel.contacts)
    winner.timeline = ring.join(winner.timeline, parcel.timeline, TIMELINE_KEPT)
    winner.decisions = ring.join(winner.decisions, parcel.decisions, DECISIONS_KEPT)
    winner.steps = ring.join(winner.steps, parcel.steps, STEPS_KEPT)
    _join_maxima(winner, parcel)
    _join_threads(winner.threads, parcel.threads)
    known = {task.id for task in winner.tasks}
    winner.tasks += [task for task in parcel.tasks if task.id not in known]
    winner.waiting += parcel.waiting
    _join_belongings(winner, parcel)
    return _join_instances(winner, parcel)


def had_already(one: Customer, other: Customer) -> list[Instance]:
    """Live instances of `one` whose scenario and key `other` has been through."""
    live = {(instance.scenario, instance.key) for instance in other.instances if instance.mode == "live"}
    return [
        instance
        for instance in one.instances
        if instance.mode == "live"
        and (instance.scenario, instance.key) not in live
        and f"{instance.scenario}\n{instance.key}" in other.ordinals
    ]


def _join_identity(winner: Customer, parcel: Customer) -> None:
    join_families(winner.family, parcel.family)
    winner.window = {**winner.window, **parcel.window}
    for mine, theirs in ((winner.wiped, parcel.wiped), (winner.rivals, parcel.rivals)):
        for node, time in theirs.items():
            mine[node] = max(mine.get(node, 0), time)
    winner.erasing = {**parcel.erasing, **winner.erasing}
    ids = {winner.person, parcel.person, *winner.persons, *parcel.persons} - {""}
    if parcel.person and (not winner.person or (parcel.born, parcel.person) < (winner.born, winner.person)):
        winner.person, winner.born = parcel.person, parcel.born
    winner.persons = sorted(ids - {winner.person})[:PERSONS_KEPT]
    winner.now = max(winner.now, parcel.now)
    winner.version = max(winner.version, parcel.version) + 1


def _name_messages(half: Customer) -> None:
    """A message on its way keeps the person id that its action has, whichever id the whole customer goes by."""
    nameless = {contact.id for contact in half.contacts if not contact.settled and not contact.person}
    if nameless:
        half.contacts = [
            replace(contact, person=half.person) if contact.id in nameless else contact for contact in half.contacts
        ]


def _stricter(
    one: dict[str, tuple[int, bool, str]], other: dict[str, tuple[int, bool, str]]
) -> dict[str, tuple[int, bool, str]]:
    joined = dict(one)
    for name, theirs in other.items():
        mine = joined.get(name)
        if mine is None or (not theirs[1], theirs[0]) > (not mine[1], mine[0]):
            joined[name] = theirs
    return joined


def _union(one: tuple[Contact, ...], other: tuple[Contact, ...]) -> list[Contact]:
    return sorted({item.id: item for item in other + one}.values(), key=lambda item: (item.at, item.id))


def _join_maxima(winner: Customer, parcel: Customer) -> None:
    for name, (ordinal, entered_at) in parcel.ordinals.items():
        highest, newest = winner.ordinals.get(name, (0, 0))
        winner.ordinals[name] = (max(highest, ordinal), max(newest, entered_at))
    for mine, theirs in ((winner.used, parcel.used), (winner.pauses, parcel.pauses)):
        for name, time in theirs.items():
            mine[name] = max(mine.get(name, 0), time)
    for name, level in parcel.levels.items():
        if winner.levels.get(name) is None:  # what has become true for one half does not become true again
            winner.levels[name] = level
    for name, entries in parcel.history.items():
        known = winner.history.get(name)
        winner.history[name] = entries if known is None else join_history(name, known, entries)
    for name, state in parcel.matching.items():
        known = winner.matching.get(name)
        winner.matching[name] = state if known is None else join_matching(known, state)


def _join_belongings(winner: Customer, parcel: Customer) -> None:
    """References and redeemed links of both halves: whose an order is, and that a forwarded link shows nobody."""
    first = {**parcel.refs, **winner.refs}
    for name in parcel.refs.keys() & winner.refs.keys():
        first[name] = min(parcel.refs[name], winner.refs[name])
    winner.refs = first
    winner.tokens = dict(list({**parcel.tokens, **winner.tokens}.items())[-TOKENS_KEPT:])
    winner.offers = join_offers(winner.offers, parcel.offers, winner.now)


def _join_threads(mine: dict[str, Thread], theirs: dict[str, Thread]) -> None:
    for name, thread in theirs.items():
        known = mine.get(name)
        mine[name] = thread if known is None else _joined_thread(known, thread)


def _joined_thread(one: Thread, other: Thread) -> Thread:
    old, new = sorted((one, other), key=lambda thread: (thread.last_at, thread.turns))
    recent = sorted({turn.id: turn for turn in old.recent + new.recent}.values(), key=lambda turn: (turn.at, turn.id))
    shared = len(old.recent) + len(new.recent) - len(recent)
    new.turns = old.turns + new.turns - shared
    new.recent = recent[-TURNS_KEPT:]
    new.channels = list(dict.fromkeys(old.channels + new.channels))
    new.about = new.about or old.about
    new.agent = new.agent or old.agent
    return new


def _join_instances(winner: Customer, parcel: Customer) -> tuple[list[Instance], list[Instance]]:
    """Per scenario and key the older instance (entry time, then person) goes on; the younger ends."""
    ended: list[Instance] = []
    came: list[Instance] = []
    mine = {(instance.scenario, instance.key): instance for instance in winner.instances}
    for theirs in parcel.instances:
        twin = mine.get((theirs.scenario, theirs.key))
        if twin is None:
            came.append(theirs)
            continue
        older, younger = sorted((twin, theirs), key=lambda i: (i.mode == "rest", i.entry_time, i.person))
        older.vars = {**younger.vars, **older.vars}
        ended.append(younger)
        if older is theirs:
            came.append(theirs)
    gone = {id(instance) for instance in ended}
    winner.instances = [instance for instance in winner.instances if id(instance) not in gone] + came
    winner.instances.sort(key=lambda instance: (instance.scenario, instance.key))
    return came, ended
