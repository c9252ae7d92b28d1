"""Consent: the latest event time wins per channel and purpose; on a tie, deny."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.recalls import recall_denied
from orchestrator.language.cel import CelError

if TYPE_CHECKING:
    from orchestrator.engine.moment import Moment
    from orchestrator.engine.program.plan import ConsentPlan
    from orchestrator.model.event import Event


def apply_consents(moment: "Moment", event: "Event", rules: "tuple[ConsentPlan, ...]") -> None:
    """Let an event grant or deny; a denial recalls what is on its way."""
    denied = False
    for rule in rules:
        if not moment.holds(rule.where, "", "consent"):
            continue
        try:
            name = f"{_word(moment, rule.channel)}/{_word(moment, rule.purpose)}"
        except CelError:
            continue
        denied |= _decide(moment, name, event.time, rule.granted, rule.kind) and not rule.granted
    if denied:
        recall_denied(moment)


def _word(moment: "Moment", word: Any) -> str:
    return word if isinstance(word, str) else str(moment.value(word, "", "consent"))


def _decide(moment: "Moment", name: str, time: int, granted: bool, kind: str) -> bool:
    """Whether this is the newest word, and another than before."""
    known = moment.customer.consents.get(name)
    if known is not None and (known[0], not known[1]) > (time, not granted):
        return False
    moment.customer.consents = {**moment.customer.consents, name: (time, granted, kind)}
    if known is not None and known[1] == granted:
        return False
    channel, _, purpose = name.partition("/")
    moment.make("consent_changed", {"channel": channel, "purpose": purpose, "granted": granted})
    return True
