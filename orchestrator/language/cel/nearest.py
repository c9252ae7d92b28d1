"""Did you mean: the known name that a mistyped one is closest to."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The closest known name, if it is at most a third of its letters away (a swap counts as one); else None."""
    limit = max(1, min(len(name), 12) // 3)
    best: tuple[int, str] | None = None
    for candidate in known:
        if candidate.lower() == name.lower():
            return candidate
        if abs(len(candidate) - len(name)) > limit:
            continue
        found = (distance(name, candidate, limit), candidate)
        if found[0] <= limit and (best is None or found < best):
            best = found
    return best[1] if best else None


def distance(one: str, other: str, limit: int) -> int:
    """Edits (insert, delete, replace, swap of neighbours) between two names; `limit + 1` when there are more."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, previous, row = row, before, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if previous and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, previous[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The hint of a diagnostic, or None when nothing is close."""
    found = nearest(name, known)
    return f"did you mean `{found}`?" if found else None
