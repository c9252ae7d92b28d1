"""The last moment of a process that holds a large state."""

from __future__ import annotations

import logging
import os
import signal
import sys
from typing import NoReturn


def leave_when_told() -> None:
    """End with status 0 if told to stop before anything has begun; whoever begins something sets handlers of its own.

    Without it a stop in the first seconds looks like a crash: a signal's status, or a trace where Ctrl-C was pressed.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))


def leave(process: str, code: int) -> NoReturn:
    """Say that a process has stopped, and end it here and now.

    Everything is durable, and closed. To take a large state apart first, object by object, takes seconds for nothing.
    """
    from orchestrator.telemetry import emit, events  # noqa: PLC0415  # --help does without

    emit(events.ProcessStopped(process))
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
