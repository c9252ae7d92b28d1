"""The smallest story on which the two disagree: whatever can be left out of a bundle and of a stream is left out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST: Final = 60.0
"""Seconds; then the smallest story found so far has to do."""


class Plain(yaml.CSafeDumper):
    """YAML without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def written(documents: Any) -> str:
    return yaml.dump_all(documents, Dumper=Plain, sort_keys=False, width=118)


def smallest(
    texts: tuple[str, ...], stream: Sequence[Any], disagree: Callable[[tuple[str, ...], list[Any]], bool]
) -> tuple[tuple[str, ...], list[Any]]:
    """Leave out events, documents and parts of documents as long as the two still disagree.

    Args:
        texts: bundles as YAML, one for each release.
        stream: what arrives.
        disagree: whether these bundles and this stream still show it; False too where a bundle does not load.
    """
    until = time.monotonic() + LONGEST
    best = ([list(yaml.safe_load_all(text)) for text in texts], list(stream))
    smaller = True
    while smaller and time.monotonic() < until:
        smaller = False
        for documents, left in _less(*best):
            if time.monotonic() > until:
                break
            if disagree(tuple(written(one) for one in documents), left):
                best, smaller = (documents, left), True
                break
    return tuple(written(one) for one in best[0]), best[1]


def _less(documents: Any, stream: list[Any]) -> Iterator[tuple[Any, list[Any]]]:
    """Every way to leave one thing out, large ones first."""
    for size in (8, 4, 2, 1):
        for place in range(0, len(stream), size):
            yield documents, stream[:place] + stream[place + size :]
    fewer = [documents[:release] + documents[release + 1 :] for release in range(1, len(documents))]
    for release, one in enumerate(documents):
        fewer += [[*documents[:release], less, *documents[release + 1 :]] for less in _without(one)]
    by_size = sorted(fewer, key=lambda one: len(str(one)))
    for one in by_size:
        yield one, stream


def _without(value: Any) -> Iterator[Any]:
    """A value without one of its parts, however deep."""
    places = range(len(value)) if isinstance(value, list) else list(value) if isinstance(value, dict) else ()
    for place in places:
        rest: Any = value.copy()
        del rest[place]
        yield rest
        for less in _without(value[place]):
            changed: Any = value.copy()
            changed[place] = less
            yield changed
