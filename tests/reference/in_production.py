"""A story as the production engine tells it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from orchestrator.engine.breaker import FACT as STOPPED
from orchestrator.engine.breaker import breaker_node
from orchestrator.engine.program.build import build_program
from orchestrator.model.customer import IN, Customer, Member, Node
from orchestrator.model.effect import INPUTS, Action, Withdrawal
from orchestrator.model.ids import node_key, person_id
from orchestrator.model.message import Reopen, Shown, encode_message
from orchestrator.rehearsal.asking import ask, moment_of
from orchestrator.rehearsal.seeding import begin_pauses
from orchestrator.rehearsal.world import World
from tests.reference.generated_events import BEFORE_IT, NEWEST, REOPEN, Arrival
from tests.reference.outcome import (
    AFTERWARDS,
    ASK,
    AT_THE_END,
    BEFORE,
    GRANTED,
    RELEASE,
    SHOWN,
    TOLD,
    WHO,
    Outcome,
    halves,
    named,
    nodes,
    plain,
    told,
    unordered,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.language.bundle.bundle import Bundle
    from orchestrator.model.effect import Note


def produced(bundles: tuple[Bundle, ...], stream: list[Arrival], start: int) -> tuple[Outcome, list[Arrival]]:
    """What the production engine makes of it; and the events with the messages that they were about."""
    programs = [build_program(bundles[0])]
    world = World(programs[0], start, 1)
    for root, ids in halves(stream).items():
        node = Node(body=_customer(root, ids, start))
        begin_pauses(world, {root: node})
        world.place(root, node)
        for name in nodes(ids):
            if name != root:
                world.place(name, Node(to=root, epoch=1))
    played: list[Arrival] = []
    placed: dict[str, str] = {}
    answers: list[tuple[int, str, str, dict[str, Any]]] = []
    for one in stream:
        arrival = one._replace(data=_resolved(one.data, world))
        played.append(arrival)
        if one.type == ASK:
            world.advance(start + one.at)
            answers += _asked(world, one, halves(stream))
        elif one.type == SHOWN:
            world.advance(start + one.at)
            played[-1] = _seen(world, one, placed, halves(stream))
            _is_shown(world, played[-1], start)
        elif one.type == RELEASE:
            world.advance(start + one.at)
            programs.append(build_program(bundles[len(programs)], programs))
            world.publish(programs[-1])
        elif one.type == REOPEN:
            counting = breaker_node("s1")
            reopening = encode_message(Reopen(counting, start + one.at))
            world.arrive(INPUTS, node_key("default", counting), reopening, start + one.at)
        else:
            key = node_key("default", next(iter(named(one)), "nobody:0"))
            world.arrive(f"channel.{one.channel}", key, _raw(arrival, start), start + one.at)
    world.advance(start + stream[-1].at + AFTERWARDS)
    for slot in sorted(bundles[-1].slots):
        answers += _asked(world, Arrival(AT_THE_END, 0, "", ASK, "", {"slot": slot, "channel": "web"}), halves(stream))
    outcome = _engine_outcome(world, bundles[-1], len(halves(stream)) > 1)
    return outcome._replace(answers=answers), played


def _asked(world: World, one: Arrival, roots: Iterable[str]) -> list[tuple[int, str, str, dict[str, Any]]]:
    """What every half is answered."""
    slot, given = one.data["slot"], {"channel": one.data["channel"]}
    return [(one.at, who, slot, told(ask(world, slot, [who], given, on_record=False))) for who in sorted(roots)]


def _seen(world: World, one: Arrival, placed: dict[str, str], roots: Iterable[str]) -> Arrival:
    """Somebody saw one of the newest placements, of those too that are gone; or something, where there is none.

    `placed` are the placements seen so far, id -> content.
    """
    whose: dict[str, str] = {}
    for root in sorted(roots):
        name, customer = world.root(root)
        found = [] if customer is None else [s.data for i in customer.instances for s in i.standing]
        mine = {s["placement"]: s["content"] for s in found if isinstance(s, dict) and "placement" in s}
        placed |= mine
        whose |= dict.fromkeys(mine, name)
    newest = list(placed)[::-1]
    if not newest:
        return one._replace(type="slot_shown", who=WHO, data={"slot": "home", "content": "c.1"})
    id_ = newest[min(one.data["pick"], len(newest) - 1)]
    data = {"slot": "home", "content": placed[id_], **({"placement": id_} if one.data["placement"] else {})}
    return one._replace(type="slot_shown", who=whose.get(id_, WHO), data=data)


def _is_shown(world: World, one: Arrival, start: int) -> None:
    shown = Shown(one.who, start + one.time, one.data, one.id)
    world.arrive(INPUTS, node_key("default", one.who), encode_message(shown), start + one.at)


def _customer(root: str, ids: dict[str, str], start: int) -> Customer:
    body = Customer(person=person_id("default", root, 0, 0), born=start - BEFORE, now=start - BEFORE)
    body.family = {name: Member(int(name != root), IN, start - BEFORE) for name in nodes(ids)}
    body.consents = {f"{channel}/product": (start - BEFORE, True, "explicit") for channel in GRANTED}
    return body


def _resolved(data: dict[str, Any], world: World) -> dict[str, Any]:
    if not {NEWEST, BEFORE_IT}.intersection(map(str, data.values())):
        return data
    ids = [one.effect.id for one in world.record.actions() if isinstance(one.effect, Action)]
    *_, before, newest = ["none", "none", *ids]
    known = {NEWEST: newest, BEFORE_IT: before}
    return {name: known.get(str(value), value) for name, value in data.items()}


def _raw(arrival: Arrival, start: int) -> bytes:
    time = datetime.fromtimestamp((start + arrival.time) / 1000, UTC).isoformat(timespec="milliseconds")
    ids = dict(name.split(":", 1) for name in named(arrival))
    data = {**ids, **arrival.data}
    return msgspec.json.encode({"id": arrival.id, "source": "shop", "type": arrival.type, "time": time, "data": data})


def _engine_outcome(world: World, bundle: Bundle, halved: bool) -> Outcome:
    _, customer = world.root(WHO)
    assert customer is not None
    profile = moment_of(world, WHO).scope.profile
    told = [
        (one.at, one.note.what, one.note.scenario, one.note.step, one.note.reason, _detail(one.note))
        for one in world.record.notes()
        if one.note is not None and one.note.what in TOLD
    ]
    errors = [one.note for one in world.record.notes() if one.note is not None and one.note.what == "error"]
    assert not errors, errors
    actions = [one.effect for one in world.record.actions() if isinstance(one.effect, Action)]
    return Outcome(
        sorted(told) if halved else told,
        [_message(a) for a in (sorted(actions, key=lambda a: (a.at, a.id)) if halved else actions)],
        sorted((e.at, e.id, e.reason) for one in world.record.happenings if isinstance(e := one.effect, Withdrawal)),
        {name: plain(unordered(bundle, name, profile[name])) for name in sorted(bundle.traits)},
        [
            (
                i.scenario, i.key, i.ordinal, i.mode, i.ends_at,
                sorted((s.step, s.since, s.due) for s in i.standing if not _is_placement(s)),
                sorted((s.data["placement"], s.data["content"], s.due)
                       for s in i.standing if _is_placement(s)),
            )
            for i in customer.instances
        ],
        sorted(
            (t.id, t.queue, t.key, t.due, t.overdue, t.thread, t.assignee, plain(t.with_)) for t in customer.tasks
        ),
        plain(profile["threads"]),
        {name: dict(row) for name, row in world.facts.rows.get(STOPPED, {}).items()},
        plain({name: rows for name, rows in world.facts.rows.items() if name != STOPPED}),
        sorted((one.at, one.event, one.reason) for one in world.record.refusals),
        [],
    )  # fmt: skip


def _is_placement(standing: Any) -> bool:
    return isinstance(standing.data, dict) and "placement" in standing.data


def _message(a: Action) -> dict[str, Any]:
    return {
        "at": a.at, "id": a.id, "content": a.content, "channel": a.channel, "class": a.class_, "topic": a.topic,
        "scenario": a.scenario, "key": a.key, "step": a.step, "address": a.address, "about": a.about,
        "values": plain(a.values), "valid_until": a.valid_until, "thread": a.thread, "sender": a.sender,
    }  # fmt: skip


def _detail(note: Note) -> str:
    detail = note.detail or {}
    if note.what in {"sent", "suppressed", "held"}:
        return f"{detail.get('document', detail['content'])}/{detail.get('channel', '')}"
    if note.what == "entered":
        return str(detail["key"])
    if note.what == "ended":
        return str(detail["outcome"])
    return str(detail.get("id", "")) if note.what.startswith("task") and note.what != "task_added" else ""
