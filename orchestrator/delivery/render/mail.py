"""An e-mail from rendered parts: headers that cannot be injected into, a text beside the HTML, one id per action."""

import re
from email.errors import HeaderParseError
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime, getaddresses
from functools import lru_cache
from html import escape
from typing import Any, Final

import msgspec

from orchestrator.delivery.outcome import at
from orchestrator.delivery.render.plain import plain_text
from orchestrator.model.ids import made_id

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
_BODY_TAG: Final = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_MAX_SUBJECT: Final = 500
_MAX_ADDRESS: Final = 320
_PREHEADER: Final = '<div style="display:none;max-height:0;overflow:hidden">{}</div>'
_PAGE: Final = '<!doctype html>\n<html{}><head><meta charset="utf-8"></head><body>{}</body></html>\n'


class AddressError(ValueError):
    """Something that is no single mail address; the text does not repeat it."""


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """An e-mail, rendered.

    Attributes:
        action_id: what makes the Message-ID, so that a copy can be told by it.
        domain: the right side of the Message-ID.
        sender: the From mailbox; `Name <address>` or an address.
        to: the customer's address.
        subject: one line.
        body: HTML or text.
        html: which of them.
        language: of the text, "" where it has none.
        preheader: what a mail reader shows beside the subject.
        reply_to: a mailbox, "" for none.
        thread: the conversation it belongs to, "" for none.
        unsubscribe_url: one-click (RFC 8058), "" for none.
        sent_at: ms; the Date.
    """

    action_id: str
    domain: str
    sender: str
    to: str
    subject: str
    body: str
    html: bool
    sent_at: int
    language: str = ""
    preheader: str = ""
    reply_to: str = ""
    thread: str = ""
    unsubscribe_url: str = ""


def message_id(action_id: str, domain: str) -> str:
    """The Message-ID of an action's mail: every copy of it has the same."""
    return f"<{action_id}@{domain}>"


def thread_reference(thread: str, domain: str) -> str:
    """What all our mails of a thread refer to, so that mail readers show them together.

    It stands for the thread's beginning, which may have been a chat: no mail with this id need exist.
    """
    return f"<thread.{made_id('thread', thread)}@{domain}>"


class _Unfolded(UnstructuredHeader, BaseHeader):
    """A header that programs read: a long address in it stays as it is, on one line.

    The library would write what does not fit into 78 columns as encoded words, which no mail program decodes here: it
    would find no link to unsubscribe with. RFC 5322 allows lines of 998.
    """

    def fold(self, *, policy: "Policy[Any]") -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _headers() -> HeaderRegistry:
    registry = HeaderRegistry()
    for name in ("list-unsubscribe", "in-reply-to", "references"):
        registry.map_to_type(name, _Unfolded)
    return registry


_POLICY: Final = SMTP.clone(header_factory=_headers())


def compose(letter: Letter) -> EmailMessage:
    """The message, ready for SMTP.

    Raises:
        AddressError: recipient, sender or reply-to is no single mail address.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = mailbox(letter.sender)
    mail["To"] = Address(addr_spec=bare_address(letter.to))
    mail["Subject"] = one_line(letter.subject)[:_MAX_SUBJECT]
    mail["Date"] = format_datetime(at(letter.sent_at))
    mail["Message-ID"] = message_id(letter.action_id, letter.domain)
    mail["Auto-Submitted"] = "auto-generated"
    if letter.reply_to:
        mail["Reply-To"] = mailbox(letter.reply_to)
    if letter.thread:
        reference = thread_reference(letter.thread, letter.domain)
        mail["In-Reply-To"] = reference
        mail["References"] = reference
    if letter.unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _add_body(mail, letter)
    if letter.language:
        mail["Content-Language"] = one_line(letter.language)
    return mail


def _add_body(mail: EmailMessage, letter: Letter) -> None:
    if not letter.html:
        mail.set_content(letter.body)
        return
    mail.set_content(plain_text(letter.body))
    mail.add_alternative(_page(letter), subtype="html")


def _page(letter: Letter) -> str:
    preheader = _PREHEADER.format(escape(one_line(letter.preheader))) if letter.preheader else ""
    found = _BODY_TAG.search(letter.body)
    if found is None:
        language = f' lang="{escape(one_line(letter.language))}"' if letter.language else ""
        return _PAGE.format(language, preheader + letter.body)
    return letter.body[: found.end()] + preheader + letter.body[found.end() :]


def one_line(text: str) -> str:
    """Text as it may stand in a header: no line ends, no control characters."""
    return _CONTROL.sub(" ", text).strip()


def bare_address(text: str) -> str:
    """One mail address without a name.

    Raises:
        AddressError: it is none, or more than one.
    """
    text = text.strip()
    if _CONTROL.search(text) or len(text) > _MAX_ADDRESS or text.count("@") != 1:
        raise AddressError("this is not one mail address")
    try:
        parsed = Address(addr_spec=text)
    except (ValueError, HeaderParseError, IndexError):
        raise AddressError("this is not one mail address") from None
    if not parsed.username or not parsed.domain:
        raise AddressError("this is not one mail address")
    return text


@lru_cache(maxsize=256)
def mailbox(text: str) -> Address:
    """A mailbox, `Name <address>` or an address.

    Raises:
        AddressError: it is none, or more than one.
    """
    found = getaddresses([one_line(text)])
    if len(found) != 1 or _CONTROL.search(text.strip()):
        raise AddressError("this is not one mailbox")
    name, address = found[0]
    return Address(display_name=name, addr_spec=bare_address(address))
