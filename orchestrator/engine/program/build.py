"""From a checked bundle to a program: everything that an event needs is looked up once, here."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import re2

from orchestrator.engine.calendars import OpenHours
from orchestrator.engine.functions.history import LONGEST, NEWEST, Need, need_name, window_ms
from orchestrator.engine.gates.caps import horizon
from orchestrator.engine.gates.chain import gates_for
from orchestrator.engine.identity.rules import IdentityRules
from orchestrator.engine.intents import Intent, Intents
from orchestrator.engine.local_time import zone
from orchestrator.engine.program.dispatch import Dispatch
from orchestrator.engine.program.facts_read import facts_read
from orchestrator.engine.program.offers import bare, plan_offers
from orchestrator.engine.program.older import keep_older
from orchestrator.engine.program.plan import ConsentPlan, EventPlan, PausePlan, Program, ScenarioPlan, TurnPlan
from orchestrator.engine.program.sequence import plan_sequence
from orchestrator.engine.program.story import OUTCOMES, plan_scenario
from orchestrator.engine.traits.build import expressions, plan_traits
from orchestrator.language.cel import Expression
from orchestrator.language.depends import depends_on
from orchestrator.language.spec.policy import CLASSES
from orchestrator.language.spec.scope import ENGINE_EVENTS

if TYPE_CHECKING:
    from orchestrator.language.bundle import Bundle
    from orchestrator.language.cel import Type

REFS_REMEMBERED: Final = 14 * 86_400_000
_PYTHON: Final[dict[str, tuple[type, ...]]] = {
    "string": (str,), "int": (int,), "double": (int, float), "bool": (bool,), "list": (list,), "map": (dict,),
}  # fmt: skip


def build_program(bundle: "Bundle", older: "Iterable[Program]" = ()) -> Program:
    """Build a program. `older` are all earlier releases that instances may be on: their scenarios live on for those."""
    settings = bundle.settings
    identity = plan_identity(bundle)
    program = Program(
        bundle.release,
        settings.tenant,
        settings.language,
        settings.zone,
        settings.lateness,
        identity,
        plan_traits(bundle.traits, settings.lateness),
        plan_intents(bundle),
        bundle.policy,
    )
    program.channels, program.contents, program.slots = bundle.channels, bundle.contents, dict(bundle.slots)
    program.offers = bundle.offers
    program.bare_offers = {name: bare(offer) for name, offer in bundle.offers.items()}
    program.segments = {name: segment.where for name, segment in bundle.segments.items()}
    program.known_segments = program.segments
    program.calendars = {name: _calendar(c, settings.zone) for name, c in bundle.calendars.items()}
    program.conversation = bundle.conversation
    program.gates = {class_: gates_for(bundle.policy, class_) for class_ in CLASSES}
    program.base_facts = {f: {k: dict(r) for k, r in rows.items()} for f, rows in bundle.rows.items()}
    program.pauses = _pauses(bundle)
    program.contact_horizon = _contact_horizon(bundle)
    _plan_scenarios(bundle, program)
    keep_older(program, older)
    program.unlinks = bundle.identity is not None and bool(bundle.identity.unlink_on or bundle.identity.replace_on)
    program.looks_always = bool(program.pauses) or any(
        plan.has_levels or any(step.looks and step.kind != "send" for step in plan.steps.values())
        for plan in (*program.scenarios.values(), *program.older.values())
    )
    program.event_plan = EventPlans(bundle, program).plan
    program.event_types = frozenset(
        {*bundle.event_types.by_type, *ENGINE_EVENTS, *(type_ for _, type_ in bundle.event_types.schemas.properties)}
    )
    return program


def plan_identity(bundle: "Bundle") -> IdentityRules:
    """The rules of identity; a bundle without any knows `user_id` and `anonymous_id`."""
    document = bundle.identity
    if document is None:
        return IdentityRules(("user_id",), ("anonymous_id",))
    by_kind: dict[str, list[str]] = {"unique": [], "shared": [], "account": []}
    for name, namespace in document.namespaces.items():
        by_kind[namespace.is_].append(name)
    return IdentityRules(
        tuple(by_kind["unique"]),
        tuple(by_kind["shared"]),
        {name: namespace.max for name, namespace in document.namespaces.items() if namespace.max},
        {name: frozenset(types) for name, types in document.references.items()},
        document.normalise,
        document.region,
        tuple(by_kind["account"]),
    )


def plan_intents(bundle: "Bundle") -> Intents:
    return Intents(tuple(
        Intent(name, i.any, i.all, i.none, {found: re2.compile(pattern) for found, pattern in i.find.items()})
        for name, i in bundle.intents.items()
    ))  # fmt: skip


def _calendar(document: Any, default_zone: str) -> OpenHours:
    where = zone(document.zone or default_zone)
    return OpenHours(document.days, document.from_, document.to, where, frozenset(document.except_))


def _pauses(bundle: "Bundle") -> tuple[PausePlan, ...]:
    return tuple(
        PausePlan(
            p.name, p.while_, p.and_then, p.longest or 0, p.class_, frozenset(p.about), p.on_hit == "cancel",
            _traits_read(p.while_, bundle),
        )
        for p in bundle.policy.pauses
    )  # fmt: skip


_TOLD_BY_TURNS: Final = frozenset({"open_questions", "threads"})
_TOLD_BY_CONSENT: Final = frozenset({"consent"})


def _traits_read(expression: Expression, bundle: "Bundle") -> frozenset[str] | None:
    """What of the profile an expression depends on, through computed traits too; None where any event may change it."""
    depends = depends_on(expression, bundle.traits, bundle.segments)
    if any(one.calls for one in depends.expressions):
        return None
    found = {trait.per.trait for trait in depends.traits.values() if trait.per is not None and trait.per.trait}
    for path in {path for one in depends.expressions for path in one.reads if path[0] not in {"now", "facts"}}:
        name = path[1] if path[0] == "profile" and len(path) > 1 else ""
        names = {name, name.removesuffix("_label")}
        if names.isdisjoint(depends.traits) and name not in _TOLD_BY_TURNS | _TOLD_BY_CONSENT:
            return None
        found |= names
    return frozenset(found)


def _contact_horizon(bundle: "Bundle") -> int:
    policy = bundle.policy
    windows = [horizon(cap) for cap in policy.caps] + [gap.gap for gap in policy.min_gap] + [REFS_REMEMBERED]
    if policy.redundancy is not None:
        windows.append(policy.redundancy.for_)
    return max(windows)


def _plan_scenarios(bundle: "Bundle", program: Program) -> None:
    contents = expressions(bundle.contents)
    for name in sorted(bundle.scenarios):
        document = bundle.scenarios[name]
        plan = plan_scenario(document)
        plan.facts_read = facts_read(_level_expressions(plan), bundle)
        for step in plan.steps.values():
            if step.kind == "wait_until" and step.body.when is not None:
                step.facts = facts_read([step.body.when], bundle)
        reading = expressions(document) + contents
        plan.entry_fields = _entry_fields(reading)
        plan.sequence = plan_sequence(document.entry, reading)
        program.scenarios[name] = plan
    program.becomes = tuple(p for p in program.scenarios.values() if p.document.entry.becomes is not None)
    program.sequences = tuple(p for p in program.scenarios.values() if p.sequence is not None)
    program.schedules = tuple(p for p in program.scenarios.values() if p.schedule is not None)


def _level_expressions(plan: ScenarioPlan) -> list[Expression]:
    return [ending.condition for ending in plan.endings if ending.on is None and ending.condition is not None]


def _entry_fields(reading: Iterable[Expression]) -> frozenset[str] | None:
    """The properties of the entry that anything in the scenario, or a content it may send, refers to."""
    fields: set[str] = set()
    for expression in reading:
        for path in expression.reads:
            if path[0] == "entry":
                if len(path) == 1:
                    return None
                fields.add(path[1])
    return frozenset(fields - {"meta"})


MOST_REMEMBERED: Final = 4_096
"""Plans kept of types that nobody declares: producers name them, and must not fill a worker's memory with names."""


