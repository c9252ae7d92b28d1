"""Where delivery's messages end: a mail server that takes every mail, and a receiver of webhooks that knows ids."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from email import message_from_bytes
from typing import TYPE_CHECKING

from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Sinks:
    """What has arrived.

    Attributes:
        unknown: addresses that the mail server has no mailbox for, and says so.
        mails: action id -> how many copies; mail servers do not look at ids.
        unsubscribe: action id -> the header List-Unsubscribe of its mail.
        hooks: action id -> how many times it was posted; a receiver acts on the first.
        on_message: called with the action's id after a message was taken and before delivery is told so.
    """

    def __init__(self) -> None:
        self.mails: Counter[str] = Counter()
        self.unsubscribe: dict[str, str] = {}
        self.hooks: Counter[str] = Counter()
        self.on_message: Callable[[str], None] = lambda _: None
        self.unknown: set[str] = set()
        self.smtp_port = 0
        self.http_port = 0

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.unknown:
            return f"550 5.1.1 <{address}>: no such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(bytes(envelope.content or b""))
        id_ = str(mail["Message-ID"]).strip("<>").partition("@")[0]
        self.mails[id_] += 1
        self.unsubscribe[id_] = str(mail["List-Unsubscribe"])
        self.on_message(id_)
        return "250 OK"

    async def handle_post(self, request: web.Request) -> web.Response:
        id_ = request.headers["webhook-id"]
        self.hooks[id_] += 1
        self.on_message(id_)
        return web.Response(status=204)


@asynccontextmanager
async def listening() -> AsyncIterator[Sinks]:
    """Both servers, on ports of their own."""
    sinks = Sinks()
    smtp = await asyncio.get_running_loop().create_server(lambda: SMTP(sinks), "127.0.0.1", 0)
    sinks.smtp_port = smtp.sockets[0].getsockname()[1]
    app = web.Application()
    app.router.add_post("/", sinks.handle_post)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sinks.http_port = runner.addresses[0][1]
    try:
        yield sinks
    finally:
        smtp.close()
        await runner.cleanup()
