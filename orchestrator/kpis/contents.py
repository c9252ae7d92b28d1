"""How often each content was said, of what happened over a span of time."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.kpis.measures import PLACED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.kpis.history import History

_COUNTED: Final = {
    "sent": ("contact_sent",),
    "delivered": ("delivered",),
    "suppressed": ("contact_suppressed",),
    "placed": (PLACED,),
}


class Said(NamedTuple):
    """Of one content: messages sent, of them delivered, suppressed; and how often scenarios placed it in slots."""

    sent: int = 0
    delivered: int = 0
    suppressed: int = 0
    placed: int = 0

    @property
    def never(self) -> bool:
        """Nobody was to get it, not even in vain."""
        return not (self.sent or self.suppressed or self.placed)


def said(history: History) -> Mapping[str, Said]:
    """Content -> how often it was said; who is not in it never was."""
    counts = {
        field: Counter(one.source.content for one in history.named(names) if one.source.content)
        for field, names in _COUNTED.items()
    }
    names = dict.fromkeys(name for counted in counts.values() for name in counted)
    return {name: Said(**{field: counted[name] for field, counted in counts.items()}) for name in names}
