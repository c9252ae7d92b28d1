"""What holds when everything has arrived and nothing is under way."""

from collections import Counter

import msgspec

from orchestrator.delivery.records import read_action
from orchestrator.engine.identity.marks import FOREVER
from orchestrator.engine.program.plan import Program
from orchestrator.engine.timers import earliest_due
from orchestrator.engine.traits.states import unpack
from orchestrator.model import reason
from orchestrator.model.codec import decode_node
from orchestrator.model.customer import IN, Customer, FactRow, Instance, Node, Reference
from orchestrator.model.effect import ACTIONS, INPUTS, TASKS, Action, Withdrawal
from orchestrator.model.ids import split_key
from orchestrator.model.lines import steps_of
from orchestrator.stream.lane.outbox import DEAD_LETTER
from orchestrator.stream.lane.ticks import ON_ITS_WAY
from orchestrator.stream.table import PartitionTable
from tests.simulation.simulator.erasure_checks import erased, erasure_is_answered, references_are_forgotten
from tests.simulation.simulator.house import CHANNELS, JOURNEYS, LATENESS, LOSSLESS, OWNERSHIP
from tests.simulation.simulator.reference import Expected, expected, is_shared
from tests.simulation.simulator.simulation import Simulation
from tests.simulation.simulator.violation import ViolationError


class Outcome:
    """The state that a run has left, as the changelog has it.

    Attributes:
        nodes: name -> node; no ownership records.
        customers: root -> its customer.
    """

    def __init__(self, run: Simulation) -> None:
        self.run = run
        self.nodes: dict[str, Node] = {}
        for partition in range(run.story.partitions):
            owner = run.owners[partition]
            durable = PartitionTable(partition, owner.worker.core)
            log = run.broker.changelog[partition]
            durable.restore(log, len(log))
            # An ownership record may differ: one that a zombie had under way when it began can still arrive.
            differing = dict(durable.values.items() ^ owner.table.values.items())
            if any(not key.startswith(OWNERSHIP) for key in differing):
                raise ViolationError(f"partition {partition}: memory and changelog differ in {list(differing)}")
            for key, value in durable.values.items():
                self.nodes[split_key(key)[1]] = decode_node(value)
        self.nodes = {name: node for name, node in self.nodes.items() if not name.startswith("partition:")}
        self.customers = {
            name: node.body for name, node in self.nodes.items() if node.to is None and isinstance(node.body, Customer)
        }
        self.expected = expected(run.story, run.producers.told)


def check_quiet(run: Simulation) -> Outcome:
    """Everything that must be so in the end; gives what the run has left.

    Raises:
        ViolationError: it is not.
    """
    _nothing_is_under_way(run)
    outcome = Outcome(run)
    _nothing_moves(outcome)
    _everybody_is_home(outcome)
    _outboxes_are_sent(outcome)
    _events_count_once(outcome)
    _groups_are_right(outcome)
    _actions_are_remembered(outcome)
    _recalls_find_their_messages(outcome)
    _stories_went_on(outcome)
    _facts_are_known(outcome)
    _release_is_current(outcome)
    _tasks_are_open_once(outcome)
    _delivered(outcome)
    erasure_is_answered(outcome)
    return outcome


def _nothing_is_under_way(run: Simulation) -> None:
    """Every record is read and committed, every batch is out."""
    busy = [partition for partition, owner in run.owners.items() if owner.flights or owner.done or owner.closing]
    if busy or run.zombies or len(run.owners) < run.story.partitions:
        raise ViolationError(f"partitions {busy} are busy; zombies: {run.zombies}")
    for (topic, partition), log in run.broker.logs.items():
        at = run.broker.committed.get((topic, partition), 0)
        if topic in (*CHANNELS, INPUTS) and at != len(log):
            raise ViolationError(f"{topic}/{partition} is committed up to {at} of {len(log)}")


def _nothing_moves(outcome: Outcome) -> None:
    for name, node in outcome.nodes.items():
        if node.to is not None and node.body is not None:
            raise ViolationError(f"{name} is still moving to {node.to}")
        if node.to is not None and outcome.nodes.get(node.to, Node(to="?")).to is not None:
            raise ViolationError(f"{name} forwards to {node.to}, which is no root")


