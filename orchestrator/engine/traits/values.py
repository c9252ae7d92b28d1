"""Traits that keep one value: first, last, best, stored, flag."""

from typing import Any, Final

# A state is [line, time, id, value]: an earlier line outranks a later one, then time decides, then the event's id.
_LINE: Final = 0
_TIME: Final = 1
_ID: Final = 2
_VALUE: Final = 3


def _kept(state: Any, now: int, keep_for: int) -> Any:
    """The value of a state; None where it was to be kept for so long only."""
    return None if keep_for and now - state[_TIME] >= keep_for else state[_VALUE]


class First:
    """The value at the smallest event time; `keep_for` (ms, 0 for ever) puts it back to the default afterwards."""

    def __init__(self, keep_for: int = 0) -> None:
        self.keep_for = keep_for

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        if state is None or (line, time, id_) < (state[_LINE], state[_TIME], state[_ID]):
            return [line, time, id_, value]
        return state

    def read(self, state: Any, now: int) -> Any:
        return _kept(state, now, self.keep_for)

    def join(self, one: Any, other: Any) -> Any:
        return min(one, other, key=lambda state: state[:_VALUE])


class Last:
    """The value at the largest event time; `keep_for` (ms, 0 for ever) puts it back to the default afterwards."""

    def __init__(self, keep_for: int = 0) -> None:
        self.keep_for = keep_for

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        if state is None or line < state[_LINE]:
            return [line, time, id_, value]
        if line == state[_LINE] and (time, id_) >= (state[_TIME], state[_ID]):
            return [line, time, id_, value]
        return state

    def read(self, state: Any, now: int) -> Any:
        return _kept(state, now, self.keep_for)

    def join(self, one: Any, other: Any) -> Any:
        return self.add(one, other[_TIME], other[_ID], other[_LINE], other[_VALUE])


class Best:
    """The value where `by` is largest; ties go to the earlier event. A contribution's value is (by, value).

    `keep_for` (ms, 0 for ever) puts it back to the default so long after that event.
    """

    def __init__(self, keep_for: int = 0) -> None:
        self.keep_for = keep_for

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        by, best = value
        if state is None or (-by, time, id_) < (-state[0], state[_TIME], state[_ID]):
            return [by, time, id_, best]
        return state

    def read(self, state: Any, now: int) -> Any:
        return _kept(state, now, self.keep_for)

    def join(self, one: Any, other: Any) -> Any:
        return min(one, other, key=lambda state: (-state[0], state[_TIME], state[_ID]))


class Flag:
    """True between an `on` (line 0) and an `off` (line 1), and no longer than `longest` (ms, 0 for ever)."""

    def __init__(self, longest: int = 0) -> None:
        self.longest = longest

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        if state is None or (time, line, id_) >= (state[_TIME], state[_LINE], state[_ID]):
            return [line, time, id_, line == 0]
        return state

    def read(self, state: Any, now: int) -> Any:
        return bool(state[_VALUE]) and not (self.longest and now - state[_TIME] >= self.longest)

    def join(self, one: Any, other: Any) -> Any:
        return self.add(one, other[_TIME], other[_ID], other[_LINE], other[_VALUE])
