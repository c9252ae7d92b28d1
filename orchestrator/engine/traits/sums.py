"""Traits that add up: count, sum, most, ledger."""

from bisect import insort
from typing import Any, Final

from orchestrator.model.event import MOST_AHEAD

_REFS_KEPT: Final = 400
_VALUES_KEPT: Final = 500
_OTHERS: Final = b""
"""Stands for the values that are no longer told apart."""


class Sum:
    """The sum of the contributions (a count adds ones)."""

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        return value if state is None else state + value

    def read(self, state: Any, now: int) -> Any:
        return state

    def join(self, one: Any, other: Any) -> Any:
        return one + other


class WindowSum:
    """The sum over the event times in (now - window, now]. The state is [[time, id, value], ...], oldest first."""

    def __init__(self, window: int) -> None:
        self.window = window

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        entries = [] if state is None else state
        insort(entries, [time, id_, value])
        return self._recent(entries)

    def read(self, state: Any, now: int) -> Any:
        return sum(value for time, _, value in state if now - self.window < time <= now)

    def join(self, one: Any, other: Any) -> Any:
        return self._recent(sorted(one + other))

    def _recent(self, entries: list[Any]) -> list[Any]:
        horizon = entries[-1][0] - MOST_AHEAD - self.window
        if entries[0][0] > horizon:
            return entries
        return [entry for entry in entries if entry[0] > horizon]


class Most:
    """The commonest value, if it has the `share` (0 to 1) asked for; ties by name.

    The state counts each value; of more than 500 the rarest are only counted together.
    """

    def __init__(self, share: float) -> None:
        self.share = share

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        counts = {} if state is None else state
        counts[value] = counts.get(value, 0) + 1
        return _commonest(counts) if len(counts) > _VALUES_KEPT else counts

    def read(self, state: Any, now: int) -> Any:
        known = [item for item in state.items() if item[0] != _OTHERS] if _OTHERS in state else state.items()
        value, count = min(known, key=lambda item: (-item[1], str(item[0])))
        return value if count >= self.share * sum(state.values()) else None

    def join(self, one: Any, other: Any) -> Any:
        for value, count in other.items():
            one[value] = one.get(value, 0) + count
        return _commonest(one) if len(one) > _VALUES_KEPT else one


def _commonest(counts: dict[Any, int]) -> dict[Any, int]:
    """Keep one customer's record bounded: half of the values, the rarest, count together from now on."""
    told_apart = [value for value in counts if value != _OTHERS]
    told_apart.sort(key=lambda value: (-counts[value], str(value)))
    kept = {value: counts[value] for value in told_apart[: _VALUES_KEPT // 2]}
    return {**kept, _OTHERS: sum(counts.values()) - sum(kept.values())}


class Ledger:
    """A balance of entries, one for each `ref` and line, of which a reversal takes back a share.

    A contribution's value is ("add", ref, amount) or ("reverse", ref, share). The state is
    [settled, {ref: {"t": time of the newest, "a": {line: [time, id, amount]}, "r": share taken back}}];
    of a ref and line the earliest entry counts, whatever the order in which they come.
    """

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        ledger: list[Any] = [0, {}] if state is None else state
        word, ref, number = value
        entry = ledger[1].setdefault(ref, {"t": time, "a": {}, "r": 0})
        entry["t"] = max(entry["t"], time)
        if word == "reverse":
            entry["r"] = max(entry["r"], min(1.0, number))
        else:
            _earliest(entry["a"], str(line), [time, id_, number])
        return _settle(ledger)

    def read(self, state: Any, now: int) -> Any:
        return state[0] + sum(_balance(entry) for entry in state[1].values())

    def join(self, one: Any, other: Any) -> Any:
        for ref, entry in other[1].items():
            mine = one[1].setdefault(ref, {"t": entry["t"], "a": {}, "r": 0})
            mine["t"] = max(mine["t"], entry["t"])
            mine["r"] = max(mine["r"], entry["r"])
            for line, amount in entry["a"].items():
                _earliest(mine["a"], line, amount)
        return _settle([one[0] + other[0], one[1]])


def _earliest(entries: dict[str, list[Any]], line: str, new: list[Any]) -> None:
    known = entries.get(line)
    if known is None or new[:2] < known[:2]:
        entries[line] = new


def _balance(entry: dict[str, Any]) -> float:
    amounts = sum(amount for _, _, amount in entry["a"].values())
    return float(amounts * (1 - entry["r"])) if entry["r"] else amounts


def _settle(ledger: list[Any]) -> list[Any]:
    """Keep one customer's record bounded: the oldest refs go into the settled sum."""
    while len(ledger[1]) > _REFS_KEPT:
        oldest = min(ledger[1], key=lambda ref: (ledger[1][ref]["t"], ref))
        ledger[0] += _balance(ledger[1].pop(oldest))
    return ledger
