"""The topic `bundles` as read so far: files by hash, the files of each release, the release that counts. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

_RELEASE: Final = "/release"
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What is raised for a record of a topic held whole that is none of ours: to be left aside, whoever wrote it."""


class Listed(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the topic says of one release.

    Attributes:
        release: its content hash.
        files: path -> hash of the file.
        published_at: when it was published last (ms); 0 where an earlier version of this software did.
        versions: scenario -> version; None where an earlier version of this software published it.
        retired_at: since when (ms) nobody is on it and workers do without it; 0 where they hold it.
    """

    release: str
    files: dict[str, str] = {}
    published_at: int = 0
    versions: dict[str, int] | None = None
    retired_at: int = 0


class _Word(msgspec.Struct):
    """Which release counts."""

    release: str


_decode_list: Final = msgspec.json.Decoder(Listed).decode
_decode_word: Final = msgspec.json.Decoder(_Word).decode


class Releases:
    """What has been published. Records are applied in the order of the topic's one partition.

    `current` is the release of each tenant that counts; `taken`, the one that the reader says it runs on; `recalled`,
    retired ones that the reader says somebody is on after all.
    """

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._lists: dict[tuple[str, str], Listed] = {}
        self.current: dict[str, str] = {}
        self.taken: dict[str, str] = {}
        self.recalled: set[str] = set()

    def apply(self, key: bytes, value: bytes | None) -> str | None:
        """Take over one record; a value of None takes away what its key holds.

        Returns:
            The tenant whose current release this record names, None for any other record.

        Raises:
            Exception: one of `UNREADABLE`; the record is none of ours, and nothing has changed.
        """
        tenant, found, release = key.decode().partition(_RELEASE)
        if not found:
            self._keep(tenant, value)
            return None
        if release:
            self._list(tenant, release[1:], value)
            return None
        if value is None:
            self.current.pop(tenant, None)
            return None
        self.current[tenant] = _decode_word(value).release
        return tenant

    def is_news(self, tenant: str) -> bool:
        """Whether the release that counts is another than the one `taken`: published again, it changes nothing."""
        return self.current[tenant] != self.taken.get(tenant)

    def files(self, tenant: str, release: str) -> Mapping[str, bytes] | None:
        """Path -> bytes of a release; None as long as not all of it is here."""
        listed = self._lists.get((tenant, release))
        if listed is None or any(blob not in self._blobs for blob in listed.files.values()):
            return None
        return {path: self._blobs[blob] for path, blob in listed.files.items()}

    def lists(self, tenant: str) -> list[Listed]:
        """What is known of every release of a tenant, in the order in which they came, retired ones too."""
        return [listed for (owner, _), listed in self._lists.items() if owner == tenant]

    def held(self, tenant: str) -> list[str]:
        """The releases of a tenant that somebody may be on, in the order in which they came."""
        return [one.release for one in self.lists(tenant) if not self._is_retired(tenant, one)]

    def retired(self, tenant: str) -> list[str]:
        """Those that nobody is on."""
        return [one.release for one in self.lists(tenant) if self._is_retired(tenant, one)]

    def asleep(self, tenant: str) -> dict[tuple[str, int], str]:
        """(scenario, version) -> the newest retired release that has it, where none that is held does."""
        held = {
            version for one in self.lists(tenant) if not self._is_retired(tenant, one) for version in _versions(one)
        }
        retired = [one for one in self.lists(tenant) if self._is_retired(tenant, one)]
        return {version: one.release for one in retired for version in _versions(one) if version not in held}

    def _is_retired(self, tenant: str, listed: Listed) -> bool:
        held = listed.release in self.recalled or listed.release == self.current.get(tenant)
        return bool(listed.retired_at) and not held

    def before(self, tenant: str) -> list[str]:
        """The releases of a tenant to go back to where the one that counts cannot be read, the newest first.

        Who starts while that one counts has none of before; without this it would do nothing for the tenant.
        """
        return [release for release in reversed(self.held(tenant)) if release != self.current.get(tenant)]

    def to_build(self, tenant: str) -> list[str]:
        """The releases of a tenant in the order in which a worker builds them: each then knows those before it.

        The one that counts is the last. Where that is an earlier one again, it also stands in its old place: those
        that came after it must know it, for partitions may still stand on them.
        """
        current = self.current.get(tenant)
        if current is None:
            return []
        held = self.held(tenant)
        return held if held[-1:] == [current] else [*held, current]

    def _keep(self, blob: str, value: bytes | None) -> None:
        if value is None:
            self._blobs.pop(blob, None)
        else:
            self._blobs[blob] = value

    def _list(self, tenant: str, release: str, value: bytes | None) -> None:
        if value is None:
            self._lists.pop((tenant, release), None)
        else:
            self._lists[tenant, release] = _decode_list(value)


def _versions(listed: Listed) -> Iterable[tuple[str, int]]:
    return (listed.versions or {}).items()