class EventPlans:
    """Plans of events by type and channel, made when such an event first comes."""

    def __init__(self, bundle: "Bundle", program: Program) -> None:
        self._bundle = bundle
        self._program = program
        self._known = program.plans
        self._needs = history_needs(bundle, program)
        self._declared = declared_names(bundle)
        self._heard = _heard(program)
        self._watched = _watched(program)
        for plan in program.scenarios.values():
            plan.declared = self._declared

    def plan(self, type_: str, channel: str) -> EventPlan:
        """The plan of an event type on a channel."""
        known = self._known.get((type_, channel))
        if known is None:
            known = self._make(type_, channel)
            if known.known or len(self._known) < MOST_REMEMBERED:
                self._known[type_, channel] = known
        return known

    def _make(self, type_: str, channel: str) -> EventPlan:
        bundle, program = self._bundle, self._program
        declaration = bundle.events.get(f"{channel}.{type_}") or bundle.events.get(type_)
        plan = EventPlan(type_, channel, declaration)
        names = plan.names
        plan.declared = self._declared
        plan.checks = _checks(bundle, channel, type_)
        plan.typed = _typed(bundle, plan.checks)
        plan.required = tuple(sorted(bundle.event_types.schemas.required.get((channel, type_), ())))
        plan.traits = program.traits.updates(names)
        plan.consents = tuple(_consents(bundle, names))
        if bundle.conversation is not None:
            plan.turns = tuple(
                TurnPlan(t.where, t.by, t.text, t.about) for t in bundle.conversation.turns if _any(names, t.on)
            )
            plan.closes = tuple(c.where for c in bundle.conversation.closed_on if _any(names, c.on))
        plan.trait_names = frozenset(
            {update.trait.name for update in plan.traits}
            | (_TOLD_BY_TURNS if plan.turns or plan.closes else frozenset())
            | (_TOLD_BY_CONSENT if plan.consents else frozenset())
        )
        plan.offers = tuple(plan_offers(bundle.offers, names))
        plan.shows = bool(bundle.offers) and (type_, channel) == ("slot_shown", "engine")
        plan.needs = tuple(need for need in self._needs if need.type in names) if plan.activity else ()
        plan.entries = self._dispatch(names)
        plan.facts = tuple(f for f in bundle.facts.values() if _any(names, f.on))
        if bundle.identity is not None:
            plan.replaces = _any(names, bundle.identity.replace_on)
            plan.unlinks = _any(names, bundle.identity.unlink_on)
        plan.heard = _any(names, self._heard)
        came_by = bundle.channels.get(channel)
        plan.outcome = type_ in OUTCOMES
        plan.used = plan.activity and not plan.outcome and came_by is not None and came_by.sends == "push"
        plan.watched = _any(names, self._watched)
        plan.plain = plan.for_ == "customer" and not plan.facts
        plan.stops = _stops(program, names)
        plan.tells = bool(
            plan.consents or plan.needs or plan.turns or plan.closes or plan.stops or plan.offers or plan.shows
        )
        plan.brief = self._is_brief(plan)
        plan.quiet = not (
            plan.heard
            or plan.entries
            or plan.traits
            or plan.consents
            or plan.turns
            or plan.closes
            or plan.needs
            or plan.stops
            or plan.offers
        )
        return plan

    def _is_brief(self, plan: EventPlan) -> bool:
        """See `EventPlan`: what else than traits and timeline an event may touch makes it longer."""
        program = self._program
        if plan.derive or plan.tells or plan.replaces or plan.unlinks or plan.outcome:
            return False
        if program.becomes or program.schedules or (plan.entries is not None and plan.entries.sequences):
            return False
        return all(pause.reads is not None and pause.reads.isdisjoint(plan.trait_names) for pause in program.pauses)

    def _dispatch(self, names: tuple[str, ...]) -> Dispatch | None:
        entered = [(plan, _demand(plan)) for plan in self._program.scenarios.values() if _begins(plan, names)]
        return Dispatch(entered) if entered else None


