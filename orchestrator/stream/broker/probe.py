"""Whether a broker is ready: it answers a metadata call, and is the one we started."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from concurrent.futures import ThreadPoolExecutor

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(port: int) -> bool:
    """Whether a broker could listen on `port` (connections of one that has just ended do not count)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def listens(port: int) -> bool:
    """Whether anybody accepts connections on `port`."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def cluster_id(bootstrap: str) -> str | None:
    """The id of the cluster that answers a metadata call at `bootstrap`; None if none does yet."""
    with ThreadPoolExecutor(1) as thread:  # the caller's own thread may have a running event loop
        return thread.submit(asyncio.run, _cluster_id(bootstrap)).result()


async def _cluster_id(bootstrap: str) -> str | None:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
    quiet = logging.getLogger("aiokafka")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)  # a broker that is not ready yet is what we wait for, not an error
    try:
        await client.start()
        described = await client.describe_cluster()
    except (KafkaError, OSError, TimeoutError):
        return None
    else:
        answer: str | None = described["cluster_id"]
        return answer
    finally:
        quiet.setLevel(level)
        await client.close()
