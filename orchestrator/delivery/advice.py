"""What an operator is to do about a message that did not leave: for each reason, a setting or a log to look at."""

import re
from typing import Final

_BY_REASON: Final = {
    "authentication_refused": "the mail server does not take {at}.username and {at}.password",
    "authentication_required": "the mail server wants a user, or TLS: set {at}.username, {at}.password and {at}.tls",
    "certificate": "the certificate of the other side cannot be trusted: it has to be for the name in the settings",
    "tls_missing": "the mail server offers no TLS, and {at}.tls asks for it",
    "sender_refused": "the mail server does not let us send under this name: see {at}.sender and delivery.senders",
    "timeout": "an answer takes longer than {at}.timeout; look at the log of the other side",
    "connection_lost": "the other side ends conversations in their middle; look at its log",
    "gone": "the receiver says that it is gone for good (410): see {at}.url",
    "address_not_allowed": "the receiver's address is not a public one: if that is meant, name it in {at}.allow_hosts",
    "channel_not_configured": "nothing sends on this channel: set {at}.url and {at}.secret",
    "release_unknown": "its release is not on the topic bundles any more: publish that bundle again",
    "http_401": "the receiver does not take our signature: {at}.secret must be the same as its own",
    "http_404": "nothing listens at the path in {at}.url",
    "http_429": "the receiver is asked less often until it takes more",
    "http_503": "the receiver is asked less often until it takes more",
    "too_large": "its content is larger than the channel takes: shorten it",
    "template_error": "correct the content and publish",
}
_BY_FORM: Final = (
    (re.compile(r"http_3\d\d"), "redirects are not followed: put the address that it leads to into {at}.url"),
    (re.compile(r"http_403"), "the receiver does not let us in: see {at}.secret, and its log"),
    (re.compile(r"http_4\d\d"), "the receiver does not take this: look at its log"),
    (re.compile(r"http_\d+"), "the receiver fails: look at its log"),
    (re.compile(r"smtp_4\d\d"), "the mail server puts it off: its log says why"),
    (re.compile(r"smtp_5\d\d"), "the mail server refuses it for good: its log says why"),
)
_OTHERWISE: Final = "nothing is to be done here"


def advice(channel: str, reason: str) -> str:
    """What to do about `reason` on `channel`, in one sentence without a customer's data."""
    mail = channel == "email"
    at = "delivery.smtp" if mail else f"delivery.webhooks.{channel}"
    if reason == "unreachable":
        return f"see whether it runs, and {at}.host and {at}.port" if mail else f"see whether it runs, and {at}.url"
    known = _BY_REASON.get(reason) or next((text for form, text in _BY_FORM if form.fullmatch(reason)), _OTHERWISE)
    return known.format(at=at)
