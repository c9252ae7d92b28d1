"""Which rows of `facts` count: a worker that has lost its partition may send one that its successor has overtaken."""

from collections.abc import Iterable
from typing import Final

AT: Final = "at"
"""The header that says when what a row tells of happened: ms since the epoch, as decimal digits."""
_MOST_DIGITS: Final = 15


class Newest:
    """Lets through what is not older than what came before under the same key. Rows without a time always pass."""

    def __init__(self) -> None:
        self._times: dict[bytes, int] = {}

    def passes(self, key: bytes, headers: Iterable[tuple[str, bytes]]) -> bool:
        """Whether a row counts; the next one is compared with it then."""
        at = next((int(value) for name, value in headers if name == AT and _is_time(value)), None)
        if at is None:
            return True
        if at < self._times.get(key, 0):
            return False
        self._times[key] = at
        return True


def _is_time(value: bytes) -> bool:
    return value.isdigit() and len(value) <= _MOST_DIGITS
