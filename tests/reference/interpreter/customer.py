"""One customer: everything that ever happened to them, and what is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from tests.reference.interpreter.conversation import Thread
    from tests.reference.interpreter.profile import Contribution
    from tests.reference.interpreter.records import Happened, Instance, Message, Told, Work
    from tests.reference.interpreter.schedules import Timer
    from tests.reference.interpreter.sequences import Absence
    from tests.reference.interpreter.shared import Shared


class Customer:
    """What the interpreter knows. Times in ms.

    Args:
        bundle: what it runs.
        person: the customer's id.
        ids: namespace -> value.
        said: what was said of consent before the start: (channel, purpose) -> (time, denied).
        now: the clock at the start.
        shared: what all customers share.
    """

    def __init__(
        self,
        bundle: Bundle,
        person: str,
        ids: dict[str, str],
        said: dict[tuple[str, str], tuple[int, bool]],
        now: int,
        shared: Shared,
    ) -> None:
        self.bundle = bundle
        self.shared = shared
        self.contents = dict(bundle.contents)
        self.person = person
        self.ids = ids
        self.said_at_start = said
        self.now = now
        self.born = now
        self.heard_of_consent = 0
        self.declared = _declared(bundle)
        self.accepted: list[Happened] = []
        self.instances: list[Instance] = []
        self.entered: dict[tuple[str, str], tuple[int, int]] = {}
        self.sent: list[Message] = []
        self.withdrawn: list[tuple[int, str, str]] = []
        self.tasks: list[Work] = []
        self.threads: dict[str, Thread] = {}
        self.stored: dict[str, tuple[int, Any]] = {}
        self.awards: dict[str, list[Contribution]] = {}
        self.levels: dict[str, str | None] = {}
        self.completed: dict[str, set[tuple[int, str]]] = {}
        self.absences: list[Absence] = []
        self.schedules: dict[str, Timer] = {}
        self.pause_began: dict[str, int] = {}
        self.pause_over: dict[str, int] = {}
        self.told: list[Told] = []
        self.made = 0

    @property
    def zone(self) -> str:
        """The customer's own, where they have said one."""
        from tests.reference.interpreter.profile import read  # noqa: PLC0415 - the profile is of a customer

        said = str(read(self, "zone")) if "zone" in self.bundle.traits else ""
        return said or self.bundle.settings.zone

    def is_activity(self, event: Happened) -> bool:
        declaration = self.bundle.events.get(event.names[1]) or self.bundle.events.get(event.type)
        return declaration is None or declaration.activity


def _declared(bundle: Bundle) -> frozenset[str]:
    """Every property that any event may have."""
    types = bundle.event_types
    names = {name for properties in types.schemas.properties.values() for name in properties}
    derived = {name for event in bundle.events.values() for name in event.derive}
    return frozenset(names | derived | set(types.identifiers)) - {"meta"}
