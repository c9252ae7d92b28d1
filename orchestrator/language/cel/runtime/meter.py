"""Counts the work of one evaluation that has macros, so that nested ones over long lists end in time."""

from __future__ import annotations

from typing import Any

from orchestrator.language.cel.errors import CelError, CelWorkError
from orchestrator.language.cel.limits import MAX_WORK, STEP_WORK
from orchestrator.language.cel.runtime.comparison import MAPS, SCALARS
from orchestrator.language.cel.values import type_name


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
        if not isinstance(range_, (list, tuple)):
            if not isinstance(range_, MAPS):
                raise CelError(f"a macro goes through a list or a map, this is {type_name(range_)}")
            range_ = list(range_)
        self.pay(STEP_WORK * len(range_))
        return range_

    def paid(self, value: Any) -> Any:
        """The value, paid for: what reads or makes it takes time, or memory, of its length."""
        self.pay(weight(value, self.left))
        return value


def weight(value: Any, limit: int) -> int:
    """Units of work that it takes to read the value once; counting ends above the limit."""
    total = 0
    waiting: list[Any] = [(value,)]
    while waiting and total <= limit:
        for part in waiting.pop():
            kind = type(part)
            if kind is str or kind is bytes:
                total += len(part) // 16
            elif kind not in SCALARS and isinstance(part, (list, tuple, *MAPS)):
                total += 1 + len(part)
                waiting.append(tuple(part.values()) if isinstance(part, MAPS) else part)
    return total
