"""A mail server that takes every mail and keeps it, as a file and in memory."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from aiosmtpd.smtp import SMTP

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import Path
    from types import TracebackType

_LINK = re.compile(r'href="([^"]+)"')
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9@.-]+")


@dataclass(frozen=True)
class Mail:
    """A mail as it arrived.

    Attributes:
        at: when, UTC.
        to: the address it was handed over for.
        subject: one line.
        action: the id of the action that it carries out (the left side of its Message-ID).
        links: the targets of its links, in order.
        file: where it is kept.
    """

    at: datetime
    to: str
    subject: str
    action: str
    links: tuple[str, ...]
    file: Path


@dataclass
class Mailbox:
    """An SMTP server on a free port of this machine.

    Attributes:
        folder: where the mails are kept; made if it is not there.
        told: called with every mail that arrives.
        mails: all of them, in the order in which they arrived.
    """

    folder: Path
    told: Callable[[Mail], None]
    mails: list[Mail] = field(default_factory=list)
    _server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens.

        Raises:
            RuntimeError: it has not been started.
        """
        if self._server is None:
            raise RuntimeError("the mailbox has not been started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def to(self, address: str) -> list[Mail]:
        """Every mail to an address, oldest first."""
        return [mail for mail in self.mails if mail.to == address]

    async def __aenter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: SMTP(self, hostname="mail.demo"), "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Take a mail; called by aiosmtpd."""
        for recipient in envelope.rcpt_tos:
            mail = self._kept(bytes(envelope.content), recipient)
            self.mails.append(mail)
            self.told(mail)
        return "250 kept"

    def _kept(self, raw: bytes, recipient: str) -> Mail:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        subject = str(message["Subject"])
        words = _NOT_IN_A_NAME.sub("-", subject.lower()).strip("-")[:40]
        file = self.folder / f"{len(self.mails) + 1:02}-{recipient}-{words}.eml"
        file.write_bytes(raw)
        action = str(message["Message-ID"]).strip("<>").partition("@")[0]
        return Mail(datetime.now(UTC), recipient, subject, action, _links(message), file)


def _links(message: EmailMessage) -> tuple[str, ...]:
    body = message.get_body(("html",))
    return tuple(link.replace("&amp;", "&") for link in _LINK.findall(body.get_content())) if body else ()
