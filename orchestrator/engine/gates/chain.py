"""The chain of gates, in order: the first that refuses gives the reason (docs/reference: section 8 of a moment)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from orchestrator.engine.gates.already_sent import already_sent
from orchestrator.engine.gates.arbitration import arbitration
from orchestrator.engine.gates.caps import caps
from orchestrator.engine.gates.channel import channel
from orchestrator.engine.gates.control_group import control_group
from orchestrator.engine.gates.expired import expired
from orchestrator.engine.gates.hours import browse_delay, preferred_hours, quiet_hours
from orchestrator.engine.gates.min_gap import min_gap
from orchestrator.engine.gates.owned import owned
from orchestrator.engine.gates.pauses import pauses
from orchestrator.engine.gates.redundancy import redundancy
from orchestrator.engine.gates.suitable import suitable
from orchestrator.engine.gates.topics import preferred_topics

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.gates.verdict import Verdict
    from orchestrator.engine.moment import Moment

Gate = Callable[["Candidate", "Moment"], "Verdict | None"]

GATES: Final[tuple[Gate, ...]] = (
    expired,
    control_group,
    owned,
    channel,
    suitable,
    already_sent,
    redundancy,
    pauses,
    preferred_topics,
    caps,
    min_gap,
    arbitration,
    quiet_hours,
    preferred_hours,
    browse_delay,
)
