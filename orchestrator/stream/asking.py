"""The worker's side of asking: a small HTTP server in the worker's own event loop, beside the lane.

A question is answered from the memory of the partition's owner, with the engine that the lane uses. It changes
nothing; what it showed goes out as a record. Between two batches of the lane a question takes its turn; it never
interrupts one.
"""

import asyncio
import hashlib
import hmac
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec
from aiohttp import web

from orchestrator.model.ids import node_key
from orchestrator.model.partition import partition_of
from orchestrator.stream.asking_progress import NotOwnedError, Progress
from orchestrator.stream.asking_wire import (
    MAX_QUESTION_BYTES,
    MISDIRECTED,
    PATH,
    UNKEYED,
    Answer,
    Forward,
    Question,
    decode_question,
)
from orchestrator.stream.lane.records import Outgoing

MAX_DEADLINE_MS: Final = 60_000
IN_HAND: Final = 1024


class Answered(msgspec.Struct, frozen=True):
    """An answer, and what it puts on record.

    `sends` are the records that say what was shown. With `binding` (an offer was shown, a place of a limit taken)
    they are acknowledged before the answer leaves; else they go out without anybody waiting.
    """

    answer: Answer
    sends: tuple[Outgoing, ...] = ()
    binding: bool = False


class NotYet(msgspec.Struct, frozen=True):
    """The event that the question names is not applied here yet."""


class Answering(Protocol):
    """Who can answer questions about the customers of this worker's partitions. Called in the lane's event loop."""

    def owns(self, partition: int) -> bool:
        """Whether this worker owns the partition and may speak for it.

        False before its recovery is complete, and once nothing has been heard from the broker for a session
        timeout: somebody else may own it by then.
        """
        ...

    def answer(self, question: Question, now: int) -> Answered | Forward | NotYet:
        """Answer from memory; changes nothing and never blocks.

        Args:
            question: about an identifier whose partition this worker owns.
            now: the wall clock, ms.

        Returns:
            The answer; or where the customer lives now; or `NotYet` when the question names an event and that
            event is not among those applied to this customer. Whether it is durable is not asked here.
        """
        ...


class AskObserver(Protocol):
    """Told how questions went.

    The words: `answered`, `forwarded`, `not_owned`, `late`, `busy`, `malformed`, `unkeyed`, `failed`.
    """

    def asked(self, outcome: str, seconds: float) -> None:
        """A question was answered, one way or another, after so long."""
        ...

    def failed(self, error: BaseException) -> None:
        """Answering raised: an error of ours. The customer's state is untouched."""
        ...


class AskServer:
    """Answers `POST /ask`.

    Args:
        answering: who answers.
        progress: how far the lane's batches are.
        send: writes a record; done when the broker has acknowledged.
        crash: told when a record that nobody waited for could not be written; ends the worker.
        partitions: the input topics' partition count.
        observer: told how questions went.
        now: the wall clock, ms.
        clock: a monotonic clock, s.
        keys: what a caller may present in `Authorization: Bearer`, each as good as the others; none lets all in.
    """

    def __init__(
        self,
        *,
        answering: Answering,
        progress: Progress,
        send: Callable[[Outgoing], Awaitable[None]],
        crash: Callable[[BaseException], None],
        partitions: int,
        observer: AskObserver,
        now: Callable[[], int],
        clock: Callable[[], float],
        keys: Sequence[str] = (),
    ) -> None:
        self._answering = answering
        self._progress = progress
        self._send = send
        self._crash = crash
        self._partitions = partitions
        self._observer = observer
        self._now = now
        self._clock = clock
        self._expected = tuple(_digest(f"Bearer {key}".encode()) for key in keys)
        self._in_hand = 0
        self._sending: set[asyncio.Task[None]] = set()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; 0 takes a free port.

        Returns:
            The port.

        Raises:
            OSError: the address cannot be had.
        """
        application = web.Application(client_max_size=MAX_QUESTION_BYTES)
        application.router.add_post(PATH, self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        address: tuple[str, int] = self._runner.addresses[0]
        return address[1]

    async def stop(self) -> None:
        """Take no more questions, finish those in hand, and write what they put on record."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._sending:
            await asyncio.wait(self._sending)

    async def _handle(self, request: web.Request) -> web.Response:
        started = self._clock()
        outcome, status, body = await self._outcome(request, started)
        self._observer.asked(outcome, self._clock() - started)
        return web.Response(status=status, body=body, content_type="application/json")

    async def _outcome(self, request: web.Request, started: float) -> tuple[str, int, bytes]:
        """The outcome's word, the status and the body."""
        if not self._admits(request.headers.get("Authorization", "")):
            return "unkeyed", UNKEYED, b"{}"
        if self._in_hand >= IN_HAND:
            return "busy", 503, b"{}"
        self._in_hand += 1
        try:
            question = decode_question(await request.read())
            return await self._reply(question, started)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, web.HTTPRequestEntityTooLarge):
            return "malformed", 400, b"{}"
        except ConnectionError:
            raise  # the caller has gone; nobody is left to answer
        except Exception as error:  # noqa: BLE001 - chosen fate: counted, logged without its text, answered with 500
            self._observer.failed(error)
            return "failed", 500, b"{}"
        finally:
            self._in_hand -= 1

    def _admits(self, authorization: str) -> bool:
        """Every key is compared, whatever the first says, by its hash: the time taken tells nothing of any of them."""
        presented = _digest(authorization.encode("utf-8", "surrogateescape"))
        fits = [hmac.compare_digest(presented, each) for each in self._expected]
        return any(fits) or not fits

    async def _reply(self, question: Question, started: float) -> tuple[str, int, bytes]:
        partition = partition_of(node_key(question.tenant, question.identifier), self._partitions)
        left = started + min(question.deadline_ms, MAX_DEADLINE_MS) / 1000 - self._clock()
        try:
            async with asyncio.timeout(max(0.0, left)):
                reply = await self._answer(partition, question)
        except TimeoutError:
            return "late", 503, b"{}"
        except NotOwnedError:
            return "not_owned", MISDIRECTED, b"{}"
        return "forwarded" if isinstance(reply, Forward) else "answered", 200, msgspec.json.encode(reply)

    async def _answer(self, partition: int, question: Question) -> Answer | Forward:
        """The answer, once the event that it must show is applied and durable.

        Raises:
            NotOwnedError: this worker does not own the partition, or does not any more.
        """
        while self._answering.owns(partition):
            outcome = self._answering.answer(question, self._now())
            if isinstance(outcome, Forward):
                return outcome
            if isinstance(outcome, NotYet):
                await self._progress.next_turn(partition)
                continue
            if question.event is not None:
                await self._progress.settled(partition)
                if not self._answering.owns(partition):
                    break
            await self._put_on_record(outcome)
            return outcome.answer
        raise NotOwnedError

    async def _put_on_record(self, outcome: Answered) -> None:
        if not outcome.sends:
            return
        task = asyncio.ensure_future(self._send_all(outcome.sends))
        self._sending.add(task)
        task.add_done_callback(self._sent)
        if outcome.binding:
            await asyncio.shield(task)

    async def _send_all(self, sends: tuple[Outgoing, ...]) -> None:
        for outgoing in sends:
            await self._send(outgoing)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._crash(error)


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()
