"""A request to the consumer's thread comes to an end that somebody is told of, also where the thread gives it up."""

from __future__ import annotations

import asyncio
import itertools
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from orchestrator.stream.lane_settings import LaneError
from orchestrator.stream.transport import LaneThread

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def thread() -> Iterator[Any]:
    """As much of the consumer's thread as a request needs: a loop that runs elsewhere, and an application."""
    loop = asyncio.new_event_loop()
    running = threading.Thread(target=loop.run_forever, daemon=True)
    running.start()
    conf = SimpleNamespace(broker_request_timeout=5.0)
    yield SimpleNamespace(thread_loop=loop, app=SimpleNamespace(should_stop=False, conf=conf))
    loop.call_soon_threadsafe(loop.stop)
    running.join()
    loop.close()


async def given_up() -> None:
    """What a request looks like that the thread cancels."""
    raise asyncio.CancelledError


def ask(thread: Any, question: Any) -> Any:
    return LaneThread.ask(cast("LaneThread", thread), question)


async def test_an_answer_comes_back(thread: Any) -> None:
    assert await ask(thread, asyncio.sleep(0, "answer")) == "answer"


async def test_a_request_that_the_thread_gives_up_is_an_error_and_no_silent_end(thread: Any) -> None:
    """Faust takes a cancelled loop for one that has ended as it should: nothing would be read any more."""
    with pytest.raises(LaneError, match="gave up a request"):
        await ask(thread, given_up())


async def test_a_worker_that_stops_is_not_told_of_an_error(thread: Any) -> None:
    thread.app.should_stop = True
    with pytest.raises(asyncio.CancelledError):
        await ask(thread, given_up())


async def test_who_asks_may_be_cancelled(thread: Any) -> None:
    begun = threading.Event()

    async def long() -> None:
        begun.set()
        await asyncio.sleep(60)

    waiting = asyncio.ensure_future(ask(thread, long()))
    await asyncio.to_thread(begun.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_who_is_cancelled_at_whatever_moment_is_cancelled(thread: Any) -> None:
    """A rebalance ends the recovery under way and waits for its end: one that missed it would never come to one."""
    thread.thread_loop = asyncio.get_running_loop()  # so that turns of one loop are all the moments that there are
    for turns in itertools.count(1):
        waiting = asyncio.ensure_future(ask(thread, asyncio.sleep(0, "answer")))
        for _ in range(turns):
            await asyncio.sleep(0)
        if waiting.done():
            break
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert turns > 3
