"""Webhooks against a real local HTTP server, and against stubs where an answer is to be chosen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from aiohttp import web

from orchestrator.delivery.channels.signing import verify
from orchestrator.delivery.channels.webhook import MAX_PAYLOAD, WebhookSender, answer, wait_asked_for
from orchestrator.delivery.decide import Deferred, Delivered, Refused, Result
from orchestrator.delivery.ledger import Outcome

KEYS = [b"k" * 32, b"o" * 32]
NOW = 1_772_000_000_000
ID = "a" * 32


class Receiver:
    """A real HTTP server that keeps what it gets and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, Any, bytes]] = []
        self.respond: Callable[[], web.Response] = web.Response
        self.hold = asyncio.Event()
        self.hold.set()
        self.port = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request.path, request.headers, await request.read()))
        await self.hold.wait()
        return self.respond()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.port = runner.addresses[0][1]
    yield receiver
    receiver.hold.set()
    await runner.cleanup()


async def at_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def sender(url: str, **options: Any) -> WebhookSender:
    return WebhookSender(url, KEYS, **{"clock": lambda: NOW, "timeout": 2.0, **options})


async def test_a_webhook_is_signed_and_named_by_its_action(receiver: Receiver) -> None:
    hook = sender(
        f"http://hook.example:{receiver.port}/push", resolve=at_loopback, allow_hosts=[f"hook.example:{receiver.port}"]
    )
    for _ in range(2):
        assert await hook.send(ID, b'{"x":1}') == Delivered()
    await hook.close()
    for path, headers, body in receiver.requests:
        assert path == "/push"
        assert headers["host"] == f"hook.example:{receiver.port}"
        assert headers["webhook-id"] == ID
        verify(ID, headers["webhook-timestamp"], body, headers["webhook-signature"], KEYS[1:], NOW // 1000)


async def test_the_connection_goes_to_the_address_that_was_checked_though_the_name_changes(receiver: Receiver) -> None:
    answers = [["127.0.0.1"], ["169.254.169.254"]]

    async def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    allowed = [f"hook.example:{receiver.port}"]
    hook = sender(f"http://hook.example:{receiver.port}/", resolve=rebinding, allow_hosts=allowed)
    assert await hook.send(ID, b"{}") == Delivered()
    assert answers == [["169.254.169.254"]], "one resolution for one attempt"
    await hook.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "localhost"])
async def test_a_private_address_is_not_reached_unless_it_is_allowed(receiver: Receiver, host: str) -> None:
    hook = sender(f"http://{host}:{receiver.port}/")
    assert await hook.send(ID, b"{}") in {
        Refused(Outcome.FAILED, "address_not_allowed"),
        Deferred("unreachable", channel_wide=True),
    }
    await hook.close()
    assert receiver.requests == []


async def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.respond = lambda: web.Response(status=302, headers={"location": f"http://localhost:{receiver.port}/x"})
    hook = sender(f"http://127.0.0.1:{receiver.port}/", allow_hosts=["127.0.0.1"])
    assert await hook.send(ID, b"{}") == Deferred("http_302")
    assert len(receiver.requests) == 1
    await hook.close()


async def test_a_receiver_that_does_not_answer_is_given_up(receiver: Receiver) -> None:
    receiver.hold.clear()
    hook = sender(f"http://127.0.0.1:{receiver.port}/", allow_hosts=["127.0.0.1"], timeout=0.2)
    assert await hook.send(ID, b"{}") == Deferred("timeout")
    await hook.close()


async def test_a_name_service_that_does_not_answer_is_given_up_within_the_same_time() -> None:
    async def silent(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    hook = sender("https://hook.example/", timeout=0.2, resolve=silent)
    async with asyncio.timeout(5):
        assert await hook.send(ID, b"{}") == Deferred("unreachable", channel_wide=True)
    await hook.close()


async def test_nobody_listening_is_the_channels_trouble(unused_tcp_port: int) -> None:
    hook = sender(f"http://127.0.0.1:{unused_tcp_port}/", allow_hosts=["127.0.0.1"])
    assert await hook.send(ID, b"{}") == Deferred("unreachable", channel_wide=True)
    await hook.close()


async def test_the_certificate_is_asked_for_by_name_and_the_connection_made_by_address() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    async def resolve(host: str, port: int) -> list[str]:
        return ["2606:4700:4700::1111"]

    hook = sender("https://hook.example/sms", resolve=resolve, transport=httpx.MockTransport(respond))
    assert await hook.send(ID, b"{}") == Delivered()
    assert seen[0].url == "https://[2606:4700:4700::1111]/sms"
    assert seen[0].headers["host"] == "hook.example"
    assert seen[0].extensions["sni_hostname"] == "hook.example"
    await hook.close()


@pytest.mark.parametrize(
    ("status", "result"),
    [
        (200, Delivered()),
        (202, Delivered()),
        (400, Refused(Outcome.FAILED, "http_400")),
        (410, Refused(Outcome.FAILED, "gone")),
        (413, Refused(Outcome.FAILED, "http_413")),
        (422, Refused(Outcome.FAILED, "http_422")),
        (301, Deferred("http_301")),
        (401, Deferred("http_401")),
        (404, Deferred("http_404")),
        (429, Deferred("http_429", channel_wide=True)),
        (500, Deferred("http_500")),
        (503, Deferred("http_503", channel_wide=True)),
    ],
)
def test_what_an_answer_means(status: int, result: Result) -> None:
    assert answer(status, None, NOW) == result


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        (None, 0),
        ("", 0),
        ("120", 120_000),
        (" 5 ", 5_000),
        ("-5", 0),
        ("soon", 0),
        ("999999999999", 86_400_000),
        ("Wed, 25 Feb 2026 06:14:20 GMT", 60_000),
        ("Wed, 25 Feb 2015 06:14:20 GMT", 0),
        ("Wed, 99 Feb 2026", 0),
    ],
)
def test_retry_after_is_read_in_both_forms_and_within_a_day(header: str | None, wait: int) -> None:
    assert wait_asked_for(header, NOW) == wait
    result = answer(429, header, NOW)
    assert isinstance(result, Deferred)
    assert result.retry_after == wait


async def test_too_large_a_payload_is_not_sent() -> None:
    hook = sender("http://127.0.0.1:9/", allow_hosts=["127.0.0.1"])
    assert await hook.send(ID, b"x" * (MAX_PAYLOAD + 1)) == Refused(Outcome.FAILED, "too_large")
    await hook.close()
