"""What was said: messages sent, threads, intents in a text."""

from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError, Timestamp
from orchestrator.model.customer import Contact, Thread, Turn

if TYPE_CHECKING:
    from orchestrator.engine.intents import Intents
    from orchestrator.model.customer import Customer


class ConversationFunctions:
    """Part of the evaluation context: needs `customer` and `intents`."""

    customer: "Customer"
    intents: "Intents"

    def message(self, ref: str) -> dict[str, Any]:
        """A message sent, by id or by content name (the newest)."""
        contact = self.contact(ref)
        if contact is None:
            raise CelError("no such message was sent")
        thread = self.customer.threads.get(contact.thread)
        about = list(contact.about) + ([thread.about] if thread and thread.about not in {"", *contact.about} else [])
        return {
            "content": contact.content,
            "topic": contact.topic,
            "about": about,
            "offer": contact.offer,
            "thread": contact.thread,
            "channel": contact.channel,
            "at": Timestamp.of_ms(contact.at),
        }

    def contact(self, ref: str) -> Contact | None:
        """The newest contact with this id or content name."""
        for contact in reversed(self.customer.contacts):
            if ref in (contact.id, contact.content):
                return contact
        return None

    def thread(self, name: str) -> dict[str, Any]:
        known = self.customer.threads.get(name)
        if known is None:
            raise CelError("no such thread")
        return thread_map(known)

    def thread_of(self, ref: str) -> str:
        """The thread that a message belongs to, "" where it belongs to none."""
        contact = self.contact(ref)
        return contact.thread if contact else ""

    def intent(self, text: str, names: list[str] | None = None) -> str:
        return self.intents.first(text, names)

    def found(self, text: str, name: str) -> str:
        return self.intents.extract(text, name)


def thread_map(thread: Thread) -> dict[str, Any]:
    """A thread as conditions see it."""
    return {
        "id": thread.id,
        "turns": thread.turns,
        "asked": thread.asked,
        "open": thread.open,
        "channels": thread.channels,
        "about": thread.about,
        "agent": thread.agent,
        "last": turn_map(thread.recent[-1]) if thread.recent else {},
        "recent": [turn_map(turn) for turn in thread.recent],
    }


def turn_map(turn: Turn) -> dict[str, Any]:
    """A turn as conditions see it."""
    return {
        "at": Timestamp.of_ms(turn.at),
        "by": turn.by,
        "channel": turn.channel,
        "text": turn.text,
        "about": turn.about,
        "agent": turn.agent,
        "id": turn.id,
    }
