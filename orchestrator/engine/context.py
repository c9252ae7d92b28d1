"""What a condition sees: the names in scope, for one customer at one moment."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orchestrator.engine.functions.history import HistoryFunctions
from orchestrator.engine.functions.said import ConversationFunctions
from orchestrator.engine.functions.shared import FactFunctions
from orchestrator.engine.local_time import WEEKDAYS, local, utc_text, zone
from orchestrator.engine.maps import EventMap, Lazy, opened_event
from orchestrator.engine.offers.states import is_promised, offer_map, state_at
from orchestrator.engine.profile import read_profile
from orchestrator.language.cel import CelError, Timestamp
from orchestrator.model.ids import draw

if TYPE_CHECKING:
    from orchestrator.engine.facts import Facts
    from orchestrator.engine.program.plan import Program, ScenarioPlan
    from orchestrator.model.customer import Customer, Instance
    from orchestrator.model.event import Event


class Context(HistoryFunctions, FactFunctions, ConversationFunctions):
    """The evaluation context. Roots are attributes, functions are methods (orchestrator.language.spec.scope).

    One context serves one moment; `look_at` and `tell_story` set what the next conditions see. The profile is a map
    filled as it is read; `refresh` forgets it when something has changed.
    """

    event: Any = None
    vars: Any = None
    item: Any = None
    ask: Any = None
    key: str | None = None
    now: Timestamp
    profile: Any
    offer: Any
    _story: "tuple[Instance, ScenarioPlan] | None" = None
    _entry: EventMap | None = None
    _steps: "StepOutputs | None" = None

    def __init__(self, customer: "Customer", program: "Program", facts: "Facts", at: int) -> None:
        self.customer: Customer = customer
        self.program: Program = program
        self.shared: Facts = facts
        self.at = at

    def __getattr__(self, name: str) -> Any:
        """What is made when a condition first asks for it; a name that is not in scope here is unknown."""
        make = _MADE.get(name)
        if make is None:
            raise CelError(f"{name} is not known here")
        made = make(self)
        setattr(self, name, made)
        return made

    @property
    def entry(self) -> EventMap:
        """The event that started the instance whose story is told; opened when it is first read."""
        if self._entry is None:
            if self._story is None:
                raise CelError("entry is not known here")
            instance, plan = self._story
            self._entry = opened_event(instance.entry, plan.declared)
        return self._entry

    @entry.setter
    def entry(self, entry: EventMap) -> None:
        self._story, self._entry = None, entry

    @property
    def steps(self) -> "StepOutputs":
        """What the steps of that instance gave."""
        if self._steps is None:
            if self._story is None:
                raise CelError("steps are not known here")
            self._steps = StepOutputs(self._story[0].outputs)
        return self._steps

    def read(self, name: str) -> Any:
        """One name of the profile, for the map that asks when a condition does."""
        return read_profile(self, name)

    def refresh(self) -> None:
        """Forget the profile: the customer has changed, so it is read anew; or the moment is over.

        Profile and context know each other. Where nobody parts them, all that a moment has touched stays in memory
        until the collector comes by, and each event works in cold memory instead of in that of the one before.
        """
        self.__dict__.pop("profile", None)

    def look_at(self, event: "Event", declared: frozenset[str]) -> EventMap:
        """Make an event `event`."""
        seen = self.event = EventMap(event.data, event, declared)
        return seen

    def tell_story(self, instance: "Instance", plan: "ScenarioPlan") -> None:
        """Make an instance's entry, steps and variables known; each is opened when it is first read."""
        told = self._story
        if told is None or told[0] is not instance or told[1] is not plan:
            self._story = (instance, plan)
            self._entry = None
        self._steps = None
        self.vars = instance.vars

    def no_offer(self) -> None:
        """Make `offer` unknown again."""
        self.__dict__.pop("offer", None)

    def end_story(self) -> None:
        """Make them unknown again."""
        self._story, self._entry, self._steps, self.vars = None, None, None, None

    def has_trait(self, name: str) -> bool:
        return name in self.program.traits.by_name

    # Functions of the language.

    def top(self, scores: dict[str, float]) -> str:
        """The key of the largest value; ties by name; "" of an empty map."""
        return min(scores.items(), key=lambda item: (-item[1], item[0]))[0] if len(scores) else ""

    def in_segment(self, name: str) -> bool:
        return bool(self.program.known_segments[name].evaluate(self))

    def live(self, scenario: str, key: str | None = None) -> bool:
        return any(
            instance.scenario == scenario and instance.mode == "live" and key in (None, instance.key)
            for instance in self.customer.instances
        )

    def offer_state(self, name: str) -> str:
        return state_at(self.customer.offers.get(name), self.at)

    def promises(self, sku: str) -> list[float]:
        told = [
            offer_map(name, offered, self.at)["price"]
            for name, offered in self.customer.offers.items()
            if is_promised(offered, self.at) and name in self.program.offers and sku in self.program.offers[name].about
        ]
        return [price for price in told if price is not None]

    def percent(self, share: float, salt: str) -> bool:
        return draw(self.program.tenant, salt, self.customer.person) < share

    def zone_name(self) -> str:
        """The customer's time zone."""
        if "zone" not in self.program.speaks:
            return self.program.zone
        return self.profile["zone"] or self.program.zone

    def language(self) -> str:
        """The customer's language."""
        if "language" not in self.program.speaks:
            return self.program.language
        return self.profile["language"] or self.program.language

    def local(self, moment: Timestamp) -> dict[str, Any]:
        try:
            wall = local(moment.ms, zone(self.zone_name(), self.program.zone))
        except (ValueError, OverflowError):
            raise CelError("this time is on no calendar") from None
        return {
            "date": wall.date().isoformat(),
            "time": wall.strftime("%H:%M"),
            "weekday": WEEKDAYS[wall.weekday()],
            "hour": wall.hour,
        }

    def open_(self, calendar: str, moment: Timestamp | None = None) -> bool:
        try:
            return self.program.calendars[calendar].is_open(self.at if moment is None else moment.ms)
        except (ValueError, OverflowError):
            raise CelError("this time is on no calendar") from None


class StepOutputs(dict[str, dict[str, Any]]):
    """What steps gave, as conditions see it: times are timestamps, events are maps. Opened step by step."""

    __slots__ = ("outputs",)

    def __init__(self, outputs: dict[str, dict[str, Any]]) -> None:
        super().__init__()
        self.outputs = outputs

    def __missing__(self, step: str) -> dict[str, Any]:
        if step not in self.outputs:
            raise CelError(f"step {step} was not reached")
        output = self[step] = _opened(self.outputs[step])
        return output


_MADE: dict[str, Callable[[Context], Any]] = {
    "now": lambda context: Timestamp.of_ms(context.at),
    "profile": Lazy,
    "intents": lambda context: context.program.intents,
    "asked_facts": lambda _: set(),
}


def _opened(output: dict[str, Any]) -> dict[str, Any]:
    opened = dict(output)
    for name in ("at", "due", "until"):
        if isinstance(opened.get(name), int):
            opened[name] = Timestamp.of_ms(opened[name])
    if isinstance(opened.get("event"), dict):
        opened["event"] = opened_event(opened["event"], frozenset())
    return opened


def plain(value: Any) -> Any:
    """A condition's value as plain data: what is stored, and what goes out as JSON."""
    if isinstance(value, Timestamp):
        return utc_text(value.ms)
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, str | bool | float):
        return value
    return int(value) if isinstance(value, int) else str(value)
