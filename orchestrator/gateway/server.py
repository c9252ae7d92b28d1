"""The gateway as a process: what it connects to, what it listens on, and how it ends."""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from orchestrator.gateway.app import Gateway, create_app
from orchestrator.gateway.asking import Asker, HttpTransport
from orchestrator.gateway.buckets import InHand
from orchestrator.gateway.connections import Connection
from orchestrator.gateway.credentials import Credential, Credentials
from orchestrator.gateway.deciding import Decider
from orchestrator.gateway.erasures import Erasures
from orchestrator.gateway.event_log import KafkaEventLog, kafka_producer
from orchestrator.gateway.events import EventCheck
from orchestrator.gateway.figures import Figures
from orchestrator.gateway.intake import Intake
from orchestrator.gateway.owners import AnnouncedOwners
from orchestrator.gateway.releases import PublishedReleases, bundle_loader
from orchestrator.gateway.schemas import compile_schema
from orchestrator.gateway.silence import Silence
from orchestrator.gateway.tokens import LinkTokens
from orchestrator.gateway.unsubscribing import Unsubscribing
from orchestrator.language.bundle import EventSchemas
from orchestrator.model.effect import ERASURES
from orchestrator.stream.addresses import is_loopback
from orchestrator.stream.asking_announce import TOPIC as WORKERS
from orchestrator.stream.clock import wall_clock
from orchestrator.stream.publishing import TOPIC as BUNDLES
from orchestrator.stream.releases import UNREADABLE
from orchestrator.stream.shared_topics import CompactedTopic
from orchestrator.stream.topics import TopicDeclaration, event_schemas
from orchestrator.telemetry.log import EventLog
from orchestrator.telemetry.recorder import Recorder

DRAIN: Final = 15.0
"""Seconds that requests under way, and then what they wrote, have at the end."""


KEEP_ALIVE: Final = 75
"""Seconds. Longer than the usual load balancer (60 s) keeps an idle connection: who closes first may lose a request."""


class UnsafeAddressError(ValueError):
    """Nobody needs a key, and not only this machine could reach the gateway."""


@dataclass(frozen=True)
class GatewayOptions:
    """What a gateway is told.

    Attributes:
        connection: how to reach Kafka, as aiokafka's clients take it: `bootstrap_servers` and security.
        topics: the declared topics.
        partitions: of each input topic.
        host: the address to listen on.
        port: 0 takes a free one.
        credentials: who may do what; without any, everybody on this machine may do everything.
        link_keys: tenant -> the keys that sign its links, the current one first.
        ask_key: what workers want presented; empty for none.
        in_hand: bytes of bodies and of events that wait for the broker, at most.
        ack_seconds: how long the broker may take to acknowledge.
        refuse_undeclared: whether types and properties that nobody declares are refused rather than remarked on.
    """

    connection: Mapping[str, Any]
    topics: Sequence[TopicDeclaration]
    partitions: int
    host: str = "127.0.0.1"
    port: int = 8080
    credentials: Sequence[Credential] = ()
    link_keys: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    ask_key: str = field(default="", repr=False)
    in_hand: int = 64 * 1024 * 1024
    ack_seconds: float = 5.0
    refuse_undeclared: bool = False

    def __post_init__(self) -> None:
        if not self.credentials and not is_loopback(self.host):
            raise UnsafeAddressError(
                f"without keys the gateway listens on this machine only, not on {self.host}: "
                "set gateway.keys.NAME.key, or leave gateway.host at 127.0.0.1"
            )


async def serve(
    options: GatewayOptions, recorder: Recorder, log: EventLog, listening: Callable[[int], None], stop: asyncio.Event
) -> None:
    """Run a gateway until `stop` is set or SIGTERM or SIGINT comes; then finish what was accepted, and return.

    Args:
        options: see there.
        recorder: keeps the figures.
        log: writes log events.
        listening: called with the port once requests are taken.
        stop: ends it.

    Raises:
        KafkaError: no broker answers.
        LaneError: the topics have not been created.
        OSError: the address cannot be listened on.
    """
    listener = _listen(options.host, options.port)
    try:
        async with _running(options, recorder, log) as (app, followers):
            server = _Server(_uvicorn(app))
            ended = asyncio.create_task(server.serve(sockets=[listener]), name="http")
            try:
                with _stopped_by_signals(stop):
                    listening(listener.getsockname()[1])
                    await _until(stop, [ended, *followers])
            finally:
                server.should_exit = True
                await ended
    finally:
        listener.close()