def _any(names: tuple[str, ...], among: Iterable[str]) -> bool:
    return any(name in among for name in names)


def _stops(program: Program, names: tuple[str, ...]) -> frozenset[str]:
    """The scenarios whose `stop_when` counts an event."""
    rules = ((plan.name, plan.document.stop_when) for plan in program.scenarios.values())
    return frozenset(name for name, rule in rules if rule is not None and _any(names, rule.on))


def _begins(plan: ScenarioPlan, names: tuple[str, ...]) -> bool:
    """Whether an event could start a scenario, or belong to the sequence that does."""
    return _any(names, plan.document.entry.on) or (plan.sequence is not None and _any(names, plan.sequence.names))


def _demand(plan: ScenarioPlan) -> tuple[str, frozenset[Any]] | None:
    """The first field of the event that the entry's condition demands to equal a text, and which; None for no such."""
    where = plan.document.entry.where
    if where is None or plan.document.entry.each is not None:
        return None
    for path, values in where.equalities:
        if len(path) == 2 and path[0] == "event" and all(isinstance(value, str) for value in values):
            return path[1], values
    return None


def _consents(bundle: "Bundle", names: tuple[str, ...]) -> Iterable[ConsentPlan]:
    for rule in bundle.consent.rules if bundle.consent is not None else ():
        given = rule.grant or rule.deny
        if given is not None and _any(names, rule.on):
            yield ConsentPlan(
                rule.where,
                given.channel.expr or given.channel.name or "all",
                given.purpose.expr or given.purpose.name or "all",
                rule.grant is not None,
                rule.kind,
            )


