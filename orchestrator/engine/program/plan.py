"""A bundle ready to run: what the engine looks things up in. Built by engine/program/build.py, never changed after."""

from typing import TYPE_CHECKING, Any, NamedTuple

from orchestrator.language.liquid.templates import Templates
from orchestrator.model.ids import draw

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from orchestrator.engine.calendars import OpenHours
    from orchestrator.engine.functions.history import Need
    from orchestrator.engine.identity.rules import IdentityRules
    from orchestrator.engine.intents import Intents
    from orchestrator.engine.program.dispatch import Dispatch
    from orchestrator.engine.program.schedule import Schedule
    from orchestrator.engine.program.sequence import SequencePlan
    from orchestrator.engine.traits.plan import Traits, TraitUpdate
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.ground import Channel, EventDeclaration
    from orchestrator.language.spec.knowledge import Facts as FactDocument
    from orchestrator.language.spec.policy import Policy
    from orchestrator.language.spec.scenario import Scenario


class StepPlan:
    """One step in the flat story: what follows it, and where its branches begin.

    `follow` is the step after it, None at the end of the story, or `JOIN` + id at the end of a parallel track.
    `heads` names the first step of each branch. `listens` are the events that a wait here looks for; with `looks`
    there is something to look at after anything else, too.
    """

    __slots__ = ("body", "facts", "follow", "heads", "id", "kind", "listens", "looks", "path")

    def __init__(self, id_: str, kind: str, body: Any, follow: str | None, path: str) -> None:
        self.id = id_
        self.kind = kind
        self.body = body
        self.follow = follow
        self.heads: dict[str, str | None] = {}
        self.listens: frozenset[str] = frozenset()
        self.facts: frozenset[str] = frozenset()
        self.looks = _looks(kind, body)
        self.path = path


def _looks(kind: str, body: Any) -> bool:
    """Whether a step has something to look at whenever anything has changed."""
    if kind == "wait_until":
        return body.when is not None
    return kind == "send" or (kind == "delay" and body.time is not None)


class Ending(NamedTuple):
    """One way in which an instance ends: an event of `on` (goal, exit), or a level `condition` being `ends_when`."""

    on: frozenset[str] | None
    condition: "Expression | None"
    ends_when: bool
    outcome: str
    reason: str


class ScenarioPlan:
    """One version of a scenario."""

    def __init__(self, document: "Scenario", steps: dict[str, StepPlan], first: str | None) -> None:
        self.name = document.scenario
        self.version = document.version
        self.document = document
        self.steps = steps
        self.first = first
        self.endings: tuple[Ending, ...] = ()
        self.has_levels = False
        self.loops = any(step.kind == "go_to" and step.body.limit for step in steps.values())
        self.ending_names: frozenset[str] = frozenset()
        self.watched: frozenset[str] = frozenset()
        self.heard: frozenset[str] = frozenset()
        self.declared: frozenset[str] = frozenset()
        self.entry_fields: frozenset[str] | None = None
        self.sequence: SequencePlan | None = None
        self.schedule: Schedule | None = None
        self.facts_read: frozenset[str] = frozenset()


class ConsentPlan(NamedTuple):
    """A rule that grants or denies on an event."""

    where: "Expression | None"
    channel: "str | Expression"
    purpose: "str | Expression"
    granted: bool
    kind: str


class TurnPlan(NamedTuple):
    """An event that is a turn of a conversation."""

    where: "Expression | None"
    by: str
    text: "Expression | None"
    about: "Expression | None"


class OfferPlan(NamedTuple):
    """An event that redeems an offer, or refuses it: then it is closed for `cool_down` (ms)."""

    offer: str
    where: "Expression | None"
    refuses: bool
    cool_down: int


class EventPlan:
    """Everything that an event of one type on one channel may touch: one look-up per event.

    `brief`: beside entries and what listens for it, it touches traits and the timeline only. `plain`: it belongs to a
    customer and changes no fact. `tells`: it says something of consent, conversation or history, or to a `stop_when`
    (of the scenarios `stops`), beside what traits make of it. `typed` are the (name, type) pairs of properties that
    need no second look, `required` are those that must not be absent. `heard`: some goal, exit or wait listens for it.
    `offers` are those that it redeems or refuses; `shows`: it may say that one was shown.
    `watched`: its properties stay on the timeline, for a merge tests goals, exits and silences against them. `quiet`:
    nothing would come of it.
    """

    __slots__ = (
        "activity",
        "brief",
        "browsing",
        "channel",
        "checks",
        "closes",
        "consents",
        "declared",
        "derive",
        "entries",
        "facts",
        "for_",
        "heard",
        "known",
        "names",
        "needs",
        "offers",
        "outcome",
        "plain",
        "quiet",
        "replaces",
        "required",
        "shows",
        "stops",
        "tells",
        "trait_names",
        "traits",
        "turns",
        "type",
        "typed",
        "unlinks",
        "used",
        "watched",
    )  # fmt: skip

    def __init__(self, type_: str, channel: str, declaration: "EventDeclaration | None") -> None:
        self.type = type_
        self.channel = channel
        self.names = (type_, f"{channel}.{type_}")
        self.known = declaration is not None
        self.for_ = declaration.for_ if declaration else "customer"
        self.activity = declaration.activity if declaration else True
        self.browsing = declaration.browsing if declaration else False
        self.derive: tuple[tuple[str, Expression], ...] = tuple(declaration.derive.items()) if declaration else ()
        self.checks: dict[str, frozenset[type]] = {}
        self.typed: frozenset[tuple[str, type]] = frozenset()
        self.required: tuple[str, ...] = ()
        self.declared: frozenset[str] = frozenset()
        self.traits: tuple[TraitUpdate, ...] = ()
        self.trait_names: frozenset[str] = frozenset()
        self.consents: tuple[ConsentPlan, ...] = ()
        self.turns: tuple[TurnPlan, ...] = ()
        self.closes: tuple[Expression | None, ...] = ()
        self.needs: tuple[Need, ...] = ()
        self.offers: tuple[OfferPlan, ...] = ()
        self.shows = False
        self.entries: Dispatch | None = None
        self.facts: tuple[FactDocument, ...] = ()
        self.replaces = False
        self.stops: frozenset[str] = frozenset()
        self.unlinks = False
        self.heard = False
        self.quiet = False
        self.watched = False
        self.used = False
        self.plain = False
        self.tells = False
        self.brief = False
        self.outcome = False


