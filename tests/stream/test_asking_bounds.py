"""What a worker takes in of a question: no more than a question can be, and no more questions than it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import aiohttp
import msgspec
import pytest

from orchestrator.stream.asking import Answered, AskServer
from orchestrator.stream.asking_wire import MAX_QUESTION_BYTES, PATH, Answer, Question

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Answers:
    """Whoever is asked about is owned, and answered at once."""

    def owns(self, partition: int) -> bool:
        return True

    def answer(self, question: Question, now: int) -> Answered:
        return Answered(Answer(1, "p"), (), binding=False)


class Words:
    """Which words the server said of its questions."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def asked(self, outcome: str, seconds: float) -> None:
        self.said.append(outcome)

    def failed(self, error: BaseException) -> None:
        self.said.append(type(error).__name__)


class Asked:
    def __init__(self, port: int, words: Words) -> None:
        self.url = f"http://127.0.0.1:{port}{PATH}"
        self.words = words

    async def post(self, body: bytes) -> int:
        async with aiohttp.ClientSession() as session, session.post(self.url, data=body) as answer:
            await answer.read()
            return answer.status


@pytest.fixture
async def worker() -> AsyncIterator[Asked]:
    words = Words()
    server = AskServer(
        answering=cast("Any", Answers()), progress=cast("Any", None), send=cast("Any", None), crash=cast("Any", None),
        partitions=8, observer=words, now=lambda: 0, clock=lambda: 0.0,
    )  # fmt: skip
    port = await server.start("127.0.0.1", 0)
    yield Asked(port, words)
    await server.stop()


def question(size: int) -> bytes:
    """A question of so many bytes."""
    asked = Question(
        "default", "email:amy@example.com", None, ("page",), {"channel": "web", "text": ""}, 1000, context=False
    )
    short = msgspec.json.encode(asked)
    return msgspec.json.encode(msgspec.structs.replace(asked, ask={**asked.ask, "text": "a" * (size - len(short))}))


async def test_a_question_as_large_as_may_be_is_answered(worker: Asked) -> None:
    body = question(MAX_QUESTION_BYTES - 1)
    assert (len(body), await worker.post(body)) == (MAX_QUESTION_BYTES - 1, 200)
    assert worker.words.said == ["answered"]


async def test_a_larger_one_is_not_even_read(worker: Asked) -> None:
    assert await worker.post(question(MAX_QUESTION_BYTES + 1)) == 400
    assert worker.words.said == ["malformed"]
