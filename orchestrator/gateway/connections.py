"""A client's connection: it is given up when a request's head does not arrive in time."""

import asyncio
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """The server's protocol, with a time limit where it has none.

    A connection on which nothing was ever asked, or half a head, would stay open for as long as its client likes: a
    handful of machines, or a network that drops packets, could hold all that a process may have. Between two requests
    the server's own limit counts, and for bodies the routes'.
    """

    head_seconds: ClassVar[float] = 10.0
    """From the first byte of a head to its end. Before the very first one, a connection may rest like any other."""

    _waiting: asyncio.TimerHandle | None = None
    _begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the server's own
        super().connection_made(transport)
        self._close_after(self.timeout_keep_alive)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._rest()
        elif not self._begun:
            self._rest()
            self._begun = True
            self._close_after(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def _close_after(self, seconds: float) -> None:
        self._waiting = self.loop.call_later(seconds, self.transport.close)

    def _rest(self) -> None:
        self._begun = False
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _unsupported_upgrade_warning(self) -> None:
        """Nothing to warn of: clients that know HTTP/2 (Java's) offer it with every request, and do without."""
