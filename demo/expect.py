"""What the story may expect, in its own words. Each looks where anybody could: gateway, topics, mailbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from demo.checks import Checks, Seen
from demo.people import HOUSE
from demo.play import token_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.decisions import Decisions
    from demo.mailbox import Mail, Mailbox
    from demo.people import Person
    from demo.visitor import Browser, Page
    from demo.watch import Watch

Context = dict[str, Any]


@dataclass
class Expect:
    """Expectations about what customers see, get and are known by.

    Attributes:
        checks: where they are kept.
        decisions: shows the reasons that contexts give.
        browser: asks the gateway for contexts.
        watch: what was decided.
        mailbox: what was delivered.
    """

    checks: Checks
    decisions: Decisions
    browser: Browser
    watch: Watch
    mailbox: Mailbox

    def shows(self, person: Person, page: Page, slot: str, content: str, because: str) -> None:
        """A page shows a content in a slot (`nothing` for an empty one)."""
        seen = page.content(slot)
        self.checks.now(person, because, Seen(seen == content, f"{slot} shows {seen}, expected {content}"))

    def filled(self, person: Person, page: Page, slot: str, because: str, **values: Any) -> None:
        """A slot's content comes with these values."""
        seen = page.answers[slot].get("values", {})
        self.checks.now(person, because, Seen(values.items() <= seen.items(), f"{slot} has the values {seen}"))

    def linked(self, person: Person, page: Page, because: str) -> None:
        """The token of the link was taken for a signed one of ours."""
        self.checks.now(person, because, Seen(page.link == "linked", f"the token was {page.link or 'not looked at'}"))

    async def profile(self, person: Person, identifier: str, because: str, wanted: dict[str, Any]) -> None:
        """Traits have these values: `{"score.lumo-1": 50}`. A set holds if all of it is there."""

        def look(context: Context) -> Seen:
            found = {path: _at(context["profile"], path) for path in wanted}
            held = all(_matches(found[path], value) for path, value in wanted.items())
            return Seen(held, ", ".join(f"{path} = {value!r}" for path, value in found.items()))

        await self._context(person, identifier, because, look)

    async def joined(self, person: Person, identifier: str, because: str, *others: str) -> None:
        """One customer answers to all these identifiers."""

        def look(context: Context) -> Seen:
            known = context["identifiers"]
            return Seen({identifier, *others} <= set(known), f"identifiers {', '.join(known)}")

        await self._context(person, identifier, because, look)

    async def waiting(self, person: Person, identifier: str, scenario: str, because: str, *, after: int = 0) -> int:
        """A journey stands at a step with a timer that is due after a moment; gives when, ms since the epoch.

        Raises:
            BrokenOffError: there is none.
        """

        def look(context: Context) -> Seen:
            dues = [
                standing["due"]
                for journey in context["journeys"]
                if journey["scenario"] == scenario
                for standing in journey["standing"]
                if standing["due"] > after
            ]
            running = ", ".join(journey["scenario"] for journey in context["journeys"]) or "none"
            return Seen(bool(dues), f"journeys: {running}", min(dues, default=0))

        due: int = await self._context(person, identifier, because, look, needed=True)
        return due

    async def ended(self, person: Person, identifier: str, scenario: str, reason: str, because: str) -> None:
        """A journey has ended, for this reason."""

        def look(context: Context) -> Seen:
            lines = [line for line in context["decisions"] if line["scenario"] == scenario]
            told = "; ".join(f"{line['what']} {line['reason']}".strip() for line in lines) or "no decision on it"
            running = any(
                journey["scenario"] == scenario and journey["mode"] == "live" for journey in context["journeys"]
            )
            return Seen(any(line["reason"] == reason for line in lines) and not running, told)

        await self._context(person, identifier, because, look)

    async def mail(self, person: Person, content: str, because: str, number: int = 1) -> Mail:
        """The `number`th mail of a content arrives; gives it.

        Raises:
            BrokenOffError: it does not.
        """

        def look() -> Seen:
            decided = {action["id"] for action in self.watch.sent(person, content)}
            mails = [mail for mail in self.mailbox.to(person.email) if mail.action in decided]
            held = len(mails) >= number
            return Seen(held, self._mails_of(person), mails[number - 1] if held else None)

        mail: Mail = await self.checks.soon(person, because, look, needed=True)
        return mail

    def signed(self, person: Person, mail: Mail, because: str) -> str:
        """Every link of a mail carries a token; gives the first link."""
        held = bool(mail.links) and all(token_of(link) for link in mail.links)
        self.checks.now(person, because, Seen(held, f"links {', '.join(mail.links) or 'none'}"))
        return mail.links[0] if mail.links else ""

    def not_before(self, person: Person, mail: Mail, due: int, because: str) -> None:
        """A mail came after its due time (ms since the epoch)."""
        after = mail.at.timestamp() - due / 1000
        self.checks.now(person, because, Seen(after >= 0, f"it came {after:.1f} s after the due time"))

    def mails(self, person: Person, because: str, *contents: str) -> None:
        """Exactly these messages were decided on and handed over, in this order."""
        decided = [action["content"] for action in self.watch.sent(person)]
        arrived = len(self.mailbox.to(person.email))
        held = decided == list(contents) and arrived == len(contents)
        seen = f"decided {', '.join(decided) or 'nothing'}; {arrived} mails arrived"
        self.checks.now(person, because, Seen(held, seen))

    def message(self, person: Person, content: str, because: str, **values: Any) -> None:
        """The messages of a content were decided on with these values."""
        found = [action.get("values", {}) for action in self.watch.sent(person, content)]
        held = bool(found) and all(values.items() <= each.items() for each in found)
        self.checks.now(person, because, Seen(held, f"{content} has the values {found or 'of no message'}"))

    async def passed(self, person: Person, identifier: str, moment: int, because: str) -> None:
        """A customer's own time, as the orchestrator has it, is past a moment (ms since the epoch)."""

        def look(context: Context) -> Seen:
            return Seen(context["now"] > moment, f"{(moment - context['now']) / 1000:.1f} s are missing")

        await self._context(person, identifier, because, look)

    async def task(self, person: Person, queue: str, state: str, because: str) -> None:
        """A task of a queue is in a state."""

        def look() -> Seen:
            states = [task["state"] for task in self.watch.tasks.values() if task["queue"] == queue]
            return Seen(state in states, f"{queue}: {', '.join(states) or 'no task'}")

        await self.checks.soon(person, because, look)

    async def told(self, person: Person, kind: str, because: str, **data: Any) -> None:
        """Other systems were told of an event with these properties."""

        def look() -> Seen:
            events = [event["data"] for event in self.watch.emitted if event["type"] == kind]
            held = any(data.items() <= event.items() for event in events)
            return Seen(held, f"{kind}: {events or 'none'}")

        await self.checks.soon(person, because, look)

    def nothing_refused(self, because: str) -> None:
        """No record went to the dead letters."""
        refused = self.watch.dead_letters
        self.checks.now(HOUSE, because, Seen(not refused, f"dead letters, by reason: {', '.join(refused) or 'none'}"))

    async def delivered(self, person: Person, because: str) -> None:
        """Delivery said of every message to this person that it was handed over."""

        def look() -> Seen:
            outcomes = {
                action["content"]: self.watch.outcomes.get(action["id"], "") for action in self.watch.sent(person)
            }
            open_ = [
                f"{content} {outcome or 'open'}" for content, outcome in outcomes.items() if outcome != "delivered"
            ]
            return Seen(not open_, f"not delivered: {', '.join(open_)}")

        await self.checks.soon(person, because, look)

    async def _context(
        self,
        person: Person,
        identifier: str,
        because: str,
        judge: Callable[[Context], Seen],
        *,
        needed: bool = False,
    ) -> Any:
        async def look() -> Seen:
            try:
                context = await self.browser.context(identifier)
            except httpx.HTTPError as error:
                return Seen(holds=False, what=f"the gateway did not answer: {error}")
            if context is None:
                return Seen(holds=False, what="nobody is known")
            seen = judge(context)
            if seen.holds:
                self.decisions.show(person, context)
            return seen

        return await self.checks.soon(person, because, look, needed=needed)

    def _mails_of(self, person: Person) -> str:
        decided = ", ".join(action["content"] for action in self.watch.sent(person)) or "nothing"
        arrived = ", ".join(mail.subject for mail in self.mailbox.to(person.email)) or "none"
        return f"decided for {person.name}: {decided}; mails: {arrived}"


def _at(profile: dict[str, Any], path: str) -> Any:
    """`score.lumo-1` -> profile["score"]["lumo-1"]; None where there is none."""
    found: Any = profile
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _matches(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, set):
        return isinstance(found, list) and wanted <= set(found)
    return bool(found == wanted)
