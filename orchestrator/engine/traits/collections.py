"""Traits that hold several values: set, list."""

from typing import Any, Final

_VALUES_KEPT: Final = 500


class ValueSet:
    """A set of values; of adding (line 0) and removing (line 1 and up) a value the later wins, on a tie the removal.

    The state is {value: [time, removed, id]}.
    """

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        values = {} if state is None else state
        mark = [time, line > 0, id_]
        known = values.get(value)
        if known is None or mark >= known:
            values[value] = mark
        return _newest(values)

    def read(self, state: Any, now: int) -> Any:
        return [value for value, mark in sorted(state.items(), key=lambda item: item[1]) if not mark[1]]

    def join(self, one: Any, other: Any) -> Any:
        for value, mark in other.items():
            if value not in one or mark >= one[value]:
                one[value] = mark
        return _newest(one)


class NewestList:
    """The newest `keep` values, newest first. The state is [[time, id, value], ...] in that order."""

    def __init__(self, keep: int) -> None:
        self.keep = keep

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        entries = [] if state is None else state
        entry = [time, id_, value]
        place = next((i for i, known in enumerate(entries) if known[:2] <= entry[:2]), len(entries))
        entries.insert(place, entry)
        del entries[self.keep :]
        return entries

    def read(self, state: Any, now: int) -> Any:
        return [value for _, _, value in state]

    def join(self, one: Any, other: Any) -> Any:
        return sorted(one + other, key=lambda entry: entry[:2], reverse=True)[: self.keep]


def _newest(values: dict[Any, Any]) -> dict[Any, Any]:
    while len(values) > _VALUES_KEPT:
        del values[min(values, key=lambda value: values[value])]
    return values
