"""Delivery as a process: the lane on `actions`, the bundles beside it, the channels' connections."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from orchestrator.delivery.attempts import Attempts
from orchestrator.delivery.bundle_contents import BundleContents, loader
from orchestrator.delivery.core import DeliveryCore, Tuning
from orchestrator.delivery.figures import WAITING, Figures
from orchestrator.delivery.render.message import Renderer, Site
from orchestrator.delivery.ways import Way
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.language.liquid.templates import Templates
from orchestrator.stream.clock import wall_clock
from orchestrator.stream.lane_settings import LaneError, LaneHooks, LaneSettings
from orchestrator.stream.publishing import TOPIC as BUNDLES
from orchestrator.stream.refusal import why_refused
from orchestrator.stream.releases import UNREADABLE, Releases
from orchestrator.stream.run import Lane, run_lane
from orchestrator.stream.shared_topics import CompactedTopic
from orchestrator.telemetry import EventLog, Recorder, events, metrics

APP_ID: Final = "orchestrator-delivery"
TABLE: Final = "deliveries"
RECORDS_PER_TURN: Final = 16
"""A turn's attempts become durable together, so this bounds the copies that a crash can make at a mail server."""
_TURNS_IN_FLIGHT: Final = 2
MAKE_A_KEY: Final = "set it, the same for delivery, gateway and worker; openssl rand -hex 32 makes one"


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """What a delivery process is made of.

    Attributes:
        lane: see `lane_settings`.
        connection: what aiokafka's clients take to reach the cluster.
        ways: channel -> its way out; actions on any other channel fail, visibly.
        site: where links lead.
        keys: gives a tenant's keys for links, the current one first.
        any_key: whether any tenant has one.
        schemas: the properties of events, which bundles are checked against.
        tuning: how delivery paces itself.
        recorder: where figures go.
    """

    lane: LaneSettings
    connection: Mapping[str, Any]
    ways: Mapping[str, Way]
    site: Site
    keys: Callable[[str], Sequence[bytes]]
    any_key: bool
    schemas: EventSchemas
    tuning: Tuning
    recorder: Recorder


def lane_settings(**options: Any) -> LaneSettings:
    """The lane of delivery; `options` are those of `LaneSettings` that are not delivery's own."""
    return LaneSettings(
        app_id=APP_ID,
        table=TABLE,
        batch_records=RECORDS_PER_TURN,
        batches_in_flight=_TURNS_IN_FLIGHT,
        **options,
    )


def run_delivery(parts: Parts) -> int:
    """Run until SIGTERM or SIGINT, or until something fails. Blocks; call it in the main thread.

    Returns:
        The exit code: 0 after a stop that was asked for, 1 after a failure.

    Raises:
        LaneError: it cannot start as it is set up.
    """
    figures = Figures(parts.recorder)
    releases = Releases()
    contents = BundleContents(releases, loader(parts.schemas))
    attempts = Attempts(contents, Renderer(Templates(), parts.site, parts.keys), parts.ways, figures)
    core = DeliveryCore(
        attempts.attempt,
        contents,
        parts.tuning,
        draw=random.SystemRandom().random,
        clock=wall_clock,
        watch=figures,
    )
    bundles = _Bundles(parts, releases, contents)
    code = run_lane(
        core,
        parts.lane,
        hooks=LaneHooks(on_assigned=figures.assigned, on_lag=figures.looked),
        attachments=[bundles.beside, lambda _: _closing(attempts)],
    )
    return 1 if bundles.failed else code


class _Bundles:
    """The reading of bundles beside the lane; when it ends, delivery does."""

    def __init__(self, parts: Parts, releases: Releases, contents: BundleContents) -> None:
        self._connection = parts.connection
        self._recorder = parts.recorder
        self._log = EventLog(parts.recorder)
        self._releases = releases
        self._contents = contents
        self._schemas = parts.schemas
        self._keys = parts.keys
        self._any_key = parts.any_key
        self._following = asyncio.Lock()
        self._caught_up = False
        self._started = False
        self.failed = False

    @contextlib.asynccontextmanager
    async def beside(self, lane: Lane) -> AsyncIterator[None]:
        def fail(error: BaseException) -> None:
            self._log.emit(events.ProcessFailed("delivery", type(error).__name__))
            self.failed = True
            lane.stop()

        async with CompactedTopic(BUNDLES, self._rows, connection=self._connection) as topic:
            await topic.ready()
            topic.when_failed(fail)
            self._caught_up = True
            for tenant in [*self._releases.current]:
                await self._follow(tenant)
                self._check_key(tenant)
            self._started = True
            yield

    async def _rows(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            try:
                tenant = self._releases.apply(key, value)
            except UNREADABLE:
                self._recorder.add(metrics.DEAD_LETTERS, f"unreadable_{BUNDLES}")
                continue
            if tenant is not None and self._caught_up:  # until then only the last word counts, whatever was before it
                await self._follow(tenant)

    async def _follow(self, tenant: str) -> None:
        """Take over a tenant's release that counts; where none is followed and that one has errors, the one before."""
        async with self._following:
            current = self._releases.current.get(tenant)
            if current is None or not self._releases.is_news(tenant):
                return
            if not await self._take_release(tenant, current):
                await self._go_back(tenant)
            elif self._started:
                self._check_key(tenant)

    async def _go_back(self, tenant: str) -> None:
        """Follow the newest release without errors, where none is followed because the one that counts has some.

        Without any, nobody's quiet hours and no rate limit would be known.
        """
        for release in self._releases.before(tenant):
            if self._contents.follows(tenant) or await self._take_release(tenant, release):
                return

    async def _take_release(self, tenant: str, release: str) -> bool:
        if not await self._contents.take(tenant, release):
            self._log.emit(events.BundleRefused(release, *await self._why(tenant, release)))
            return False
        self._releases.taken[tenant] = release
        self._log.emit(events.BundleTaken(release, self._contents.scenarios(tenant)))
        return True

    async def _why(self, tenant: str, release: str) -> tuple[int, str, str]:
        """How many errors a release has, and the first one's code and place."""
        files = self._releases.files(tenant, release)
        if files is None:
            return 1, "E-MISSING", "the topic bundles"
        return why_refused(await asyncio.to_thread(load_bundle, files, self._schemas))

    def _check_key(self, tenant: str) -> None:
        """Say at once that links cannot be signed, not with each message; refuse to start where no tenant has a key.

        Where others have one, a tenant without must not keep their messages.
        """
        channels = ", ".join(self._contents.signed_channels(tenant))
        if not channels or self._keys(tenant):
            return
        if not self._any_key and not self._started:
            raise LaneError(
                f"the bundle signs the links of its messages on {channels}, and links.key is not set: {MAKE_A_KEY}"
            )
        self._log.emit(events.LinkKeyMissing(channels, WAITING))


@contextlib.asynccontextmanager
async def _closing(attempts: Attempts) -> AsyncIterator[None]:
    try:
        yield
    finally:
        await attempts.close()
