"""Log lines: one per event, as JSON for machines or as text for people, by the standard logging module alone."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.telemetry.errors import traced, words
from orchestrator.telemetry.libraries import LEVELS, LibraryFilter

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from orchestrator.telemetry.events import LogEvent
    from orchestrator.telemetry.recorder import Recorder

LOGGER = logging.getLogger("orchestrator")
Style = Literal["text", "json"]
_MINUTE = 60.0


def configure_logging(style: Style = "text", level: str = "INFO") -> None:
    """Sends everything that is logged to standard error in one style; of libraries, the warnings that matter.

    What ends the process or a thread without being caught is logged, too: Python itself would quote it.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LibraryFilter())
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for library, least in LEVELS.items():
        logging.getLogger(library).setLevel(least)
    LOGGER.setLevel(level)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return  # whoever interrupts a process wants it to end, and needs no explanation
    LOGGER.critical("the process failed", exc_info=(kind, error, trace))


def _uncaught_in_thread(failed: threading.ExceptHookArgs) -> None:
    error = failed.exc_value or failed.exc_type()
    if not isinstance(error, SystemExit):
        LOGGER.critical("the thread %s failed", failed.thread.name if failed.thread else "", exc_info=error)


class EventLog:
    """Writes the events of one process and moves their metrics."""

    def __init__(self, recorder: Recorder, clock: Callable[[], float] = time.monotonic) -> None:
        self._recorder = recorder
        self._clock = clock
        self._written: dict[type[LogEvent], tuple[float, int]] = {}

    def emit(self, event: LogEvent) -> None:
        """Moves the event's metric, and writes its line unless this minute has seen too many of its kind."""
        if event.metric is not None:
            labels = (*event.fixed_labels, *(str(getattr(event, name)) for name in event.labels))
            self._recorder.add(event.metric, *labels, amount=getattr(event, event.amount) if event.amount else 1)
        if LOGGER.isEnabledFor(event.level) and self._has_room(type(event)):
            values = event.values()
            extra = {"event": event.name(), "fields": values}
            LOGGER.log(event.level, "%s", event.words.format_map(values), extra=extra)

    def _has_room(self, kind: type[LogEvent]) -> bool:
        now = self._clock()
        since, count = self._written.get(kind, (now, 0))
        if now - since >= _MINUTE:
            if count > kind.most_per_minute:
                LOGGER.warning("%d more lines of %s were left out", count - kind.most_per_minute, kind.name())
            since, count = now, 0
        self._written[kind] = (since, count + 1)
        return count < kind.most_per_minute


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time, level, event, message, and the event's fields beside them."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record.created, "%Y-%m-%dT%H:%M:%S", "Z"),
            "level": record.levelname,
            "event": getattr(record, "event", record.name),
            "message": words(record),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = traced(record.exc_info[1])
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """Time, level and words, for who looks at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{_time(record.created, '%H:%M:%S')} {record.levelname:<7} {words(record)}"
        return f"{text}\n{traced(record.exc_info[1])}" if record.exc_info and record.exc_info[1] else text


def _time(seconds: float, form: str, zone: str = "") -> str:
    return f"{time.strftime(form, time.gmtime(seconds))}.{int(seconds * 1000) % 1000:03d}{zone}"
