"""The topic `bundles` as read so far: files by hash, the files of each release, the release that counts. Pure."""

from collections.abc import Mapping
from typing import Final

import msgspec

_RELEASE: Final = "/release"
UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What is raised for a record of a topic held whole that is none of ours: to be left aside, whoever wrote it."""


class _Release(msgspec.Struct):
    release: str
    files: dict[str, str] = {}


_decoder: Final = msgspec.json.Decoder(_Release)


class Releases:
    """What has been published. Records are applied in the order of the topic's one partition.

    `current` is the release of each tenant that counts; `taken`, the one that the reader says it runs on.
    """

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._files: dict[tuple[str, str], Mapping[str, str]] = {}
        self.current: dict[str, str] = {}
        self.taken: dict[str, str] = {}

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
        self.current[tenant] = _decoder.decode(value).release
        return tenant

    def is_news(self, tenant: str) -> bool:
        """Whether the release that counts is another than the one `taken`: published again, it changes nothing."""
        return self.current[tenant] != self.taken.get(tenant)

    def files(self, tenant: str, release: str) -> Mapping[str, bytes] | None:
        """Path -> bytes of a release; None as long as not all of it is here."""
        listed = self._files.get((tenant, release))
        if listed is None or any(blob not in self._blobs for blob in listed.values()):
            return None
        return {path: self._blobs[blob] for path, blob in listed.items()}

    def known(self, tenant: str) -> list[str]:
        """Every release of a tenant whose list of files is here, in the order in which they came."""
        return [release for owner, release in self._files if owner == tenant]

    def before(self, tenant: str) -> list[str]:
        """The releases of a tenant to go back to where the one that counts cannot be read, the newest first.

        Who starts while that one counts has none of before; without this it would do nothing for the tenant.
        """
        return [release for release in reversed(self.known(tenant)) if release != self.current.get(tenant)]

    def to_build(self, tenant: str) -> list[str]:
        """The releases of a tenant in the order in which a worker builds them: each then knows those before it.

        The one that counts is the last. Where that is an earlier one again, it also stands in its old place: those
        that came after it must know it, for partitions may still stand on them.
        """
        current = self.current.get(tenant)
        if current is None:
            return []
        known = self.known(tenant)
        return known if known[-1:] == [current] else [*known, current]

    def _keep(self, blob: str, value: bytes | None) -> None:
        if value is None:
            self._blobs.pop(blob, None)
        else:
            self._blobs[blob] = value

    def _list(self, tenant: str, release: str, value: bytes | None) -> None:
        if value is None:
            self._files.pop((tenant, release), None)
        else:
            self._files[tenant, release] = _decoder.decode(value).files
