"""The current release of each tenant, as the topic `bundles` tells of it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from orchestrator.gateway.observer import Observer
from orchestrator.gateway.release_rules import BundleRules
from orchestrator.gateway.rules import ReleaseRules
from orchestrator.language.bundle import EventSchemas, LoadResult, load_bundle
from orchestrator.language.source.diagnostic import Severity
from orchestrator.stream.releases import UNREADABLE, Releases


class PublishedReleases:
    """`Releases` from the topic's records.

    A release is read in a thread of its own when its word comes, so that requests are answered meanwhile by the
    release before. One that has errors never replaces one that has none.

    Args:
        load: reads and checks a bundle's files (path -> bytes).
        observer: told which release is taken or refused.
    """

    def __init__(self, load: Callable[[Mapping[str, bytes]], LoadResult], observer: Observer) -> None:
        self._load = load
        self._observer = observer
        self._published = Releases()
        self._changed: set[str] = set()
        self._rules: dict[str, ReleaseRules] = {}
        self._news = asyncio.Event()
        self._caught_up = False

    def learn(self, key: bytes, value: bytes | None) -> None:
        """Take in one record of the topic.

        Raises:
            ValueError: it is none that belongs there.
        """
        try:
            tenant = self._published.apply(key, value)
        except UNREADABLE as error:
            raise ValueError("a record of the topic bundles has a value that is none of ours") from error
        if tenant is not None:
            self._changed.add(tenant)
            self._news.set()

    def rules(self, tenant: str) -> ReleaseRules | None:
        return self._rules.get(tenant)

    @property
    def ready(self) -> bool:
        """Whether there is a release, and every tenant whose release was published before this start has its own.

        One tenant's release is not enough: the requests of the others would be refused until theirs is read.
        """
        return self._caught_up and bool(self._rules)

    async def run(self, complete: Callable[[], Awaitable[None]]) -> None:
        """Read releases as they come, until cancelled.

        Args:
            complete: waits until the topic has been read once, so that old releases are not read one by one.
        """
        await complete()
        while True:
            self._news.clear()
            changed, self._changed = self._changed, set()
            for tenant in changed & self._published.current.keys():
                if self._published.is_news(tenant):
                    await self._follow(tenant)
            self._caught_up = True
            await self._news.wait()

    async def _follow(self, tenant: str) -> None:
        """Take the release that counts; where that has errors, the one of before stays, or is looked for."""
        if await self._take(tenant, self._published.current[tenant]) or tenant in self._rules:
            return
        for release in self._published.before(tenant):
            if await self._take(tenant, release):
                return

    async def _take(self, tenant: str, release: str) -> bool:
        """Judge a tenant's requests by this release from here on, unless it has errors; whether it has none."""
        files = self._published.files(tenant, release)
        if files is None:
            self._observer.release_refused(release, 1, "E-MISSING", "the topic bundles")
            return False
        result = await asyncio.to_thread(self._load, files)
        if result.bundle is None:
            errors = [one for one in result.diagnostics if one.severity is Severity.ERROR]
            place = f"{errors[0].position.file}:{errors[0].position.line}"
            self._observer.release_refused(release, len(errors), errors[0].code, place)
            return False
        self._rules[tenant] = BundleRules(result.bundle)
        self._published.taken[tenant] = release
        self._observer.release_taken(release, len(result.bundle.scenarios))
        signed = [name for name, channel in result.bundle.channels.items() if channel.sign_links]
        if signed:
            self._observer.signs_links(tenant, signed)
        return True


def bundle_loader(schemas: EventSchemas) -> Callable[[Mapping[str, bytes]], LoadResult]:
    """Loads bundles whose events have these properties."""
    return lambda files: load_bundle(files, schemas)
