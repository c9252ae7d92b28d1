"""`orchestrator deliver`: what it refuses, in one line that says what to do, without showing a secret."""

import pytest

from orchestrator.cli.deliver import _senders, _site, _ways
from orchestrator.cli.errors import UserError
from orchestrator.cli.settings import DeliverySettings, SmtpSettings, WebhookSettings
from orchestrator.delivery.render.message import Site
from orchestrator.delivery.ways import MailWay, WebhookWay

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def with_webhook(secret: str) -> DeliverySettings:
    hook = WebhookSettings.model_validate({"url": "https://hook.example/sms", "secret": secret})
    return DeliverySettings(webhooks={"sms": hook})


def test_email_goes_by_smtp_and_every_configured_webhook_is_a_channel() -> None:
    ways = _ways(with_webhook(SECRET))
    assert {name: type(way) for name, way in ways.items()} == {"email": MailWay, "sms": WebhookWay}


def test_a_bad_secret_names_its_setting_and_is_not_shown() -> None:
    with pytest.raises(UserError, match=r"delivery\.webhooks\.sms: a webhook secret must") as error:
        _ways(with_webhook("whsec_c2hvcnQ="))
    assert "c2hvcnQ" not in str(error.value)


def test_an_empty_secret_is_refused_rather_than_that_webhooks_go_out_unsigned() -> None:
    with pytest.raises(UserError, match=r"delivery\.webhooks\.sms: a webhook secret must hold 24 to 64 bytes"):
        _ways(with_webhook(""))


def test_a_bad_sender_is_refused() -> None:
    with pytest.raises(UserError, match=r"delivery\.smtp\.sender"):
        _ways(DeliverySettings(smtp=SmtpSettings(sender="nobody")))
    with pytest.raises(UserError, match=r"delivery\.(smtp\.)?sender"):
        _ways(DeliverySettings(senders={"ag-1": "two@b.example, three@b.example"}))


def test_senders_have_names() -> None:
    assert _senders(["ag-1=Ana <ana@shop.example>"]) == {"ag-1": "Ana <ana@shop.example>"}
    for given in ("Ana <ana@shop.example>", "=x@y.example"):
        with pytest.raises(UserError, match="NAME=MAILBOX"):
            _senders([given])


def site(url: str = "", unsubscribe_url: str = "", hosts: tuple[str, ...] = ()) -> Site:
    return _site(DeliverySettings(site_url=url, unsubscribe_url=unsubscribe_url, token_hosts=hosts))


def test_the_site_gives_the_unsubscribe_address_unless_another_is_given() -> None:
    assert site("https://shop.example/").unsubscribe_url == "https://shop.example/unsubscribe"
    assert site("https://shop.example", "https://u.example/x").unsubscribe_url == "https://u.example/x"
    assert site().unsubscribe_url == ""
    assert site("https://shop.example", hosts=("a.example",)).hosts == ("a.example",)


@pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example", "https://", "/shop"])
def test_an_address_that_is_not_whole_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="site_url must be a whole address"):
        site(url)
    with pytest.raises(UserError, match="unsubscribe_url must be a whole address"):
        site("https://shop.example", url)
