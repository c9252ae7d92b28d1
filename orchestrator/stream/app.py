"""The Faust application of a lane: its settings, its table, its topics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import faust

from orchestrator.stream.emitter import Emitter
from orchestrator.stream.recovery import LaneTableManager
from orchestrator.stream.transport import LaneConsumer, LaneTransport

if TYPE_CHECKING:
    import asyncio

    from orchestrator.stream.lane_settings import LaneSettings
    from orchestrator.stream.shell import Shell

PRODUCER_BATCH_BYTES = 512 * 1024


def faust_settings(settings: LaneSettings) -> dict[str, Any]:
    """Faust's own settings, from the lane's (durations in seconds there)."""
    session = settings.session_timeout / 1000
    return {
        **settings.connection.faust(),
        "datadir": settings.data_dir,
        "store": "memory://",
        "processing_guarantee": "at_least_once",
        "key_serializer": "raw",
        "value_serializer": "raw",
        "topic_partitions": settings.partitions,
        "topic_allow_declare": False,
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "stream_wait_empty": True,
        "broker_session_timeout": session,
        "broker_heartbeat_interval": session / 4,
        "broker_commit_interval": 3600.0,
        "consumer_auto_offset_reset": "earliest",
        "consumer_max_fetch_size": settings.fetch_bytes,
        "producer_acks": -1,
        "producer_linger": 0.0,
        "producer_max_batch_size": PRODUCER_BATCH_BYTES,
        "producer_request_timeout": settings.request_timeout / 1000,
        "producer_compression_type": settings.compression,
        "web_enabled": False,
        "autodiscover": False,
        "TableManager": LaneTableManager,
    }


class LaneApp(faust.App):  # type: ignore[misc]
    """A Faust application whose transport is the lane's.

    The transport is set here, by overriding the two methods that make one, not by an entry point: nothing outside
    this application changes its behaviour by being installed, and a broker's address stays `kafka://`.
    """

    shell: Shell
    mundane_level = "debug"  # that each of its services starts and stops is for authors
    logger = logging.getLogger("faust.lane")  # its lines are Faust's and filtered as such, whoever derives from it

    def __init__(self, shell: Shell) -> None:
        settings = shell.settings
        self.shell = shell
        super().__init__(settings.app_id, **faust_settings(settings))
        shell.emitter = Emitter(lambda: self.producer._ensure_producer())  # noqa: PLW0108, SLF001  made later
        self.lane_table = self.Table(settings.table, partitions=settings.partitions, key_type=bytes, value_type=bytes)
        for topic in shell.core.input_topics:
            self.topics.add(self.topic(topic, key_type=bytes, value_type=bytes, acks=True))

    def _new_transport(self) -> LaneTransport:
        return LaneTransport(self.conf.broker_consumer, self)

    def _new_producer_transport(self) -> LaneTransport:
        return LaneTransport(self.conf.broker_producer, self)

    def _new_consumer(self) -> LaneConsumer:
        consumer: LaneConsumer = super()._new_consumer()
        self.shell.group = consumer
        return consumer

    def _crash(self, reason: BaseException) -> None:
        """Faust tells a crash of any of its services here, from whichever thread."""
        super()._crash(reason)
        loop: asyncio.AbstractEventLoop = self.loop
        loop.call_soon_threadsafe(self.shell.fail, reason)
