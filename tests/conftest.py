"""What all tests share: one embedded Apache Kafka a session, names of one's own in it, deadlines, no sleeps."""

from __future__ import annotations

import asyncio
import gc
import inspect
import os
import time
import uuid
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from orchestrator.stream.broker import JarsError, JavaError
from tests.slow_broker import ProxiedKafka

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

# Thousands of tests leave what lives on: left as it is, the collector spends a tenth of the time on looking through it.
gc.set_threshold(200_000, 50, 1_000)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedKafka]:
    """A running broker for the whole session: use topics of your own (`unique`), and leave it running."""
    broker = ProxiedKafka(tmp_path_factory.mktemp("kafka"))
    try:
        broker.start()
    except (JarsError, JavaError) as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def unique() -> Callable[[str], str]:
    """`unique("orders")` -> "orders-3f9c2a41": a name that no other test has."""
    return lambda prefix: f"{prefix}-{uuid.uuid4().hex[:8]}"


class Eventually(Protocol):
    def __call__(self, predicate: Callable[[], Any], timeout: float = 10.0, every: float = 0.02) -> Any:
        """The first true answer of `predicate`; fails once `timeout` seconds have passed without one."""


class EventuallyAsync(Protocol):
    async def __call__(
        self,
        predicate: Callable[[], Any | Awaitable[Any]],
        timeout: float = 10.0,  # noqa: ASYNC109  # the same words as the plain one
        every: float = 0.02,
    ) -> Any:
        """`eventually` for coroutines: `predicate` may be one, and other tasks run between two looks."""


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    def wait(predicate: Callable[[], Any], timeout: float = 10.0, every: float = 0.02) -> Any:
        deadline = time.monotonic() + timeout
        while not (answer := predicate()):
            if time.monotonic() > deadline:
                pytest.fail(f"not within {timeout} s: {_source(predicate)} (last answer: {answer!r})")
            time.sleep(every)
        return answer

    return wait


@pytest.fixture(scope="session")
def eventually_async() -> EventuallyAsync:
    async def wait(predicate: Callable[[], Any], timeout: float = 10.0, every: float = 0.02) -> Any:  # noqa: ASYNC109
        deadline = time.monotonic() + timeout
        while True:
            answer = predicate()
            if inspect.isawaitable(answer):
                answer = await answer
            if answer:
                return answer
            if time.monotonic() > deadline:
                pytest.fail(f"not within {timeout} s: {_source(predicate)} (last answer: {answer!r})")
            await asyncio.sleep(every)

    return wait


def _source(predicate: Callable[[], Any]) -> str:
    try:
        return " ".join(inspect.getsource(predicate).split())
    except (OSError, TypeError):
        return repr(predicate)