def _everybody_is_home(outcome: Outcome) -> None:
    for root, customer in outcome.customers.items():
        for name, member in customer.family.items():
            node = outcome.nodes.get(name)
            if member.state == IN and name != root and (node is None or (node.to, node.epoch) != (root, member.epoch)):
                raise ViolationError(f"{name} is a member of {root} at epoch {member.epoch}, and does not know: {node}")
    for name, node in outcome.nodes.items():
        if node.to is not None:
            known = outcome.customers[node.to].family.get(name)
            if known is None or known.state != IN:
                raise ViolationError(f"{name} forwards to {node.to}, which has no such member")


def _outboxes_are_sent(outcome: Outcome) -> None:
    sent = {(topic, record.value) for (topic, _), log in outcome.run.broker.logs.items() for record in log}
    for name, node in outcome.nodes.items():
        for entry in node.outbox:
            if (entry.topic, entry.value) not in sent:
                raise ViolationError(f"an outbox entry of {name} was never sent: {entry}")


def _events_count_once(outcome: Outcome) -> None:
    run, due = outcome.run, outcome.expected
    ids: Counter[str] = Counter()
    events, spent = 0, 0.0
    for customer in outcome.customers.values():
        traits = customer.traits
        ids.update(entry[1] for entry in unpack(traits["counted"])) if "counted" in traits else None
        events += unpack(traits["events"]) if "events" in traits else 0
        if "spent" in traits:
            spent += _balance(unpack(traits["spent"]))
    twice = {name: count for name, count in ids.items() if count > 1}
    if twice or events != ids.total():
        raise ViolationError(f"counted more than once: {twice}; {events} by number, {ids.total()} by name")
    if set(ids) - due.counted - due.orphans:
        raise ViolationError(f"counted, and never told: {set(ids) - due.counted - due.orphans}")
    if run.story.has("erase"):
        erased(outcome, ids)
        references_are_forgotten(outcome, ids)
        return
    if due.counted - set(ids):
        raise ViolationError(f"not counted: {sorted(due.counted - set(ids))}")
    if spent != due.spent:
        raise ViolationError(f"spent {spent}, not {due.spent}")
    _orphans(outcome, due, ids)


def _balance(ledger: list[dict[str, dict[str, dict[str, list[float]]]]]) -> float:
    return float(sum(entry[2] for ref in ledger[1].values() for entry in ref["a"].values()))


def _orphans(outcome: Outcome, due: Expected, ids: Counter[str]) -> None:
    """An event that only names an order is counted where the order's owner is, or ends in dead-letter."""
    letters = set()
    for record in outcome.run.broker.read(DEAD_LETTER):
        why = dict(record.headers)["reason"].decode()
        name = msgspec.json.decode(record.value or b"")["id"]
        if why != reason.UNOWNED or name not in due.orphans:
            raise ViolationError(f"{name} is in dead-letter: {why}")
        letters.add(name)
    if due.orphans - set(ids) - letters:
        raise ViolationError(f"neither counted nor in dead-letter: {due.orphans - set(ids) - letters}")
    if letters & set(ids) and not _told_twice(outcome, letters & set(ids)):
        raise ViolationError(f"counted and in dead-letter: {letters & set(ids)}")


def _told_twice(outcome: Outcome, names: set[str]) -> bool:
    """Whether each of these was told again: of two records one may come in time and the other too late."""
    return all(one.again for one in outcome.run.story.happenings if one.name in names)


def homes_of(outcome: Outcome) -> dict[str, str]:
    """Identifier -> the root of its customer."""
    return {
        name: root for root, customer in outcome.customers.items()
        for name, member in customer.family.items() if member.state == IN
    }  # fmt: skip


def _groups_are_right(outcome: Outcome) -> None:
    due, homes = outcome.expected, homes_of(outcome)
    _who_was_split_stays_apart(outcome, homes)
    if due.groups is None:
        return
    for group in due.groups:
        if len({homes.get(node) for node in group}) != 1:
            raise ViolationError(f"{sorted(group)} are one customer, not {[homes.get(node) for node in sorted(group)]}")
    if len({homes[next(iter(group))] for group in due.groups}) != len(due.groups):
        raise ViolationError(f"two groups became one: {due.groups}")
    _denials_hold(outcome, due.groups, homes)
    for node, owner in due.owners.items():
        if homes.get(node) != homes.get(owner):
            raise ViolationError(f"{node} belongs to {owner} by newest evidence, not to {homes.get(node)}")


