"""What each process tells of an error, in its lines and on its page of figures: the kind and the place, no value of it.

The errors here quote a customer, as Python's own do. Each way by which a process tells of one is tried.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING

import pytest

from orchestrator.delivery.figures import Figures as DeliveryFigures
from orchestrator.gateway.figures import Figures as GatewayFigures
from orchestrator.stream.lane.records import Record
from orchestrator.stream.lane.setting_aside import failed_at
from orchestrator.stream.worker_figures import WorkerFigures
from orchestrator.telemetry import EventLog, Recorder
from orchestrator.telemetry.events import RecordFailed
from orchestrator.telemetry.log import JsonFormatter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CANARY = "amy.canary@example.com"


class Told:
    """The figures of all processes over one recorder, and the lines that they write."""

    def __init__(self, stream: io.StringIO) -> None:
        self.stream = stream
        self.recorder = Recorder()
        self.gateway = GatewayFigures(self.recorder, EventLog(self.recorder))
        self.delivery = DeliveryFigures(self.recorder)
        self.worker = WorkerFigures(self.recorder)

    def everything(self) -> str:
        return self.stream.getvalue() + self.recorder.page()[0].decode()


@pytest.fixture
def told() -> Iterator[Told]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("orchestrator")
    logger.addHandler(handler)
    before, logger.level = logger.level, logging.DEBUG
    yield Told(stream)
    logger.removeHandler(handler)
    logger.setLevel(before)


def quoting() -> Exception:
    """An error that quotes a customer, raised in this file."""
    with pytest.raises(KeyError) as raised:
        dict.fromkeys("abc")[CANARY]
    return raised.value


def record() -> Record:
    value = f'{{"id":"{CANARY}","data":{{"email":"{CANARY}"}}}}'.encode()
    return Record("channel.web", 3, 17, 0, f"default/email:{CANARY}".encode(), value)


WAYS: dict[str, Callable[[Told], object]] = {
    "the gateway could not answer": lambda told: told.gateway.failed("0123abcd", quoting()),
    "the worker cannot go on": lambda told: told.worker.failed(quoting()),
    "a record raised in the worker": lambda told: told.worker._log.emit(RecordFailed(*failed_at(record(), quoting()))),
    "an attempt to send raised": lambda told: told.delivery.broke("email", type(quoting()).__name__),
    "delivery cannot read a record": lambda told: told.delivery.rejected(record(), "undecodable"),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_error_is_told_without_what_it_quotes(told: Told, way: str) -> None:
    WAYS[way](told)
    assert CANARY not in told.everything()
    assert "canary" not in told.everything()
    assert told.stream.getvalue(), "but it is told"
