"""Counts the work of one evaluation that has macros, so that nested ones over long lists end in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.language.cel.errors import CelWorkError
from orchestrator.language.cel.limits import MAX_WORK, STEP_WORK
from orchestrator.language.cel.runtime.failures import no_overload


class Meter:
    """The work that is left. A macro pays for its steps before it starts, a value for its length."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_WORK

    def pay(self, work: int) -> None:
        self.left -= work
        if self.left < 0:
            raise CelWorkError("this expression takes too much work: too many steps of macros over long lists or texts")

    def elements(self, range_: Any) -> Any:
        """What a macro goes through: the elements of a list, the keys of a map."""
        if isinstance(range_, Mapping):
            range_ = list(range_)
        elif not isinstance(range_, (list, tuple)):
            raise no_overload("macro", range_)
        self.pay(STEP_WORK * len(range_))
        return range_

    def paid(self, value: Any) -> Any:
        """The value, paid for: what reads or makes it takes time, or memory, of its length."""
        self.pay(weight(value, self.left))
        return value


def weight(value: Any, limit: int) -> int:
    """Units of work that it takes to read the value once; counting ends above the limit."""
    if isinstance(value, (str, bytes)):
        return len(value) // 16
    if not isinstance(value, (list, tuple, Mapping)):
        return 0
    total = 0
    waiting = [value]
    while waiting and total <= limit:
        parts = waiting.pop()
        total += 1 + len(parts)
        for part in parts.values() if isinstance(parts, Mapping) else parts:
            if isinstance(part, (str, bytes)):
                total += len(part) // 16
            elif isinstance(part, (list, tuple, Mapping)):
                waiting.append(part)
    return total
