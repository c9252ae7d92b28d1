"""What happened to one customer and why, and what did not: by scenario and by moment, from the engine's own traces."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.engine.brand import may_begin
from orchestrator.engine.fallback import is_fallback
from orchestrator.model.customer import IN
from orchestrator.rehearsal.coverage import reached_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from orchestrator.engine.program.plan import Program, ScenarioPlan, StepPlan
    from orchestrator.model.customer import Customer, Instance, Standing
    from orchestrator.model.effect import Note
    from orchestrator.rehearsal.record import Happening
    from orchestrator.rehearsal.world import World

MOVES = frozenset({"entered", "followed", "ended", "rests", "not_entered", "not_matched", "stopped", "error"})
SENDS = frozenset({"sent", "suppressed", "held", "withdrawn", "placed", "taken_down"})
OFFERS = frozenset({"offer_shown", "offer_redeemed", "offer_refused", "offer_expired"})


class Told(NamedTuple):
    """One line of a trace at its time, ms."""

    at: int
    note: Note


class Coming(NamedTuple):
    """What happens next: at a time (ms, 0: no time is set), or when something happens before."""

    at: int
    what: str


class Account(NamedTuple):
    """One scenario for one customer.

    Attributes:
        scenario: its name.
        moves: entries, ends, and entries that did not come about, oldest first.
        sends: what became of each message, with the gate and its numbers.
        reached: steps, and branches as STEP.BRANCH, that were reached.
        stands: steps where an instance stands now.
        next: what will happen.
        starts: what would start it, where nothing has happened.
    """

    scenario: str
    moves: tuple[Told, ...]
    sends: tuple[Told, ...]
    reached: frozenset[str]
    stands: frozenset[str]
    next: tuple[Coming, ...]
    starts: str


class Explanation(NamedTuple):
    """One customer explained.

    Attributes:
        node: where they live, `NAMESPACE:VALUE`; "" where nothing is known of them.
        ids: all their identifiers.
        now: the clock, ms.
        moments: time and lines of each moment, oldest first.
        scenarios: by name.
        offers: what became of each, oldest first.
    """

    node: str
    ids: tuple[str, ...]
    now: int
    moments: tuple[tuple[int, tuple[Note, ...]], ...]
    scenarios: tuple[Account, ...]
    offers: tuple[Told, ...] = ()


def explain(
    world: World, nodes: Sequence[str], happenings: Iterable[Happening], only: str | None = None
) -> Explanation:
    """Explain a customer.

    Args:
        world: after everything that is to be explained.
        nodes: the customer's identifiers, as far as they are known.
        happenings: of a record made with `explain`; those of others are left out.
        only: one scenario alone.
    """
    family, customers = _family(world, nodes)
    ours = [Told(one.at, one.note) for one in happenings if one.note is not None and one.node in family]
    offers = tuple(one for one in ours if one.note.what in OFFERS)
    if only is not None:
        ours = [one for one in ours if one.note.scenario == only]
    scenarios = world.program.scenarios
    theirs = sorted(name for name, plan in scenarios.items() if may_begin(plan, nodes[0]))
    names = [only] if only is not None else theirs
    moments = tuple((at, tuple(one.note for one in told)) for at, told in groupby(ours, key=lambda one: one.at))
    return Explanation(
        world.root(nodes[0])[0] if customers else "",
        tuple(sorted(family, key=world.program.identity.rank)) if customers else (),
        world.now,
        moments,
        tuple(_account(world.program, name, ours, customers) for name in names),
        offers,
    )


def family_of(world: World, nodes: Sequence[str]) -> set[str]:
    """Every identifier of the customers whom these identifiers name now."""
    return _family(world, nodes)[0]


def _family(world: World, nodes: Sequence[str]) -> tuple[set[str], list[Customer]]:
    found, customers = set(nodes), {}
    for node in nodes:
        root, customer = world.root(node)
        found.add(root)
        if customer is not None and customer.person:
            customers[root] = customer
            found |= {member for member, known in customer.family.items() if known.state == IN}
    return found, list(customers.values())


def _account(program: Program, name: str, ours: list[Told], customers: list[Customer]) -> Account:
    mine = [one for one in ours if one.note.scenario == name]
    live = [one for customer in customers for one in customer.instances if one.scenario == name]
    stands = frozenset(one.step for instance in live for one in instance.standing if not one.is_placement)
    coming = [one for instance in live for one in _coming(program, instance)]
    coming += [one for customer in customers for one in _beginning(program.scenarios.get(name), customer)]
    return Account(
        name,
        tuple(one for one in mine if one.note.what in MOVES),
        tuple(one for one in mine if one.note.what in SENDS),
        frozenset(place for one in mine for place in reached_by(one.note)),
        stands,
        tuple(sorted(coming, key=lambda one: (one.at or 1 << 62, one.what))),
        _starts(program.scenarios.get(name)),
    )


def _starts(plan: ScenarioPlan | None) -> str:
    """What starts a scenario, in words."""
    if plan is None:
        return "it is not in the bundle"
    entry = plan.document.entry
    if entry.on:
        return "it starts on " + " or ".join(entry.on)
    if entry.sequence:
        return "it starts on a sequence: " + ", ".join(" or ".join(one.on or one.absent) for one in entry.sequence)
    if entry.becomes is not None:
        return f"it starts when this becomes true: {entry.becomes.source}"
    return "it starts by the clock"


def _beginning(plan: ScenarioPlan | None, customer: Customer) -> list[Coming]:
    """An entry that only waits for its time."""
    due = customer.matching.get(plan.name, [0])[0] if plan is not None else 0
    if plan is None or not due:
        return []
    if plan.schedule is not None:
        return [Coming(due, "it starts by the clock, if they are of the audience then")]
    absent = plan.sequence.absent if plan.sequence is not None else None
    names = " or ".join(sorted(absent.on)) if absent is not None else ""
    return [Coming(due, f"its sequence is complete, unless {names} comes before")]


def _coming(program: Program, instance: Instance) -> list[Coming]:
    plan = program.scenario(instance.scenario, instance.version)
    if plan is None:
        return [Coming(0, "it ends at the next look: its scenario is gone")]
    key = f" ({instance.key})" if instance.key else ""
    found = [_standing(plan.steps.get(standing.step), standing, key) for standing in instance.standing]
    if instance.mode == "rest":
        goal = plan.document.goal
        watched = f", or won by {' or '.join(goal.on)}" if goal is not None else ""
        return [*found, Coming(instance.ends_at, f"its story is over{key}: it ends{watched}")]
    return [*found, Coming(instance.ends_at, f"it ends{key}, too_old, if it lives until then")]


def _standing(step: StepPlan | None, standing: Standing, key: str) -> Coming:
    if step is None:
        return Coming(standing.due, f"{standing.step}{key}: that step is gone")
    return Coming(standing.due, f"{step.id}{key}{_expected(step, standing)}")


def _expected(step: StepPlan, standing: Standing) -> str:
    body, data = step.body, standing.data if isinstance(standing.data, dict) else {}
    match step.kind:
        case "show" if standing.is_placement:
            return f": {data['content']} is shown in {' and '.join(body.slots)} until then"
        case "silence":
            return f" passes, unless {' or '.join(body.of)} comes before"
        case "wait_until":
            return f" times out, unless {_awaited(body)} before"
        case "send" if is_fallback(standing) and "held" not in data:
            return " goes to the next channel, unless it is delivered before"
        case "send":
            return f": {data.get('content', '')} is held by {data.get('held', '')} and is judged again"
    return " goes on"


def _awaited(body: Any) -> str:
    if body.when is not None:
        return f"this becomes true: {body.when.source}"
    names = body.on or tuple(name for one in body.any for name in one.on)
    return f"{' or '.join(names)} comes"
