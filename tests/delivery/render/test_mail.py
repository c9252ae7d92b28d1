import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from orchestrator.delivery.render.mail import AddressError, Letter, bare_address, compose, mailbox

LETTER = Letter(
    action_id="a" * 32,
    domain="lumo.example",
    sender="Lumo <hello@lumo.example>",
    to="amy@example.com",
    subject="Votre question: réponse",
    body="<p>Bonjour <a href='https://lumo.example/x'>Lumo</a></p>",
    html=True,
    sent_at=1_772_000_000_000,
    language="fr",
    preheader="Une réponse",
)


def letter(**changes: Any) -> EmailMessage:
    mail = compose(msgspec.structs.replace(LETTER, **changes))
    read = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_a_letter_has_a_text_beside_its_html_and_says_who_and_when() -> None:
    mail = letter()
    assert mail["From"] == "Lumo <hello@lumo.example>"
    assert mail["To"] == "amy@example.com"
    assert mail["Subject"] == "Votre question: réponse"
    assert mail["Date"] == "Wed, 25 Feb 2026 06:13:20 +0000"
    assert mail["Content-Language"] == "fr"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().strip() == "Bonjour Lumo (https://lumo.example/x)"
    assert '<html lang="fr">' in html.get_content()
    assert "Une réponse" in html.get_content()


def test_a_letter_whose_language_nobody_knows_claims_none() -> None:
    html = letter(language="").get_body(("html",))
    assert html is not None
    assert "<html><head>" in html.get_content()


def test_every_copy_of_an_actions_mail_has_the_same_id() -> None:
    assert letter()["Message-ID"] == letter(sent_at=1_773_000_000_000)["Message-ID"] == f"<{'a' * 32}@lumo.example>"


def test_mails_of_a_thread_refer_to_the_same_beginning() -> None:
    first, second, other = letter(thread="th-1"), letter(thread="th-1", action_id="b" * 32), letter(thread="th-2")
    assert first["References"] == second["References"] == second["In-Reply-To"]
    assert first["References"] != other["References"]
    assert letter()["References"] is None


def test_marketing_mail_can_be_ended_with_one_click() -> None:
    mail = letter(unsubscribe_url="https://lumo.example/unsubscribe?token=t1.x")
    assert mail["List-Unsubscribe"] == "<https://lumo.example/unsubscribe?token=t1.x>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_long_address_in_a_header_stays_what_it_is() -> None:
    url = f"https://lumo.example/unsubscribe?token=t1.{'x' * 600}"
    raw = compose(msgspec.structs.replace(LETTER, unsubscribe_url=url, domain=f"{'d' * 63}.example", thread="th-1"))
    lines = raw.as_bytes().split(b"\r\n")
    assert f"List-Unsubscribe: <{url}>".encode() in lines
    assert any(re.fullmatch(rb"References: <thread\.[0-9a-f]{32}@d{63}\.example>", line) for line in lines)
    assert max(map(len, lines)) <= 998


def test_a_page_of_its_own_is_kept_and_gets_the_preheader_inside() -> None:
    html = letter(body="<html><body class=x><p>Hi</p></body></html>").get_body(("html",))
    assert html is not None
    assert html.get_content().startswith("<html><body class=x><div style=")


def test_a_plain_body_is_sent_as_text_alone() -> None:
    mail = letter(body="Bonjour", html=False)
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().split() == ["Bonjour"]


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028"])
def test_no_field_can_add_a_header(break_: str) -> None:
    evil = f"x{break_}Bcc: eve@example.com{break_}{break_}body"
    mail = letter(subject=evil, language=evil, preheader=evil, thread=evil)
    assert mail["Bcc"] is None
    assert "Bcc" in mail["Subject"]
    for field in ("to", "sender", "reply_to"):
        with pytest.raises(AddressError):
            letter(**{field: f"amy@example.com{break_}Bcc: eve@example.com"})


@pytest.mark.parametrize(
    "address",
    [
        "",
        "amy",
        "@example.com",
        "amy@",
        "amy@example.com, eve@example.com",
        "amy@example.com eve@example.com",
        "amy@eve@example.com",
        "<amy@example.com>",
        "Amy <amy@example.com>",
        "a" * 400 + "@example.com",
        "amy@example.com\x00",
    ],
)
def test_a_recipient_is_one_bare_address(address: str) -> None:
    with pytest.raises(AddressError) as refusal:
        bare_address(address)
    assert not address or address not in str(refusal.value)


def test_a_mailbox_may_have_a_name_but_there_is_only_one() -> None:
    assert str(mailbox("Équipe, Lumo <hello@lumo.example>".replace(",", ""))) == "Équipe Lumo <hello@lumo.example>"
    for text in ("a@b.example, c@d.example", "nobody", "x <y>"):
        with pytest.raises(AddressError):
            mailbox(text)
