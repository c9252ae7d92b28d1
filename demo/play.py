"""Playing: what people and systems do, each step shown on the timeline. Nothing here judges."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

from demo.people import whose
from demo.producer import Happening

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.mailbox import Mail
    from demo.people import Person
    from demo.producer import Producer
    from demo.timeline import Timeline
    from demo.visitor import Browser, Page

LATE: Final = 2.0
"""s after a due time at which what is due has been looked at, on any machine."""


def events_of(channel: str, source: str) -> Callable[..., Happening]:
    """Words for the events of a channel.

    Args:
        channel: where they happen.
        source: the system that tells of them.

    Returns:
        Called with a type and properties, `web("page_read", seconds=150)`, what happened.
    """

    def happening(kind: str, **data: Any) -> Happening:
        return Happening(channel, kind, data, source)

    return happening


@dataclass
class Play:
    """What can be done in the story.

    Attributes:
        timeline: shows each step.
        producer: writes events, to Kafka or over HTTP.
        browser: asks what to show.
        pace: seconds before each step, for who reads along.
        events: how many events were sent so far.
    """

    timeline: Timeline
    producer: Producer
    browser: Browser
    pace: float = 0.0
    events: int = field(default=0)

    async def over_kafka(self, person: Person, told: str, happening: Happening) -> dict[str, Any]:
        """A system of the company writes an event to its Kafka topic; gives the event."""
        await asyncio.sleep(self.pace)
        event = self.producer.event(happening)
        key = await self.producer.to_kafka(event)
        self.events += 1
        why = f"Kafka channel.{happening.channel}, " + (f"key {key}" if key else "no key: it is nobody's own")
        self.timeline.row("event", person.name, happening.channel, told, why)
        return event

    async def over_http(self, person: Person, told: str, happening: Happening) -> None:
        """A system of the company posts an event to the gateway."""
        await self.posts(person, told, self.producer.event(happening))

    async def posts(self, person: Person, told: str, event: dict[str, Any]) -> None:
        """Post an event, which may be one that was sent before."""
        await asyncio.sleep(self.pace)
        await self.producer.over_http(event)
        self.events += 1
        self.timeline.row("event", person.name, event["channel"], told, f"POST /v1/events, {event['type']}")

    async def opens(
        self,
        person: Person,
        told: str,
        viewed: Happening,
        slots: tuple[str, ...],
        asked: dict[str, Any],
        link: str = "",
    ) -> Page:
        """Somebody opens a page; the page asks what to show, with the page view that made the request.

        Args:
            person: who.
            told: what they do, in words.
            viewed: the page view.
            slots: what the page has to fill.
            asked: what the page knows of itself.
            link: the link of a mail that was followed; its token goes along.
        """
        await asyncio.sleep(self.pace)
        page = await self.browser.opens(viewed, slots, asked, token_of(link))
        self.events += 1
        why = f"POST /v1/decide with the {viewed.type}" + (" and the link's token" if link else "")
        self.timeline.row("event", person.name, viewed.channel, told, why)
        shown = ", ".join(f"{slot.rpartition('.')[2]} {page.content(slot)}" for slot in slots)
        self.timeline.row(
            "page", person.name, viewed.channel, f"sees {shown}", f"version {page.version}, answered in {page.ms} ms"
        )
        return page

    async def until(self, due: int) -> None:
        """Let time pass until certainly after `due` (ms since the epoch): only then is seen what did not happen."""
        await asyncio.sleep(max(0.0, due / 1000 + LATE - time.time()))


def show_mail(timeline: Timeline, mail: Mail) -> None:
    """Show a mail that was handed over."""
    signed = sum(1 for link in mail.links if token_of(link))
    why = f"SMTP, {signed} of {len(mail.links)} links signed, action {mail.action[:8]}"
    timeline.row("mail", whose(f"email:{mail.to}").name, "email", f"gets the mail “{mail.subject}”", why)


def token_of(link: str) -> str:
    """The signed token that a link carries, empty without one."""
    return next(iter(parse_qs(urlsplit(link).query).get("token", ())), "")
