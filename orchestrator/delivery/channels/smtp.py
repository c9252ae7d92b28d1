"""Sending by SMTP: a real conversation on connections that are kept and used again."""

import asyncio
import ssl
import time
from email.message import EmailMessage
from typing import Final

import aiosmtplib
import msgspec

from orchestrator.delivery.decide import Deferred, Delivered, Refused, Result
from orchestrator.delivery.ledger import Outcome

_IDLE_CHECK: Final = 1.0
_GOODBYE: Final = 2.0
_CLOSING_DOWN: Final = 421
_WHO_ARE_YOU: Final = frozenset({530, 534, 535, 538})
_TOO_LARGE: Final = 552


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server and how to talk to it.

    Attributes:
        host: its name.
        port: 25, 465, 587 or another.
        tls: `required` (STARTTLS or no mail), `implicit` (TLS from the first byte), `if_offered`, `never`.
        username: for AUTH, "" for none.
        password: for AUTH.
        hello: the name we say HELO with.
        timeout: seconds for each step of the conversation.
        connections: at most so many at once.
        idle: seconds after which an unused connection is closed.
        mails_per_connection: after so many a connection is renewed.
        ca_file: certificates to trust besides nothing else, "" for the system's.
    """

    host: str
    port: int = 587
    tls: str = "required"
    username: str = ""
    password: str = ""
    hello: str = "localhost"
    timeout: float = 30.0
    connections: int = 4
    idle: float = 30.0
    mails_per_connection: int = 100
    ca_file: str = ""


class SmtpSender:
    """Sends mails over a small pool of connections."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._slots = asyncio.Semaphore(server.connections)
        self._idle: list[_Connection] = []

    async def send(self, mail: EmailMessage, sender: str, recipient: str) -> Result:
        """One attempt; `sender` and `recipient` are bare addresses, the envelope."""
        async with self._slots:
            connection: _Connection | None = None
            try:
                connection = await self._connection()
                await connection.client.send_message(mail, sender=sender, recipients=[recipient])
            except (aiosmtplib.SMTPException, OSError, ValueError) as fault:
                await self._after_failure(connection, fault)
                return read_failure(fault, connected=connection is not None)
            except BaseException:
                if connection is not None:
                    connection.client.close()
                raise
            self._keep(connection)
            return Delivered()

    async def close(self) -> None:
        """Say goodbye on every idle connection."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_leave(connection.client) for connection in idle))

    async def _connection(self) -> "_Connection":
        while self._idle:
            found = self._idle.pop()
            if await found.usable(self._server):
                return found
            await _leave(found.client)
        client = _client(self._server)
        try:
            await client.connect()
        except BaseException:
            client.close()
            raise
        return _Connection(client)

    def _keep(self, connection: "_Connection") -> None:
        connection.mails += 1
        connection.used_at = time.monotonic()
        self._idle.append(connection)

    async def _after_failure(self, connection: "_Connection | None", fault: Exception) -> None:
        if connection is None:
            return
        refused = isinstance(fault, aiosmtplib.SMTPResponseException | aiosmtplib.SMTPRecipientsRefused)
        if refused and connection.client.is_connected:
            self._keep(connection)  # the server refused one mail; the conversation itself is sound
        else:
            connection.client.close()


class _Connection:
    def __init__(self, client: aiosmtplib.SMTP) -> None:
        self.client = client
        self.mails = 0
        self.used_at = time.monotonic()

    async def usable(self, server: SmtpServer) -> bool:
        """Whether another mail may go over it: fresh enough, and the server still there."""
        unused = time.monotonic() - self.used_at
        if not self.client.is_connected or self.mails >= server.mails_per_connection or unused > server.idle:
            return False
        if unused < _IDLE_CHECK:
            return True
        try:
            await self.client.noop(timeout=_GOODBYE)
        except (aiosmtplib.SMTPException, OSError):
            return False
        except BaseException:
            self.client.close()
            raise
        return True


def _client(server: SmtpServer) -> aiosmtplib.SMTP:
    starttls = {"required": True, "if_offered": None}.get(server.tls, False)
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username or None,
        password=server.password or None,
        local_hostname=server.hello,
        timeout=server.timeout,
        use_tls=server.tls == "implicit",
        start_tls=starttls,
        cert_bundle=server.ca_file or None,
    )


async def _leave(client: aiosmtplib.SMTP) -> None:
    try:
        if client.is_connected:
            await client.quit(timeout=_GOODBYE)
    except (aiosmtplib.SMTPException, OSError):
        pass  # it is gone already, which is what was wanted
    finally:
        client.close()


def read_failure(fault: Exception, *, connected: bool) -> Result:
    """What a failed attempt says about the mail, and about the server.

    A mail that may have arrived all the same (the connection broke after its text was sent) is tried again with
    the same Message-ID: better a copy that can be told than a mail that never came.
    """
    if isinstance(fault, aiosmtplib.SMTPRecipientsRefused):
        fault = fault.recipients[0]
    if isinstance(fault, aiosmtplib.SMTPResponseException):
        return _read_reply(fault, connected=connected)
    if isinstance(fault, aiosmtplib.SMTPNotSupported):
        return Refused(Outcome.FAILED, "not_supported") if connected else Deferred("tls_missing", channel_wide=True)
    if not connected:
        return Deferred("certificate" if _distrusted(fault) else "unreachable", channel_wide=True)
    if isinstance(fault, ValueError):
        return Refused(Outcome.FAILED, "bad_address")
    return Deferred("timeout" if isinstance(fault, TimeoutError) else "connection_lost")


def _distrusted(fault: BaseException | None) -> bool:
    while fault is not None and not isinstance(fault, ssl.SSLCertVerificationError):
        fault = fault.__cause__ or fault.__context__
    return fault is not None


def _read_reply(fault: aiosmtplib.SMTPResponseException, *, connected: bool) -> Result:
    """What a reply means. Who we are, and as whom we send, is the operator's to mend: no message dies of it."""
    code = fault.code
    if connected and code in _WHO_ARE_YOU:
        return Deferred("authentication_required", channel_wide=True)
    if isinstance(fault, aiosmtplib.SMTPAuthenticationError):
        return Deferred("authentication_refused", channel_wide=True)
    if not connected:
        return Deferred(f"smtp_{code}", channel_wide=True)
    if code >= 500 and isinstance(fault, aiosmtplib.SMTPSenderRefused):
        return Refused(Outcome.FAILED, "too_large") if code == _TOO_LARGE else Deferred("sender_refused")
    if code >= 500:
        return Refused(Outcome.BOUNCED, f"smtp_{code}")
    return Deferred(f"smtp_{code}", channel_wide=code == _CLOSING_DOWN)