def _checks(bundle: "Bundle", channel: str, type_: str) -> dict[str, frozenset[type]]:
    """What is declared of an event's properties, as the Python types that JSON gives."""
    declared: Mapping[str, Type] = bundle.event_types.schemas.properties.get((channel, type_), {})
    return {
        name: frozenset({*_PYTHON[known.plain.kind], type(None)})
        for name, known in declared.items()
        if known.plain.kind in _PYTHON
    }


def _typed(bundle: "Bundle", checks: dict[str, frozenset[type]]) -> frozenset[tuple[str, type]]:
    """Name and type of what is as declared, identifiers too: pairs that a look at all properties can leave out."""
    pairs = {(name, type_) for name, types in checks.items() for type_ in types}
    return frozenset(pairs | {(name, str) for name in bundle.event_types.identifiers})


def declared_names(bundle: "Bundle") -> frozenset[str]:
    """Every property that any event declares or derives, and every identifier: absent ones read as null."""
    names = {name for properties in bundle.event_types.schemas.properties.values() for name in properties}
    names |= {name for event in bundle.events.values() for name in event.derive}
    names |= set(bundle.event_types.identifiers)
    return frozenset(names - {"meta"})


_HISTORY: Final = frozenset({"count", "seen", "last", "since"})


def history_needs(bundle: "Bundle", program: Program) -> tuple[Need, ...]:
    """What conditions of the bundle, and of scenarios that live on, ask of the past: nothing else is kept."""
    needs: dict[str, Need] = {}
    everything: list[Any] = [
        [plan.document for plan in program.older.values()], [content for content, _ in program.kept_contents.values()],
        program.known_segments, bundle.scenarios, bundle.contents, bundle.slots, bundle.offers, bundle.traits,
        bundle.policy, bundle.conversation, bundle.events, bundle.consent,
    ]  # fmt: skip
    for expression in expressions(everything):
        for call in expression.calls:
            if call.name in _HISTORY and call.args and isinstance(call.args[0], str):
                need = _need(call.name, call.args)
                known = needs.get(need.name)
                window = max(need.window, known.window if known else 0)
                needs[need.name] = need._replace(window=window)
    return tuple(needs.values())


def _need(name: str, args: tuple[Any, ...]) -> Need:
    type_ = args[0]
    if name in {"last", "since"}:
        return Need(f"{NEWEST}{type_}", type_, "", LONGEST, newest=True)
    window = window_ms(args[1]) if len(args) > 1 and isinstance(args[1], str) else LONGEST
    property_ = args[2] if len(args) > 2 and isinstance(args[2], str) else ""
    return Need(need_name(type_, property_), type_, property_, window)


def _heard(program: Program) -> frozenset[str]:
    """Every event name that some step, goal or exit listens for, in releases that live on too."""
    plans = (*program.scenarios.values(), *program.older.values())
    return frozenset(name for plan in plans for name in plan.heard)


def _watched(program: Program) -> frozenset[str]:
    """Events whose properties must stay on the timeline: a merge tests goals and exits against them."""
    plans = (*program.scenarios.values(), *program.older.values())
    return frozenset(name for plan in plans for name in plan.watched)
