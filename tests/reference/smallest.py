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
    releases = [list(yaml.safe_load_all(text)) for text in texts]
    shared = [document for document in releases[0] if "scenario" not in document]
    best: Parts = shared, [[one for one in release if "scenario" in one] for release in releases], list(stream)
    smaller = True
    while smaller and time.monotonic() < until:
        smaller = False
        for parts in _less(*best):
            if time.monotonic() > until:
                break
            if _tell_versions(parts[1]) and disagree(_texts(parts), parts[2]):
                best, smaller = parts, True
                break
    return _texts(best), best[2]


Parts = tuple[list[Any], list[list[Any]], list[Any]]
"""What all releases have in common, the scenarios of each, and the stream."""


def _texts(parts: Parts) -> tuple[str, ...]:
    shared, releases, _ = parts
    return tuple(written([*shared, *scenarios]) for scenarios in releases)


def _tell_versions(releases: list[list[Any]]) -> bool:
    """Whether a scenario that has changed has another version."""
    known: dict[tuple[Any, Any], Any] = {}
    scenarios = [one for release in releases for one in release]
    return all(known.setdefault((one.get("scenario"), one.get("version", 1)), one) == one for one in scenarios)


def _less(shared: list[Any], releases: list[list[Any]], stream: list[Any]) -> Iterator[Parts]:
    """Every way to leave one thing out, large ones first."""
    for size in (8, 4, 2, 1):
        for place in range(0, len(stream), size):
            yield shared, releases, stream[:place] + stream[place + size :]
    fewer = [(shared, [*releases[:place], *releases[place + 1 :]], stream) for place in range(1, len(releases))]
    fewer += [(less, releases, stream) for less in _without(shared)]
    for place, one in enumerate(releases):
        fewer += [(shared, [*releases[:place], less, *releases[place + 1 :]], stream) for less in _without(one)]
    yield from sorted(fewer, key=lambda parts: len(str(parts[:2])))


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
