"""A visitor's browser: it asks the gateway what to show, with the event that made the request."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from demo.producer import post

if TYPE_CHECKING:
    import httpx

    from demo.producer import Happening, Producer

DEADLINE_MS: Final = 10_000
"""A shop would ask for 100 ms and show its defaults after that; the demo would rather wait than show a default."""


@dataclass(frozen=True)
class Page:
    """What the gateway answered.

    Attributes:
        answers: slot -> content, and why.
        version: the customer's version that the answers were made from, None where nobody answered in time.
        link: what became of the token of the link that was followed, "" without one.
        ms: how long the answer took.
    """

    answers: dict[str, dict[str, Any]]
    version: int | None
    link: str
    ms: int

    def content(self, slot: str) -> str:
        """The name of the content that a slot shows, `nothing` where it shows none."""
        return self.answers[slot].get("name") or self.answers[slot]["content"] or "nothing"


@dataclass(frozen=True)
class Browser:
    """Asks over HTTP.

    Attributes:
        http: a client of the gateway.
        producer: gives events their ids.
    """

    http: httpx.AsyncClient
    producer: Producer

    async def opens(self, viewed: Happening, slots: tuple[str, ...], asked: dict[str, Any], token: str = "") -> Page:
        """Open a page.

        Args:
            viewed: the page view, which is applied before the answer.
            slots: what the page has to fill.
            asked: what the page knows of itself, for conditions.
            token: of the signed link that was followed.

        Raises:
            RefusedError: the question was refused.
        """
        body = {
            "channel": viewed.channel,
            "slots": list(slots),
            "attributes": asked,
            "event": self.producer.event(viewed),
            "deadline_ms": DEADLINE_MS,
            **({"token": token} if token else {}),
        }
        started = time.monotonic()
        found = await post(self.http, "/v1/decide", body)
        took = round((time.monotonic() - started) * 1000)
        return Page(found["answers"], found["version"], found["token"] or "", took)

    async def context(self, identifier: str) -> dict[str, Any] | None:
        """What is known of a customer; None where nobody is known by the identifier.

        Raises:
            httpx.HTTPStatusError: the question was refused, or its owner did not answer in time.
        """
        answer = await self.http.get(f"/v1/customers/{identifier}/context", params={"deadline_ms": DEADLINE_MS})
        if answer.status_code == 404:
            return None
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()["context"]
        return found
