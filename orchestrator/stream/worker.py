"""The worker: the lane with the customers' core, the bundles and facts it runs on, and its answers to questions."""

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.language.bundle import Bundle, EventSchemas, LoadResult, load_bundle
from orchestrator.stream.addresses import is_loopback
from orchestrator.stream.answering import CoreAnswering
from orchestrator.stream.asking import AskServer
from orchestrator.stream.asking_announce import Announcer
from orchestrator.stream.asking_progress import Progress
from orchestrator.stream.clock import wall_clock
from orchestrator.stream.connection import Connection
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane_settings import BatchCounts, LaneError, LaneHooks, LaneSettings
from orchestrator.stream.publishing import TOPIC as BUNDLES
from orchestrator.stream.refusal import why_refused
from orchestrator.stream.releases import UNREADABLE, Releases
from orchestrator.stream.run import Lane, run_lane
from orchestrator.stream.shared_topics import CompactedTopic, VersionedTopic
from orchestrator.stream.tokens import SignedTokens
from orchestrator.stream.worker_figures import WorkerFigures

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program

APP_ID: Final = "orchestrator"
TABLE: Final = "customers"
CHANGELOG: Final = f"{APP_ID}-{TABLE}-changelog"


class WorkerParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is made of.

    `ask_keys` are what gateways may present to it, the current one first. Without any it answers this machine only.

    Raises:
        LaneError: it would answer other machines without asking who they are.
    """

    connection: Connection
    partitions: int
    data_dir: Path
    channels: Sequence[str]
    schemas: EventSchemas
    tenant: str = "default"
    name: str = "worker"
    host: str = "127.0.0.1"
    bind: str = "127.0.0.1"
    port: int = 0
    session_timeout: int = 6_000
    commit_interval: int = 200
    ask_keys: Sequence[str] = ()
    link_keys: Sequence[bytes] = ()
    figures: WorkerFigures

    def __post_init__(self) -> None:
        if not self.ask_keys and not is_loopback(self.bind):
            raise LaneError(
                f"without a key a worker answers questions of this machine only, not on {self.bind}: set "
                "worker.ask_key, the same for workers and gateways, or leave worker.bind at 127.0.0.1"
            )


def tune_collector() -> None:
    """Look for cycles rarely: customers' records are plain data without any, and a full look visits them all.

    Nothing happens during a look, so what is young is looked at in portions: 15 ms for one of these, where one of
    500,000 objects took 100 and more.
    """
    gc.set_threshold(50_000, 50, 100)


def run_worker(parts: WorkerParts) -> int:
    """Run until SIGTERM or SIGINT, or until something fails. Blocks; call it in the main thread.

    Returns:
        The exit code: 0 after a stop that was asked for, 1 after a failure.
    """
    tune_collector()
    worker = _Worker(parts)
    settings = LaneSettings(
        app_id=APP_ID,
        table=TABLE,
        connection=parts.connection,
        partitions=parts.partitions,
        data_dir=parts.data_dir,
        session_timeout=parts.session_timeout,
        commit_interval=parts.commit_interval,
    )
    code = run_lane(worker.core, settings, hooks=worker.hooks(), attachments=[worker.shared, worker.asking])
    return 1 if worker.failed else code


class _Built(NamedTuple):
    """What became of a release: nothing where not all of its files are here, no bundle where it has errors."""

    result: LoadResult | None
    bundle: Bundle | None = None
    program: "Program | None" = None


class _Worker:
    """One worker's parts in one event loop."""

    def __init__(self, parts: WorkerParts) -> None:
        self.parts = parts
        self.facts = Facts()
        self.releases = Releases()
        self.programs: dict[str, Program] = {}
        self._retired: set[str] = set()
        self.redeem_once = True
        tokens = SignedTokens(parts.link_keys, parts.tenant, lambda: self.redeem_once) if parts.link_keys else None
        self.core = CustomerCore(None, self.facts, parts.channels, parts.partitions, tokens)
        self.core.recall = self._recall
        self.progress = Progress()
        self.announcer: Announcer | None = None
        self.lane: Lane | None = None
        self.failed = False
        self._published = asyncio.Event()
        self._started = False
        self._announcing: set[asyncio.Task[None]] = set()

    def hooks(self) -> LaneHooks:
        figures = self.parts.figures
        return LaneHooks(
            on_assigned=figures.assigned,
            on_ready=self._ready,
            on_revoked=self._revoked,
            on_progress=figures.progress,
            on_lag=lambda behind: figures.looked(behind, self.core),
            on_batch=self._decided,
            on_durable=self._durable,
        )

    def _decided(self, batch: BatchCounts) -> None:
        self.progress.on_batch(batch)
        self.parts.figures.batch(batch, self.core)

    def _durable(self, partition: int, offsets: Mapping[str, int]) -> None:
        self.progress.on_durable(partition, offsets)
        self.parts.figures.durable(partition, wall_clock())

    # Bundles and facts, held whole.

    @contextlib.asynccontextmanager
    async def shared(self, lane: Lane) -> AsyncIterator[None]:
        """Everything published and every row is here before the first customer event; later ones as they come."""
        topics = [
            CompactedTopic(BUNDLES, self._bundle_rows, connection=self.parts.connection),
            VersionedTopic("facts", self._fact_rows, connection=self.parts.connection),
        ]
        async with contextlib.AsyncExitStack() as stack:
            for topic in topics:
                await stack.enter_async_context(topic)
            for topic in topics:
                await topic.ready()
                topic.when_failed(lambda error: self._crash(lane, error))  # a worker that misses rows must not go on
            await self._first_release()
            yield

    async def _first_release(self) -> None:
        """Take what is published; where there is no release to run on, wait for one. Later ones are taken as they come.

        What was refused would be refused again, and to find that out takes the loop's time: so it waits for another.
        """
        await self._take_all()
        if not self.releases.taken:
            self.parts.figures.waiting_for_bundle()
        while not self.releases.taken:
            self._published.clear()
            await self._published.wait()
            await self._take_all()
        self._started = True
        self._let_go()

    async def _bundle_rows(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            try:
                tenant = self.releases.apply(key, value)
            except UNREADABLE:
                self.parts.figures.left_aside(BUNDLES)
                continue
            if tenant == self.parts.tenant and self._started and self.releases.is_news(tenant):
                await self._take_beside(self.releases.current[tenant])
        if self._started:
            self._let_go()
        self._published.set()

    async def _take_all(self) -> None:
        """The current release, and the earlier ones that partitions or instances may still stand on.

        Where the current one has errors, the newest without counts, as for a worker that was there before it.
        """
        taken: set[str] = set()
        while True:
            *earlier, current = self.releases.to_build(self.parts.tenant) or [""]
            release = next((each for each in earlier if each not in taken), "")
            if not release:
                break
            taken.add(release)
            await self._take_beside(release, current=False)
        for release in [current, *self.releases.before(self.parts.tenant)] if current else []:
            if await self._take_beside(release):
                break

    async def _take_beside(self, release: str, current: bool = True) -> bool:
        """Take a release that a thread of its own reads and builds, so that events and questions go on meanwhile.

        Where what it was built on has changed by then (a release was recalled), it is built again.
        """
        while True:
            known = self.programs
            built = await asyncio.to_thread(
                self._build, self.releases.files(self.parts.tenant, release), release, known
            )
            if self.programs is known:
                return self._take(release, built, current)

    def _build(self, files: Mapping[str, bytes] | None, release: str, known: Mapping[str, "Program"]) -> "_Built":
        """A release, and its program on those that are known."""
        result = load_bundle(files, self.parts.schemas) if files is not None else None
        if result is None or result.bundle is None:
            return _Built(result)
        older = [program for name, program in known.items() if name != release]
        return _Built(result, result.bundle, build_program(result.bundle, older))

    def _take(self, release: str, built: "_Built", current: bool = True) -> bool:
        """Know a release, and run on it where it is the current one; whether it has no errors."""
        bundle, program = built.bundle, built.program
        if bundle is None or program is None:
            why = why_refused(built.result) if built.result is not None else (1, "E-MISSING", BUNDLES)
            self.parts.figures.bundle_refused(release, *why)
            return False
        self.programs = {**self.programs, release: program}
        if not current:
            self.core.know(program)
            return True
        self.facts.rebase(program.base_facts)
        self.redeem_once = bundle.identity is None or bundle.identity.tokens.redeem == "once"
        self.core.publish(program)
        self.releases.taken[self.parts.tenant] = release
        self.parts.figures.bundle_taken(release, len(program.scenarios))
        signed = [name for name, channel in bundle.channels.items() if channel.sign_links]
        if signed and not self.parts.link_keys:
            self.parts.figures.link_key_missing(signed)
        return True

    def _let_go(self) -> None:
        """Retired releases are held no longer, but what a partition here runs on; those put back are built again."""
        tenant, before = self.parts.tenant, self._retired
        running = {partition.release for partition in self.core.all_owned()}
        self.releases.recalled |= running.intersection(self.releases.retired(tenant))
        self._retired = retired = {*self.releases.retired(tenant)}
        self.programs = {release: program for release, program in self.programs.items() if release not in retired}
        if before - retired - self.programs.keys():
            self._build_anew()
        self.core.retire(retired, self.releases.asleep(tenant))
        self.parts.figures.holds(len(self.programs))

    def _recall(self, release: str) -> None:
        """Somebody is on a retired release: a change to it was on its way, or a customer, when nobody seemed to be.

        It takes the loop's time, and happens once; `orchestrator releases --retire` finds who is on it, and puts it
        back for all workers.
        """
        self.releases.recalled.add(release)
        self._retired.discard(release)
        self._build_anew()
        self._let_go()

    def _build_anew(self) -> None:
        """All that is held, each knowing those before it."""
        tenant = self.parts.tenant
        self.programs = {}
        *earlier, current = self.releases.to_build(tenant)
        for release in [*earlier, *([current] if current == self.releases.taken[tenant] else [])]:
            built = self._build(self.releases.files(tenant, release), release, self.programs)
            self._take(release, built, current=release == current)

    def _fact_rows(self, rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            try:
                tenant, _, rest = key.decode().partition("/")
                row = msgspec.json.decode(value, type=dict[str, Any] | None) if value is not None else None
            except UNREADABLE:
                self.parts.figures.left_aside("facts")
                continue
            fact, _, name = rest.partition("/")
            if tenant == self.parts.tenant:
                self.core.fact_row(fact, name, row)

    # Questions.

    @contextlib.asynccontextmanager
    async def asking(self, lane: Lane) -> AsyncIterator[None]:
        """Answer questions beside the lane, and announce which partitions are answered here."""
        parts, self.lane = self.parts, lane
        answering = CoreAnswering(self.core, lambda: lane.heard_ago() < parts.session_timeout)
        server = AskServer(
            answering=answering,
            progress=self.progress,
            send=lane.send,
            crash=lambda error: self._crash(lane, error),
            partitions=parts.partitions,
            observer=parts.figures,
            now=wall_clock,
            clock=time.monotonic,
            keys=parts.ask_keys,
        )
        port = await _listening(server, parts.bind, parts.port)
        self.announcer = Announcer(lane.send, parts.name, f"{parts.host}:{port}")
        again = asyncio.ensure_future(self.announcer.run())
        again.add_done_callback(self._announced)
        parts.figures.answering(port)
        try:
            yield
        finally:
            again.cancel()
            await server.stop()

    def _crash(self, lane: Lane, error: BaseException) -> None:
        self.failed = True
        self.parts.figures.failed(error)
        lane.stop()

    def _ready(self, partition: int) -> None:
        self.parts.figures.ready(partition, self.core)
        owned = self.core.owned(partition)
        if self.announcer is not None and owned is not None:
            task = asyncio.ensure_future(self.announcer.recovered(partition, owned.number))
            self._announcing.add(task)
            task.add_done_callback(self._announced)

    def _announced(self, task: "asyncio.Task[None]") -> None:
        """A worker that cannot say what it owns cannot be asked: it must not go on silently."""
        self._announcing.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and self.lane is not None:
            self._crash(self.lane, error)

    def _revoked(self, partition: int) -> None:
        self.progress.on_revoked(partition)
        self.parts.figures.revoked(partition)
        if self.announcer is not None:
            self.announcer.revoked(partition)


async def _listening(server: AskServer, host: str, port: int) -> int:
    """Start a server, and give its port.

    Raises:
        LaneError: the address cannot be had.
    """
    try:
        return await server.start(host, port)
    except OSError as error:
        await server.stop()
        why = os.strerror(error.errno) if error.errno else str(error)
        raise LaneError(
            f"cannot answer questions on {host}:{port}: {why}; choose another: worker.port, worker.bind"
        ) from error
