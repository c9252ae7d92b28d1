"""Which releases nobody is on any more, told from the customers' changelog and what each release has. Pure.

An instance stays on its version of a scenario, and an open task on that of who opened it, so a release has to be held
as long as it is the newest that has a version somebody is on, or a partition still runs on it.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.model.codec import decode_node
from orchestrator.model.customer import Customer, PartitionState
from orchestrator.rehearsal.census import Writers

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Version = tuple[str, int]
"""A scenario's name and version."""

COUNTS: Final = "counts"
BEFORE: Final = "before"
STANDING: Final = "standing"
IN_USE: Final = "in_use"
UNREADABLE: Final = "unreadable"
FREE: Final = "free"
RETIRED: Final = "retired"
NEEDED: Final = frozenset({STANDING, IN_USE})
ALWAYS_HELD: Final = 2
"""The release that counts, and the one before it."""


class InUse:
    """What customers are on, by the newest value of each, as a worker would recover it.

    Who is moving to another partition is counted where they leave until they have arrived.

    Args:
        tenant: whose customers.
        partitions: of the changelog.
    """

    def __init__(self, tenant: str, partitions: int) -> None:
        self._prefix = f"{tenant}/".encode()
        self._writers = Writers(partitions)
        self._versions: dict[bytes, tuple[Version, ...]] = {}
        self._releases: dict[bytes, str] = {}

    def take(self, key: bytes, value: bytes | None) -> None:
        """A record of the changelog.

        Raises:
            UnknownVersionError: a newer release of this software wrote it.
        """
        if not self._writers.passes(key, value) or not key.startswith(self._prefix):
            return
        self._versions.pop(key, None)
        body = decode_node(value).body if value is not None else None
        if isinstance(body, PartitionState):
            self._releases[key] = body.release
        elif isinstance(body, Customer) and (body.instances or body.tasks):
            on = [(instance.scenario, instance.version) for instance in body.instances]
            self._versions[key] = (*on, *((task.scenario, task.version) for task in body.tasks))

    def versions(self) -> Counter[Version]:
        """How many instances and open tasks are on which version."""
        return Counter(version for versions in self._versions.values() for version in versions)

    def releases(self) -> Counter[str]:
        """How many partitions run on which release."""
        return Counter(self._releases.values())


class Known(NamedTuple):
    """A release that was published.

    Attributes:
        release: its content hash.
        versions: scenario -> version; None where its files have errors.
        retired: workers do without it.
    """

    release: str
    versions: Mapping[str, int] | None
    retired: bool = False

    def has(self, version: Version) -> bool:
        """Whether it has this version of a scenario."""
        name, number = version
        return (self.versions or {}).get(name) == number


class Verdict(NamedTuple):
    """What holds a release.

    Attributes:
        release: its content hash.
        why: `COUNTS`; `STANDING`, partitions run on it; `IN_USE`, somebody is on a version that it alone has;
            `BEFORE`, it counted until the current one; `UNREADABLE`, nobody can say; `FREE`, nothing holds it;
            `RETIRED`, workers do without it. One that is retired and `NEEDED` has to be put back.
        partitions: how many run on it.
        versions: how many instances and open tasks are on each version that it alone has.
    """

    release: str
    why: str
    partitions: int = 0
    versions: Mapping[Version, int] = {}


def judge(
    known: Sequence[Known], current: str, versions: Mapping[Version, int], standing: Mapping[str, int]
) -> list[Verdict]:
    """What holds each release.

    The one before the current stays whatever nobody is on: workers go back to it where they cannot read the current.

    Args:
        known: all releases, in the order in which they were published; the current one anywhere.
        current: the release that counts.
        versions: how many are on which version.
        standing: how many partitions run on which release.
    """
    names = [one.release for one in known if not one.retired and one.release != current]
    needed = _needed(known, current, versions, standing)
    return [
        Verdict(
            one.release,
            _why(one, current, names[-1:], standing, needed),
            standing.get(one.release, 0),
            needed.get(one.release, {}),
        )
        for one in known
    ]


def _why(one: Known, current: str, before: Sequence[str], standing: Mapping[str, int], needed: Collection[str]) -> str:
    if one.release == current:
        return COUNTS
    if one.release in standing:
        return STANDING
    if one.release in needed:
        return IN_USE
    if one.retired:
        return RETIRED
    if one.release in before:
        return BEFORE
    return FREE if one.versions is not None else UNREADABLE


def _needed(
    known: Sequence[Known], current: str, versions: Mapping[Version, int], standing: Mapping[str, int]
) -> dict[str, dict[Version, int]]:
    """Release -> the versions in use for which it has to be held.

    A program has of an earlier version what the newest release before it has. So it is looked from the current
    release on, which knows all others, and from each that a partition still runs on.
    """
    needed: dict[str, dict[Version, int]] = {}
    for place, one in enumerate(known):
        if one.release != current and one.release not in standing:
            continue
        earlier = [*known[:place], *known[place + 1 :]] if one.release == current else known[:place]
        nearest = sorted(earlier, key=lambda each: not each.retired)  # retired ones first: only where no other has it
        for version, number in versions.items():
            having = [each.release for each in nearest if each.has(version)]
            if having and not one.has(version):
                needed.setdefault(having[-1], {})[version] = number
    return needed
