"""Traits whose fold depends on the order of events: score and basket.

The state is [base, recent]: `recent` holds the contributions of the bundle's lateness, in order, and `base` is the
fold of what is older. So what arrives late, within the lateness, changes nothing but its own place.
"""

from bisect import insort
from operator import itemgetter
from typing import Any, Final

_LINES_KEPT: Final = 300
_PLACE: Final = itemgetter(0, 1, 2)
"""Where a contribution stands: time, event id, line. Values do not compare: two of one event keep their order."""


class Ordered:
    """The shared part: subclasses say how a base begins, takes one contribution in, is read, and joined."""

    def __init__(self, lateness: int) -> None:
        self.lateness = lateness

    def begin(self) -> list[Any]:
        raise NotImplementedError

    def fold(self, base: list[Any], entry: list[Any]) -> None:
        """Take one contribution [time, id, line, value] into a base, in place."""
        raise NotImplementedError

    def value(self, base: list[Any], now: int) -> Any:
        raise NotImplementedError

    def join_bases(self, one: list[Any], other: list[Any]) -> list[Any]:
        raise NotImplementedError

    def add(self, state: Any, time: int, id_: str, line: Any, value: Any) -> Any:
        if state is None:
            return [self.begin(), [[time, id_, line, value]]]
        recent = state[1]
        entry = [time, id_, line, value]
        if recent and time <= recent[-1][0]:
            insort(recent, entry, key=_PLACE)
        else:
            recent.append(entry)
        if recent[0][0] < recent[-1][0] - self.lateness:
            return self._settled(state[0], recent)
        return state

    def read(self, state: Any, now: int) -> Any:
        base = list(state[0])
        for entry in state[1]:
            self.fold(base, entry)
        return self.value(base, now)

    def join(self, one: Any, other: Any) -> Any:
        return self._settled(self.join_bases(one[0], other[0]), sorted(one[1] + other[1], key=_PLACE))

    def _settled(self, base: list[Any], recent: list[Any]) -> list[Any]:
        horizon = recent[-1][0] - self.lateness if recent else 0
        while recent and recent[0][0] < horizon:
            self.fold(base, recent.pop(0))
        return [base, recent]


class Score(Ordered):
    """A sum that can forget. A contribution's value is (amount, once_per in ms or 0).

    `once_per`: of a run of events of one line with gaps shorter than that only the first adds. `half_life` (ms, 0:
    none) halves the sum in that time. `reset_after` (ms, 0: never): the sum is 0 again after so long without any
    of its events. A base is [sum, time of the newest event, {line: time of its newest event}].
    """

    def __init__(self, lateness: int, half_life: int, reset_after: int) -> None:
        super().__init__(lateness)
        self.half_life = half_life
        self.reset_after = reset_after

    def begin(self) -> list[Any]:
        return [0.0, 0, {}]

    def fold(self, base: list[Any], entry: list[Any]) -> None:
        time, _, line, (amount, once_per) = entry
        total = self._aged(base[0], time - base[1]) if base[1] else 0.0
        if once_per:
            before = base[2].get(str(line))
            base[2] = {**base[2], str(line): max(time, before or time)}
            if before is not None and time - before < once_per:
                amount = 0
        base[0] = total + amount
        base[1] = max(base[1], time)

    def value(self, base: list[Any], now: int) -> Any:
        return self._aged(base[0], now - base[1])

    def join_bases(self, one: list[Any], other: list[Any]) -> list[Any]:
        newest = max(one[1], other[1])
        total = sum(self._aged(base[0], newest - base[1]) for base in (one, other) if base[1])
        lines = {line: max(one[2].get(line, 0), other[2].get(line, 0)) for line in {**one[2], **other[2]}}
        return [total, newest, lines]

    def _aged(self, total: float, age: int) -> float:
        if age <= 0:
            return total
        if self.reset_after and age >= self.reset_after:
            return 0.0
        return float(total * 0.5 ** (age / self.half_life)) if self.half_life else total


class Basket(Ordered):
    """A cart: {"id", "lines": [{"sku", "qty"}], "channel", "at"}; its total is added where prices are known.

    A contribution's value is [word, sku, qty, id, channel] with the words "add", "remove", "empty". A base is
    [{sku: qty}, id, channel, at, when emptied]. After `keep_for` (ms, 0: never) untouched it is empty.
    """

    def __init__(self, lateness: int, keep_for: int = 0) -> None:
        super().__init__(lateness)
        self.keep_for = keep_for

    def begin(self) -> list[Any]:
        return [{}, "", "", 0, 0]

    def fold(self, base: list[Any], entry: list[Any]) -> None:
        time, _, _, (word, sku, qty, name, channel) = entry
        lines = {} if word == "empty" or self._is_over(base, time) else dict(base[0])
        if word == "add":
            lines[sku] = lines.get(sku, 0) + qty
        elif word == "remove":
            left = lines.pop(sku, 0) - qty
            if left > 0:
                lines[sku] = left
        lines = _newest_lines(lines)
        emptied = time if word == "empty" else base[4]
        base[:] = [lines, name or base[1], channel, time, emptied]

    def _is_over(self, base: list[Any], now: int) -> bool:
        return bool(self.keep_for) and now - base[3] >= self.keep_for

    def value(self, base: list[Any], now: int) -> Any:
        if self._is_over(base, now):
            return None
        lines = [{"sku": sku, "qty": qty} for sku, qty in base[0].items()]
        return {"id": base[1] if lines else "", "lines": lines, "channel": base[2], "at": base[3]}

    def join_bases(self, one: list[Any], other: list[Any]) -> list[Any]:
        """The union of the lines with the larger quantity; the newer one's name, channel and time.

        Of two that were touched at once it is no matter which is the newer, if only it is always the same.
        """
        old, new = sorted((one, other), key=lambda base: (base[3], base[1], base[2], list(base[0].items())))
        left = {} if self._is_over(old, new[3]) else old[0]
        lines = {sku: max(left.get(sku, 0), new[0].get(sku, 0)) for sku in {**left, **new[0]}}
        return [_newest_lines(lines), new[1] or old[1], new[2], new[3], max(one[4], other[4])]


def _newest_lines(lines: dict[str, Any]) -> dict[str, Any]:
    """Keep one customer's record bounded: of very many lines the ones that were begun first go."""
    surplus = len(lines) - _LINES_KEPT
    return lines if surplus <= 0 else dict(list(lines.items())[surplus:])