def _who_was_split_stays_apart(outcome: Outcome, homes: dict[str, str]) -> None:
    """Whom an operator has taken off a customer never comes back there, on whatever way."""
    left = {
        node for customer in outcome.customers.values() for _, step in steps_of(customer.steps)
        if (step.what, step.why) == ("left", "split") for node in step.nodes
    }  # fmt: skip
    asked = Counter(one.nodes[0] for one in outcome.run.story.happenings if one.type == "split")
    for one in outcome.run.story.happenings:
        leaves, *stay = one.nodes if one.type == "split" else ("",)
        if leaves not in left or asked[leaves] > 1:
            continue  # they were not together then, or it is not known with whom
        for other in set(stay) - {leaves}:
            home = homes.get(leaves, "?")
            if home != homes.get(other, ""):
                continue
            rivals = outcome.customers[home].rivals
            if rivals.get(other) == rivals.get(leaves) == FOREVER:
                raise ViolationError(f"{leaves} was taken off {other}, and is at {home} with it again")


def _denials_hold(outcome: Outcome, groups: list[frozenset[str]], homes: dict[str, str]) -> None:
    """Where the newest word of a customer was no, it is no, however the halves that said it came together."""
    for group in groups:
        words = [
            (outcome.run.producers.told[one.name], one.data["word"])
            for one in outcome.run.story.happenings
            if one.type == "told" and group.intersection(one.nodes)
        ]
        granted = outcome.customers[homes[next(iter(group))]].consents.get("email/product", (0, False, ""))[1]
        if words and max(words)[1] == "no" and granted:
            raise ViolationError(f"{sorted(group)} said no last, and count as having said yes: {words}")


def sent_by(outcome: Outcome) -> list[Action]:
    """The sends on `actions`, copies too."""
    read = [read_action(record) for record in outcome.run.broker.read(ACTIONS)]
    return [action for action in read if isinstance(action, Action)]


def _actions_are_remembered(outcome: Outcome) -> None:
    sent = {action.id for action in sent_by(outcome)}
    known = {contact.id for customer in outcome.customers.values() for contact in customer.contacts}
    if not known <= sent or (sent != known and not outcome.run.story.has("erase")):
        raise ViolationError(f"sent and not remembered: {sent - known}; remembered and not sent: {known - sent}")


def _recalls_find_their_messages(outcome: Outcome) -> None:
    """What recalls a message is on its partition: on another one it would never meet it.

    It may come first, where the message is slow to leave who has moved away: delivery remembers it then.
    """
    records = [(read_action(record), record.partition) for record in outcome.run.broker.read(ACTIONS)]
    places = {action.id: partition for action, partition in records if isinstance(action, Action)}
    for action, partition in records:
        if isinstance(action, Withdrawal) and places.get(action.id) != partition:
            raise ViolationError(f"{action.id} is on partition {places.get(action.id)}, its recall elsewhere: {action}")


def _stories_went_on(outcome: Outcome) -> None:
    """Nothing that was due is still waiting, and nobody who should have been welcomed was forgotten."""
    clock = outcome.run.broker.clock
    welcome = {
        one.name: one for one in outcome.run.story.happenings if one.type == "seen" and not one.behind
    }  # fmt: skip
    for root, customer in outcome.customers.items():
        due = earliest_due(customer)
        if due and due <= clock - ON_ITS_WAY:
            raise ViolationError(f"{root} has something due at {due}, and it is {clock}")
        entries = unpack(customer.traits["counted"]) if "counted" in customer.traits else []
        _nobody_was_late(outcome, root, customer, {entry[1] for entry in entries})
        if any(entry[1] in welcome for entry in entries) and "welcome\n" not in customer.ordinals:
            raise ViolationError(f"{root} was seen, and never welcomed")
    for name, node in outcome.nodes.items():
        if isinstance(node.body, Reference) and node.body.waiting:
            raise ViolationError(f"{name} still waits for its owner")


def _nobody_was_late(outcome: Outcome, root: str, customer: Customer, counted: set[object]) -> None:
    """Who was only seen later than may be is not welcomed any more."""
    seen = [one for one in outcome.run.story.happenings if one.type == "seen" and one.name in counted]
    if "welcome\n" in customer.ordinals and seen and all(one.behind > LATENESS for one in seen):
        raise ViolationError(f"{root} was welcomed for what came too late")


