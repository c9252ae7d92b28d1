"""An error may quote what it failed on, and that may be a customer's: no log line repeats it, whoever raised."""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import KafkaTimeoutError

from orchestrator.stream.lane_settings import LaneError
from orchestrator.telemetry import configure_logging

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CANARY = "amy.canary@example.com"


@pytest.fixture(params=["text", "json"])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What a process writes to standard error once its logging is set up."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    root, ours = logging.getLogger(), logging.getLogger("orchestrator")
    before = root.handlers[:], root.level, ours.level
    configure_logging(request.param)
    yield stream
    root.handlers[:], root.level, ours.level = before


def raised(fail: Callable[[], object]) -> Exception:
    """The error of a call, with its traceback."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever it raises
        fail()
    return caught.value


def quoting() -> None:
    dict.fromkeys("abc")[CANARY]


def because_of_another() -> None:
    try:
        quoting()
    except KeyError as error:
        raise ValueError(f"bad value {CANARY}") from error


def while_handling_another() -> None:
    try:
        quoting()
    except KeyError:
        raise ValueError(CANARY)  # noqa: B904  # the case: Python keeps what was being handled


def several_at_once() -> None:
    raise ExceptionGroup(f"two of {CANARY}", [raised(quoting), raised(because_of_another)])


def with_a_note() -> None:
    try:
        quoting()
    except KeyError as error:
        error.add_note(f"the customer was {CANARY}")
        raise


@pytest.mark.parametrize("fail", [quoting, because_of_another, while_handling_another, several_at_once, with_a_note])
def test_a_traceback_tells_where_and_what_kind_and_quotes_nothing(
    fail: Callable[[], object], shown: io.StringIO
) -> None:
    error = raised(fail)
    logging.getLogger("orchestrator").critical("the lane failed, the worker ends", exc_info=error)
    text = shown.getvalue()
    assert CANARY not in text
    assert type(error).__name__ in text
    assert f"in {fail.__name__}" in text
    assert "KeyError" in text, "the error behind it is told, too"


def test_an_error_that_holds_itself_is_told_once(shown: io.StringIO) -> None:
    error = raised(quoting)
    error.__cause__ = error
    logging.getLogger("orchestrator").error("failed", exc_info=error)
    assert shown.getvalue().count("KeyError") == 1


@pytest.mark.parametrize("words", ["it went wrong: %s", "it went wrong: %r"])
def test_an_error_among_the_words_of_a_library_is_told_by_its_kind(words: str, shown: io.StringIO) -> None:
    logging.getLogger("faust").error(words, raised(quoting))
    assert CANARY not in shown.getvalue()
    assert "it went wrong: KeyError" in shown.getvalue()


@pytest.mark.parametrize(
    "error",
    [
        LaneError("cannot write to var: read-only; choose another folder with data_dir"),
        KafkaTimeoutError("the broker did not answer"),
        ConnectionRefusedError(111, "Connection refused"),
    ],
    ids=["ours", "kafka's", "the system's"],
)
def test_what_an_operator_needs_to_read_stays(error: Exception, shown: io.StringIO) -> None:
    logging.getLogger("orchestrator").error("failed", exc_info=error)
    logging.getLogger("faust").warning("again: %s", error)
    assert shown.getvalue().count(str(error).replace('"', '\\"')) == 2


def test_a_task_that_nobody_looked_at_is_told_without_what_it_quotes(shown: io.StringIO) -> None:
    async def forgotten() -> None:
        quoting()

    async def main() -> None:
        task = asyncio.ensure_future(forgotten())
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(main())
    assert CANARY not in shown.getvalue()
    assert "Task exception was never retrieved" in shown.getvalue()
    assert "in forgotten" in shown.getvalue()


def test_what_ends_the_process_or_a_thread_is_a_line_like_any_other(shown: io.StringIO) -> None:
    error = raised(quoting)
    sys.excepthook(type(error), error, error.__traceback__)
    thread = threading.Thread(target=quoting, name="beside")
    thread.start()
    thread.join()
    assert CANARY not in shown.getvalue()
    assert shown.getvalue().count("KeyError") == 2


def test_who_interrupts_a_process_sees_no_crash(shown: io.StringIO) -> None:
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert "failed" not in shown.getvalue()
