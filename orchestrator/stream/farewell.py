"""A stop that does not wait for a broker that has gone: what is durable is the broker's, what is not is read again."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING

from orchestrator.telemetry import emit, events

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from orchestrator.stream.shell import Shell

LOOK_SECONDS = 0.1


async def leave_without_broker(shell: Shell, stopped: Awaitable[None], end: Callable[[int], object] = os._exit) -> None:
    """Once the lane is told to stop, end the process if the broker neither acknowledges anything nor is heard from.

    Everything on the way out waits for the broker: batches for their acknowledgements, the commit, the group, the
    producer. None of it can be hurried, and nothing of it is needed: what was not committed is read again, and what a
    recovery sends again goes out under the same ids. A broker that is only slow is waited for; the watchdog's limit
    is the last.

    Args:
        shell: what stops.
        stopped: done when the lane is told to stop.
        end: ends the process with a code; tests give another.
    """
    await stopped
    patience, session = shell.settings.stop_patience / 1000, shell.settings.session_timeout / 1000
    in_hand, since = shell.in_hand(), time.monotonic()
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        now, before, in_hand = time.monotonic(), in_hand, shell.in_hand()
        if in_hand != before:
            since = now
        elif now - since > patience and now - shell.heard_at() > session:
            partitions = shell.uncommitted()
            emit(events.LeftWithoutBroker(now - since, sum(partitions), sum(1 for each in partitions if each)))
            sys.stdout.flush()
            end(1 if shell.failure is not None else 0)
            return
