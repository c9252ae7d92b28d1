"""Real SMTP conversations with a real server on this machine, well and badly behaved."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from email.message import EmailMessage
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from orchestrator.delivery.channels.smtp import SmtpSender, SmtpServer, read_failure
from orchestrator.delivery.decide import Deferred, Delivered, Refused, Result
from orchestrator.delivery.ledger import Outcome


class Post:
    """A mail server that keeps what it gets and answers each step as told."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.drop_after_data = 0
        self.hold = asyncio.Event()
        self.hold.set()
        self.open = 0
        self.most_open = 0
        self.connections = 0
        self.looked_at = 0
        self.servers: list[SMTP] = []
        self.port = 0

    async def handle_MAIL(  # noqa: N802  aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answers.get("RCPT", self.answers.get(address, "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_NOOP(self, server: SMTP, session: Session, envelope: Envelope, arg: str) -> str:  # noqa: N802
        self.looked_at += 1
        await self.hold.wait()
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        await self.hold.wait()
        self.open -= 1
        if self.drop_after_data:
            self.drop_after_data -= 1
            self.mails.append(envelope)
            server.transport.abort()
            return "250 too late"
        answer = self.answers.get("DATA", "250 OK")
        if answer.startswith("250"):
            self.mails.append(envelope)
        return answer


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async for each in serving():
        yield each


async def serving(**options: Any) -> AsyncIterator[Post]:
    post = Post()

    def connected() -> SMTP:
        post.connections += 1
        server = SMTP(post, **options)
        post.servers.append(server)
        return server

    server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", 0)
    post.port = server.sockets[0].getsockname()[1]
    yield post
    post.hold.set()
    server.close()
    for each in post.servers:
        if each.transport is not None:
            each.transport.abort()


def sender(post: Post, **options: Any) -> SmtpSender:
    return SmtpSender(SmtpServer(**{"host": "127.0.0.1", "port": post.port, "tls": "never", "timeout": 2.0, **options}))


def mail(text: str = "Bonjour Amy") -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "Hi"
    message["Message-ID"] = "<a@example.com>"
    message.set_content(text)
    return message


async def send(smtp: SmtpSender, to: str = "amy@example.com") -> Result:
    return await smtp.send(mail(), "lumo@example.com", to)


async def test_a_mail_arrives_with_its_envelope(post: Post) -> None:
    smtp = sender(post)
    assert await send(smtp) == Delivered()
    await smtp.close()
    assert post.mails[0].mail_from == "lumo@example.com"
    assert post.mails[0].rcpt_tos == ["amy@example.com"]
    assert b"Bonjour Amy" in bytes(post.mails[0].content or b"")


async def test_connections_are_used_again(post: Post) -> None:
    smtp = sender(post)
    for _ in range(5):
        assert await send(smtp) == Delivered()
    await smtp.close()
    assert post.connections == 1
    assert len(post.mails) == 5


async def test_a_connection_is_renewed_after_so_many_mails(post: Post) -> None:
    smtp = sender(post, mails_per_connection=2)
    for _ in range(5):
        assert await send(smtp) == Delivered()
    await smtp.close()
    assert post.connections == 3


async def test_no_more_connections_are_open_than_allowed(post: Post, eventually_async: Callable[..., Any]) -> None:
    post.hold.clear()
    smtp = sender(post, connections=3)
    tasks = [asyncio.create_task(send(smtp)) for _ in range(9)]
    await eventually_async(lambda: post.open == 3)
    post.hold.set()
    assert await asyncio.gather(*tasks) == [Delivered()] * 9
    await smtp.close()
    assert post.most_open == 3
    assert post.connections == 3


@pytest.mark.parametrize(
    ("step", "answer", "result"),
    [
        ("RCPT", "550 5.1.1 no such user", Refused(Outcome.BOUNCED, "smtp_550")),
        ("RCPT", "552 mailbox full", Refused(Outcome.BOUNCED, "smtp_552")),
        ("DATA", "554 5.7.1 we take this for spam", Refused(Outcome.BOUNCED, "smtp_554")),
        ("MAIL", "553 we do not know you", Deferred("sender_refused")),
        ("MAIL", "530 5.7.0 authentication required", Deferred("authentication_required", channel_wide=True)),
        ("RCPT", "530 5.7.0 authentication required", Deferred("authentication_required", channel_wide=True)),
        ("MAIL", "552 5.3.4 larger than we take", Refused(Outcome.FAILED, "too_large")),
        ("RCPT", "450 4.2.0 greylisted", Deferred("smtp_450")),
        ("DATA", "451 4.3.0 try again", Deferred("smtp_451")),
        ("MAIL", "452 too many mails", Deferred("smtp_452")),
        ("RCPT", "421 closing down", Deferred("smtp_421", channel_wide=True)),
    ],
)
async def test_what_an_answer_means(post: Post, step: str, answer: str, result: Result) -> None:
    post.answers[step] = answer
    smtp = sender(post)
    assert await send(smtp) == result
    await smtp.close()
    assert post.mails == []


async def test_one_refused_recipient_does_not_cost_the_connection(post: Post) -> None:
    post.answers["nobody@example.com"] = "550 no such user"
    smtp = sender(post)
    assert await send(smtp, "nobody@example.com") == Refused(Outcome.BOUNCED, "smtp_550")
    assert await send(smtp) == Delivered()
    await smtp.close()
    assert post.connections == 1
    assert post.mails[0].rcpt_tos == ["amy@example.com"]


async def test_a_connection_lost_after_the_text_means_try_again_and_a_copy_can_be_told(post: Post) -> None:
    post.drop_after_data = 1
    smtp = sender(post)
    assert await send(smtp) == Deferred("connection_lost")
    assert await send(smtp) == Delivered()
    await smtp.close()
    assert len(post.mails) == 2
    assert all(b"Message-ID: <a@example.com>" in bytes(each.content or b"") for each in post.mails)


async def test_a_server_that_does_not_answer_is_given_up(post: Post) -> None:
    post.hold.clear()
    smtp = sender(post, timeout=0.2)
    assert await send(smtp) == Deferred("timeout")
    await smtp.close()


async def test_nobody_listening_is_the_channels_trouble(unused_tcp_port: int) -> None:
    smtp = SmtpSender(SmtpServer(host="127.0.0.1", port=unused_tcp_port, tls="never", timeout=1.0))
    assert await send(smtp) == Deferred("unreachable", channel_wide=True)


def test_a_certificate_that_cannot_be_trusted_is_told_as_that() -> None:
    fault = aiosmtplib.SMTPConnectError("no TLS")
    fault.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    assert read_failure(fault, connected=False) == Deferred("certificate", channel_wide=True)


async def test_a_kept_connection_that_died_meanwhile_is_replaced(
    post: Post, eventually_async: Callable[..., Any]
) -> None:
    smtp = sender(post)
    assert await send(smtp) == Delivered()
    post.servers[0].transport.abort()
    await eventually_async(lambda: not smtp._idle[0].client.is_connected)
    assert await send(smtp) == Delivered()
    await smtp.close()
    assert post.connections == 2


async def test_a_connection_that_is_looked_at_when_its_attempt_is_broken_off_is_closed(
    post: Post, eventually_async: Callable[..., Any]
) -> None:
    smtp = sender(post)
    assert await send(smtp) == Delivered()
    kept = smtp._idle[0]
    kept.used_at -= 10.0
    post.hold.clear()
    sending = asyncio.create_task(send(smtp))
    await eventually_async(lambda: post.looked_at)
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert not kept.client.is_connected


async def test_mail_is_not_sent_in_the_clear_where_tls_is_required(post: Post) -> None:
    smtp = sender(post, tls="required")
    result = await send(smtp)
    assert isinstance(result, Deferred)
    assert result.channel_wide
    assert post.mails == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_wrong_password_is_the_channels_trouble_and_no_bounce() -> None:
    def authenticate(*arguments: Any) -> AuthResult:
        return AuthResult(success=arguments[-1].password == b"right", handled=False)

    async for post in serving(authenticator=authenticate, auth_require_tls=False, auth_required=True):
        wrong = sender(post, username="lumo", password="wrong")
        assert await send(wrong) == Deferred("authentication_refused", channel_wide=True)
        right = sender(post, username="lumo", password="right")
        assert await send(right) == Delivered()
        await right.close()


async def test_an_address_beyond_ascii_is_refused_where_the_server_cannot_take_it() -> None:
    async for post in serving(enable_SMTPUTF8=False):
        smtp = sender(post)
        assert await send(smtp, "améli@example.com") == Refused(Outcome.FAILED, "not_supported")
        await smtp.close()


async def test_an_address_cannot_smuggle_commands_into_the_conversation(post: Post) -> None:
    smtp = sender(post)
    await send(smtp, "amy@example.com>\r\nRCPT TO:<eve@example.com>\r\n")
    await smtp.close()
    assert all("eve@example.com" not in each.rcpt_tos for each in post.mails)
