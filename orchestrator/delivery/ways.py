"""The channels as delivery uses them: a message in, a result out."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from orchestrator.delivery.channels.smtp import SmtpSender
from orchestrator.delivery.channels.webhook import WebhookSender
from orchestrator.delivery.decide import Refused, Result
from orchestrator.delivery.ledger import Outcome
from orchestrator.delivery.outcome import iso
from orchestrator.delivery.render.mail import AddressError, Letter, bare_address, compose, mailbox
from orchestrator.delivery.render.message import Message
from orchestrator.model.effect import Action

_encode = msgspec.json.Encoder().encode


class Way(Protocol):
    """One channel's way out."""

    async def deliver(self, action: Action, message: Message, now: int) -> Result:
        """One attempt; gives a result whatever happens on the way."""
        ...

    async def close(self) -> None:
        """Give up what connections there are."""
        ...


class MailWay:
    """E-mail over SMTP."""

    def __init__(self, smtp: SmtpSender, sender: str, senders: Mapping[str, str], domain: str = "") -> None:
        """A way out by mail.

        Args:
            smtp: the mail server.
            sender: the From mailbox where neither action nor content names one.
            senders: mailboxes by the names that actions and contents use (agents, teams).
            domain: the right side of Message-IDs; "" for the domain of `sender`.

        Raises:
            AddressError: `sender` or one of `senders` is no mailbox.
        """
        self._smtp = smtp
        self._sender = sender
        self._senders = {name: str(mailbox(text)) for name, text in senders.items()}
        self._domain = domain or mailbox(sender).domain

    async def deliver(self, action: Action, message: Message, now: int) -> Result:
        try:
            letter = self._letter(action, message, now)
            mail = compose(letter)
            envelope = mailbox(letter.sender).addr_spec, bare_address(letter.to)
        except AddressError:
            return Refused(Outcome.FAILED, "bad_address")
        if not letter.body.strip():
            return Refused(Outcome.FAILED, "empty_body")
        return await self._smtp.send(mail, *envelope)

    async def close(self) -> None:
        await self._smtp.close()

    def _letter(self, action: Action, message: Message, now: int) -> Letter:
        fields = message.fields
        return Letter(
            action_id=action.id,
            domain=self._domain,
            sender=self._mailbox(action, fields.get("sender")),
            to=action.address,
            subject=fields.get("subject") or "",
            body=fields.get("body") or "",
            html=message.html,
            sent_at=now,
            language=message.language,
            preheader=fields.get("preheader") or "",
            reply_to=fields.get("reply_to") or "",
            thread=action.thread,
            unsubscribe_url=message.unsubscribe_url,
        )

    def _mailbox(self, action: Action, named: str | None) -> str:
        """Who writes: the content's sender, else the action's, by name or as a mailbox; else the default."""
        for name in (named, action.sender):
            if name and name in self._senders:
                return self._senders[name]
            if name and "@" in name:
                return name
        return self._sender


class WebhookWay:
    """Any other channel: a signed JSON document, posted to who sends it on."""

    def __init__(self, hook: WebhookSender) -> None:
        """A way out by webhook."""
        self._hook = hook

    async def deliver(self, action: Action, message: Message, now: int) -> Result:
        return await self._hook.send(action.id, payload(action, message))

    async def close(self) -> None:
        await self._hook.close()


def payload(action: Action, message: Message) -> bytes:
    """The body of a webhook: the same bytes on every attempt."""
    data: dict[str, Any] = {
        "id": action.id,
        "tenant": action.tenant,
        "channel": action.channel,
        "address": action.address,
        "class": action.class_,
        "content": action.content,
        "topic": action.topic,
        "about": action.about,
        "language": message.language,
        "message": message.fields,
        "thread": action.thread,
        "sender": action.sender,
        "valid_until": iso(action.valid_until),
    }
    return _encode({"type": f"message.{action.kind}", "timestamp": iso(action.at), "data": data})