_SPOKEN = frozenset({"language", "zone"})


class PausePlan(NamedTuple):
    """A pause of the policy. `reads` is what of the profile its condition depends on; None: any event may change it."""

    name: str
    while_: "Expression"
    and_then: int
    longest: int
    class_: str | None
    about: frozenset[str]
    cancels: bool
    reads: frozenset[str] | None


def _no_plan(type_: str, channel: str) -> EventPlan:
    raise LookupError(f"no plan of {channel}.{type_}: a program comes from build_program")


class Program:
    """One release.

    Attributes:
        event_types: the types of events that the bundle or a topic declares, and those that the engine makes.
        plans: the event plans made so far, by type and channel; `event_plan` makes one that is missing.
        older: scenarios of earlier releases by name and version, for the instances that finish on them.
        outdated: those whose instances follow to the newest version, or end.
        kept_contents: contents that only `older` scenarios send, each with its release.
        bare_offers: a content for each offer that tells nothing but it, for slots that show offers by name.
        known_segments: `segments`, and those that only `older` scenarios ask for.
        looks_always: some condition must be looked at after every event, whatever its type.
        unlinks: some event takes an identifier away.
        draw: who is held out, which variant somebody gets (tenant, salt, person). A rehearsal says so itself.
        templates: renders what slots show.
    """

    def __init__(
        self,
        release: str,
        tenant: str,
        language: str,
        zone: str,
        lateness: int,
        identity: "IdentityRules",
        traits: "Traits",
        intents: "Intents",
        policy: "Policy | None",
    ) -> None:
        self.release = release
        self.tenant = tenant
        self.language: str = language
        self.zone: str = zone
        self.lateness = lateness
        self.identity: IdentityRules = identity
        self.traits = traits
        self.intents = intents
        self.policy = policy
        self.channels: Mapping[str, Channel] = {}
        self.contents: Mapping[str, Any] = {}
        self.kept_contents: dict[str, tuple[Any, str]] = {}
        self.slots: dict[str, Any] = {}
        self.offers: Mapping[str, Any] = {}
        self.bare_offers: Mapping[str, Any] = {}
        self.segments: dict[str, Expression] = {}
        self.known_segments: dict[str, Expression] = {}
        self.calendars: dict[str, OpenHours] = {}
        self.scenarios: dict[str, ScenarioPlan] = {}
        self.older: dict[tuple[str, int], ScenarioPlan] = {}
        self.outdated: dict[tuple[str, int], ScenarioPlan] = {}
        self.becomes: tuple[ScenarioPlan, ...] = ()
        self.sequences: tuple[ScenarioPlan, ...] = ()
        self.schedules: tuple[ScenarioPlan, ...] = ()
        self.pauses: tuple[PausePlan, ...] = ()
        self.conversation: Any = None
        self.base_facts: dict[str, dict[str, dict[str, Any]]] = {}
        self.contact_horizon = 0
        self.gates: Mapping[str, tuple[Any, ...]] = {}
        self.speaks: frozenset[str] = frozenset(traits.by_name) & _SPOKEN
        self.event_types: frozenset[str] = frozenset()
        self.plans: dict[tuple[str, str], EventPlan] = {}
        self.event_plan: Callable[[str, str], EventPlan] = _no_plan
        self.looks_always = False
        self.unlinks = False
        self.draw: Callable[[str, str, str], float] = draw
        self.templates = Templates()

    def scenario(self, name: str, version: int) -> ScenarioPlan | None:
        """The plan that an instance of this version runs on; None where it is gone, or a later release has it."""
        newest = self.scenarios.get(name)
        if newest is None or newest.version == version:
            return newest
        known = self.older.get((name, version))
        if known is None and (version < newest.version or (name, version) in self.outdated):
            return newest
        return known

    def scenario_of_task(self, name: str, version: int) -> ScenarioPlan | None:
        """The plan that a task was opened by: its instance may have gone on to another version, or ended with it."""
        plan = self.scenario(name, version)
        if plan is not None and plan.version == version:
            return plan
        return self.outdated.get((name, version), plan)

    def content(self, name: str) -> Any:
        """A content by its name, also one that only instances of an earlier release still send; None if unknown."""
        known = self.contents.get(name)
        return known if known is not None else self.kept_contents.get(name, (None, ""))[0]

    def release_of(self, content: str) -> str:
        """The release in which a content is to be found."""
        return self.release if content in self.contents else self.kept_contents.get(content, (None, self.release))[1]
