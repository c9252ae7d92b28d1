"""Every reason for which a message does not leave comes with what to do, in settings that exist."""

from __future__ import annotations

import re

import pytest

from orchestrator.cli.settings import DeliverySettings, SmtpSettings, WebhookSettings
from orchestrator.delivery.advice import _BY_REASON, _OTHERWISE, advice

SECTIONS = {
    "smtp": SmtpSettings.model_fields,
    "webhooks.sms": WebhookSettings.model_fields,
    "senders": DeliverySettings.model_fields,
}
REASONS = [
    *_BY_REASON,
    *("unreachable", "smtp_451", "smtp_550", "http_302", "http_403", "http_409", "http_500"),
]


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("reason", REASONS)
def test_advice_names_settings_that_exist(reason: str, channel: str) -> None:
    if (channel == "email") == (reason in MAIL_ONLY or reason not in HOOK_ONLY):
        said = advice(channel, reason)
        assert said != _OTHERWISE
        for section, name in re.findall(r"delivery\.(smtp|webhooks\.sms|senders)\.?([a-z_]*)", said):
            assert (name or section) in SECTIONS[section]


MAIL_ONLY = {
    "authentication_refused",
    "authentication_required",
    "tls_missing",
    "sender_refused",
    "smtp_451",
    "smtp_550",
}
HOOK_ONLY = {reason for reason in REASONS if reason.startswith("http_")} | {
    "gone", "address_not_allowed", "channel_not_configured",
}  # fmt: skip


def test_what_nobody_can_mend_is_told_as_that() -> None:
    assert advice("email", "expired") == "nothing is to be done here"