def _facts_are_known(outcome: Outcome) -> None:
    """The newest event has the say about a row; everybody knows it, and nobody waits for what is there."""
    run = outcome.run
    rows: dict[str, tuple[int, object]] = {}
    for one in run.story.happenings:
        if one.type == "level":
            sku = str(one.data["sku"])
            rows[sku] = max(rows.get(sku, (0, None)), (run.producers.told[one.name], one.data["qty"]))
    for sku, (_, qty) in rows.items():
        node = outcome.nodes.get(f"fact:stock/{sku}")
        if node is None or not isinstance(node.body, FactRow) or node.body.row.get("qty") != qty:
            raise ViolationError(f"stock of {sku} should be {qty}: {node}")
        for worker in run.workers:
            if worker.facts.row("stock", sku).get("qty") != qty:
                raise ViolationError(
                    f"{worker.name} thinks that the stock of {sku} is {worker.facts.row('stock', sku)}"
                )
    _nobody_waits(outcome, {sku for sku, (_, qty) in rows.items() if qty})


def _nobody_waits(outcome: Outcome, stocked: set[str]) -> None:
    for root, customer in outcome.customers.items():
        for instance in customer.instances:
            if instance.scenario == "back" and instance.key in stocked and instance.standing:
                raise ViolationError(f"{root} waits for {instance.key}, which is there")


def _release_is_current(outcome: Outcome) -> None:
    run = outcome.run
    for owner in run.owners.values():
        owned = owner.worker.core.owned(owner.partition)
        if owned is not None and (owned.release != run.programs[-1].release or owned.visiting):
            raise ViolationError(f"partition {owner.partition} stands on an old release, or has not told of it")
    for root, customer in outcome.customers.items():
        for instance in customer.instances:
            _goes_on(run.programs[-1], root, instance)
        if run.story.releases and not run.story.has("erase"):
            _journeys_are_over(root, customer)
        if customer.person and "wave" in run.programs[-1].scenarios and "wave" not in customer.matching:
            raise ViolationError(f"{root} was never told of the schedule that this release has")


def _goes_on(program: Program, root: str, instance: Instance) -> None:
    """An instance is on a version that the last release leaves it on."""
    newest = program.scenarios.get(instance.scenario)
    if newest is None:
        raise ViolationError(f"{root} is in {instance.scenario}, which is gone")
    pins = newest.document.in_flight in {"pin", "drain"}
    if instance.version != newest.version and not (pins and (instance.scenario, instance.version) in program.older):
        raise ViolationError(f"{root} is in {instance.scenario} {instance.version}, and {newest.version} counts")


def _journeys_are_over(root: str, customer: Customer) -> None:
    """Whatever was released on the way: a journey that was begun has come to its end, and to its message."""
    if live := [one.scenario for one in customer.instances if one.scenario in {*JOURNEYS, "fresh"}]:
        raise ViolationError(f"{root} is still in {live}")
    written = {contact.scenario for contact in customer.contacts}
    for name in LOSSLESS:
        if f"{name}\n" in customer.ordinals and name not in written:
            raise ViolationError(f"{root} entered {name}, and was never written to")


def _tasks_are_open_once(outcome: Outcome) -> None:
    """One for a queue and key of a customer; and the record of each with the highest revision says how it is."""
    told, revisions = {}, Counter[str]()
    for record in outcome.run.broker.read(TASKS):
        task = msgspec.json.decode(record.value or b"")
        if task["revision"] >= revisions[task["id"]]:
            told[task["id"]], revisions[task["id"]] = task["state"], task["revision"]
    known: set[str] = set()
    for root, customer in outcome.customers.items():
        places = Counter((task.queue, task.key) for task in customer.tasks)
        if places.total() != len(places):
            raise ViolationError(f"{root} has more than one task for a queue and key: {places}")
        known.update(task.id for task in customer.tasks)
    shown = {name for name, state in told.items() if state in {"open", "overdue"}}
    if shown != known:
        raise ViolationError(f"open for people, and not known: {shown - known}; not shown: {known - shown}")


def _delivered(outcome: Outcome) -> None:
    delivery = outcome.run.delivery
    actions = sent_by(outcome)
    missing = {action.id for action in actions} - delivery.ledger.keys()
    if missing:
        raise ViolationError(f"not in delivery's ledger: {missing}")
    for name, copies in Counter(delivery.reached).items():
        if copies > 1 + delivery.interrupted[name]:
            raise ViolationError(f"{name} reached its channel {copies} times")
    deciders = {action.id: action.node.partition("/")[2] for action in actions}
    if outcome.run.story.has("split"):
        return  # what an identifier hears while it is apart, the others do not
    homes = homes_of(outcome)
    for root, customer in outcome.customers.items():
        for contact in customer.contacts:
            decider = deciders[contact.id]
            if not contact.settled and not is_shared(decider) and homes.get(decider) == root:
                raise ViolationError(f"{root} never heard what became of {contact.id}")
