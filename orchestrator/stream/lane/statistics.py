"""What the core counts: plain numbers by bounded names, which whoever runs it turns into metrics."""

from collections import Counter
from typing import TYPE_CHECKING, Final

from orchestrator.model.effect import Note

if TYPE_CHECKING:
    from orchestrator.stream.lane.setting_aside import Failed
    from orchestrator.stream.lane.step import Step

_BY_SCENARIO: Final = {"placed": "placed", "entered": "entered", "error": "failures"}
"""Note -> the counter that has a number for each scenario."""
OFFERS: Final = {f"offer_{became}": became for became in ("shown", "redeemed", "refused", "expired")}
NOT_ACTING: Final = frozenset({"suppressed", "held", "not_entered", "dropped"})


NOT_EVENTS: Final = frozenset({
    "", "link", "absorb", "reset", "erase", "home", "refused", "split", "inquire", "stays", "noted", "reference",
})  # fmt: skip
"""What is counted beside events: messages between nodes, references, and "" for what could not be read."""

UNDECLARED: Final = "undeclared"
"""Stands for every type that nobody declares: such a name is whatever its producer wrote, and unbounded."""
MOST_UNDECLARED: Final = 100
"""So many of these names are kept until they are taken."""
MOST_REJECTED: Final = 100
"""Of so many rejected records it is kept where they were, until that is taken; the others are only counted."""


class Statistics:
    """Counts since they were last taken.

    Attributes:
        events: (event type, outcome) -> number.
        actions: (channel, scenario) -> number.
        placed: scenario -> what it has placed in slots.
        offers: (offer, what became of it) -> number.
        not_acting: reason -> number of decisions not to act.
        failures: scenario -> events that it raised on.
        unknown: conditions that were unknown.
        dead_letters: reason -> number.
        rejected: what went to dead-letter, the first of it: (topic, partition, offset, reason).
        lateness: ms by which timers acted late.
        received: for each action, the record time (ms) of what led to it.
        stopped: scenarios that have stopped themselves by their `stop_when`: (scenario, messages sent, of which met).
        undeclared: event types that nobody declares -> the types that were declared then.
        failed: records that raised and went to dead-letter for it.
        hops: trips through `customer.inputs` that a message made until it was handled -> number of messages.
    """

    def __init__(self) -> None:
        self.events: Counter[tuple[str, str]] = Counter()
        self.actions: Counter[tuple[str, str]] = Counter()
        self.not_acting: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.dead_letters: Counter[str] = Counter()
        self.rejected: list[tuple[str, int, int, str]] = []
        self.unknown = 0
        self.conflicts = 0
        self.lateness: list[int] = []
        self.received: list[int] = []
        self.placed: Counter[str] = Counter()
        self.offers: Counter[tuple[str, str]] = Counter()
        self.entered: Counter[str] = Counter()
        self.ended: Counter[tuple[str, str]] = Counter()
        self.many_hops = 0
        self.stopped: list[tuple[str, int, int]] = []
        self.undeclared: dict[str, frozenset[str]] = {}
        self.hops: Counter[int] = Counter()
        self.failed: list[Failed] = []

    def add(self, step: "Step") -> None:
        """Take in what a batch left."""
        declared = step.program.event_types
        for (type_, outcome), number in Counter(step.outcomes).items():
            known = type_ in declared or type_ in NOT_EVENTS
            self.events[type_ if known else UNDECLARED, outcome] += number
            if not known and len(self.undeclared) < MOST_UNDECLARED:
                self.undeclared[type_] = declared
        self.lateness += step.lags
        self.hops.update(step.hops)
        for record, why in step.rejected:
            self.dead_letters[why] += 1
            if len(self.rejected) < MOST_REJECTED:
                self.rejected.append((record.topic, record.partition, record.offset, why))
        for note in step.notes:
            self._note(note)

    def _note(self, note: Note) -> None:
        what = note.what
        if what in {"sent", "published"}:
            self.actions[note.detail["channel"], note.scenario] += 1
            self.received.append(note.detail["received"])
        elif what in _BY_SCENARIO:
            getattr(self, _BY_SCENARIO[what])[note.scenario] += 1
        elif what == "ended":
            self.ended[note.scenario, note.reason] += 1
        elif what in OFFERS:
            self.offers[note.detail["offer"], OFFERS[what]] += 1
        elif what in NOT_ACTING:
            self.not_acting[note.reason] += 1
        elif what == "unknown":
            self.unknown += 1
        elif what == "identity_conflict":
            self.conflicts += 1
        elif what == "many_hops":
            self.many_hops += 1
        elif what == "scenario_stopped":
            self.stopped.append((note.scenario, note.detail["sent"], note.detail["met"]))

    def take(self) -> "Statistics":
        """Everything counted so far; counting begins anew."""
        taken = Statistics()
        taken.__dict__, self.__dict__ = self.__dict__, taken.__dict__
        return taken