@contextlib.asynccontextmanager
async def _running(
    options: GatewayOptions, recorder: Recorder, log: EventLog
) -> AsyncIterator[tuple[FastAPI, list[asyncio.Task[None]]]]:
    """The application with everything that it needs, connected; and the tasks that must not end."""
    figures = Figures(recorder, log, options.link_keys.keys())
    schemas = event_schemas(options.topics)
    releases = PublishedReleases(bundle_loader(_typed(options.topics)), figures)
    owners = AnnouncedOwners(options.partitions)
    silence = Silence(time.monotonic, figures.broker_silent)
    events = KafkaEventLog(lambda: kafka_producer(options.connection), figures.renewed, silence)
    transport = HttpTransport(options.ask_key)
    async with AsyncExitStack() as stack:
        await transport.start()
        stack.push_async_callback(transport.stop)
        await events.start()
        stack.push_async_callback(events.stop, DRAIN)
        bundles = await stack.enter_async_context(_follow(BUNDLES, releases.learn, figures, options.connection))
        workers = await stack.enter_async_context(_follow(WORKERS, owners.learn, figures, options.connection))
        erasures = Erasures(releases, events, wall_clock, options.ack_seconds)
        receipts = await stack.enter_async_context(_follow(ERASURES, erasures.learn, figures, options.connection))
        failures = [_task(topic.failed()) for topic in (bundles, workers, receipts)]
        followers = [*failures, _task(releases.run(bundles.ready))]
        stack.push_async_callback(_cancel, followers)
        gateway = _assemble(
            options,
            figures,
            schemas,
            releases,
            owners,
            events,
            transport,
            recorder,
            lambda: workers.caught_up,
            erasures,
        )
        stack.push_async_callback(gateway.intake.finish)
        yield create_app(gateway), followers


def _assemble(
    options: GatewayOptions,
    figures: Figures,
    schemas: Mapping[str, Mapping[str, Mapping[str, Any]]],
    releases: PublishedReleases,
    owners: AnnouncedOwners,
    events: KafkaEventLog,
    transport: HttpTransport,
    recorder: Recorder,
    owners_known: Callable[[], bool],
    erasures: Erasures,
) -> Gateway:
    credentials = Credentials(options.credentials, time.monotonic)
    tokens = LinkTokens(options.link_keys)
    in_hand = InHand(options.in_hand, len(credentials.tenants))
    checks = {
        channel: {name: compile_schema(schema, f"channel.{channel}: {name}") for name, schema in types.items()}
        for channel, types in schemas.items()
    }
    intake = Intake(
        check=EventCheck(checks, tokens),
        releases=releases,
        credentials=credentials,
        log=events,
        in_hand=in_hand,
        observer=figures,
        now=wall_clock,
        clock=time.monotonic,
        ack_seconds=options.ack_seconds,
        refuse_undeclared=options.refuse_undeclared,
    )
    decider = Decider(
        intake=intake,
        asker=Asker(owners, transport, time.monotonic, locked_out=figures.locked_out),
        tokens=tokens,
        credentials=credentials,
        observer=figures,
        now=wall_clock,
        clock=time.monotonic,
    )
    return Gateway(
        intake=intake,
        decider=decider,
        credentials=credentials,
        observer=figures,
        clock=time.monotonic,
        in_hand=in_hand,
        parts_ready=lambda: {"broker": events.ready, "release": releases.ready, "owners": owners_known()},
        metrics=recorder.page,
        schemas=schemas,
        unsubscribing=Unsubscribing(intake, tokens, figures, wall_clock, time.monotonic),
        erasures=erasures,
    )


class _Server(uvicorn.Server):
    """uvicorn's server, leaving signals to us: it would end the process before what was accepted is finished."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _uvicorn(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        lifespan="off",
        ws="none",
        access_log=False,  # it would write paths, and an identifier may stand in one
        log_config=None,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=int(DRAIN),
        h11_max_incomplete_event_size=32 * 1024,
    )


@contextlib.contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _until(stop: asyncio.Event, tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Wait for `stop`, or for a task that ends: its error is ours, since none of them may end by itself."""
    stopping = _task(_wait(stop))
    try:
        done, _ = await asyncio.wait([stopping, *tasks], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    for task in done:
        task.result()


async def _wait(stop: asyncio.Event) -> None:
    await stop.wait()


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work)


def _follow(
    topic: str, learn: Callable[[bytes, bytes | None], None], figures: Figures, connection: Mapping[str, Any]
) -> CompactedTopic:
    """A topic held whole; a record in it that is none of ours is counted and left aside."""

    def take(rows: Sequence[tuple[bytes, bytes | None]]) -> None:
        for key, value in rows:
            try:
                learn(key or b"", value)
            except (ValueError, *UNREADABLE):
                figures.left_aside(topic)

    return CompactedTopic(topic, take, connection=connection)


def _typed(topics: Sequence[TopicDeclaration]) -> EventSchemas:
    return EventSchemas.from_topics({"topic": each.topic, "events": each.events} for each in topics)


def _listen(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.listen(1024)
    return listener
