"""What a customer's own words can do to a message: nothing. Nor are they repeated in an error, which is logged."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.delivery.render.mail import AddressError, Letter, compose
from orchestrator.language.liquid.templates import TemplateError, Templates

CANARY = "amy.canary@example.com"
VALUES: dict[str, Any] = {"who": CANARY, "named": {"ben": "Ben"}, "rows": [{"sku": "lumo-1"}], "word": "canary"}

SAME_ID = {"action_id": "0" * 32, "domain": "shop.example", "sent_at": 1_772_442_000_000}


@pytest.fixture(scope="module")
def templates() -> Templates:
    return Templates()


@pytest.mark.parametrize(
    "source",
    [
        "{{ named[who] }}",
        "{{ named[word] }}",
        "{{ rows[0][who].price }}",
        "{% for each in named[who] %}{{ each }}{% endfor %}",
        "{{ who | compact: who }}",
        "{{ rows | compact: who }}",
        "{{ who | date: '%Y' }}",
        "{{ rows | slice: who }}",
    ],
)
def test_an_error_of_a_template_names_its_place_and_repeats_no_value(templates: Templates, source: str) -> None:
    with pytest.raises(TemplateError, match="the template") as refused:
        templates.render(source, VALUES)
    assert "canary" not in str(refused.value)


def test_a_name_that_the_template_itself_writes_is_told(templates: Templates) -> None:
    with pytest.raises(TemplateError, match=r"named\.dan is undefined \(UndefinedError\), at line 2, column 4"):
        templates.render("Hello\n{{ named.dan }}", VALUES)


def test_blocks_nested_beyond_reason_are_refused_before_they_are_rendered(templates: Templates) -> None:
    templates.check("{% if who %}" * 15 + "{% endif %}" * 15)
    with pytest.raises(TemplateError):
        templates.check("{% if who %}" * 30 + "{% endif %}" * 30)


def test_what_a_template_keeps_for_itself_is_bounded_as_what_it_writes_is(templates: Templates) -> None:
    keeps = "".join(f"{{% capture kept{number} %}}{{{{ text }}}}{{% endcapture %}}" for number in range(60))
    with pytest.raises(TemplateError, match="LocalNamespaceLimit"):
        templates.render(keeps, {"text": "a" * 100_000})


def letter(**given: Any) -> Letter:
    return Letter(**{
        **SAME_ID, "sender": "shop@shop.example", "to": "amy@example.com", "subject": "Hello", "body": "<p>Hi</p>",
        "html": True, **given,
    })  # fmt: skip


def test_what_stands_beside_the_subject_is_no_markup() -> None:
    page = compose(letter(preheader="</div><script>steal()</script>")).get_body(("html",))
    assert page is not None
    assert "&lt;/div&gt;&lt;script&gt;steal()" in page.get_content()
    assert "<script>" not in page.get_content()


@pytest.mark.parametrize("field", ["sender", "reply_to", "to"])
@pytest.mark.parametrize(
    "address",
    [
        "Ana\r\nBcc: everybody <ana@shop.example>",
        "ana@shop.example\nBcc: everybody@example.com",
        "ana@shop.example\r\n\r\nA body of one's own",
        "ana@shop.example, everybody@example.com",
    ],
)
def test_a_mailbox_that_would_be_more_than_one_line_or_one_person_is_refused(field: str, address: str) -> None:
    with pytest.raises(AddressError) as refused:
        compose(letter(**{field: address}))
    assert "everybody" not in str(refused.value)


@pytest.mark.parametrize("field", ["subject", "thread", "language"])
def test_no_header_is_added_by_what_stands_in_another(field: str) -> None:
    mail = compose(letter(**{field: "fr\r\nBcc: everybody@example.com\r\n\r\nA body of one's own"}))
    assert mail["Bcc"] is None
    head, _, _ = mail.as_bytes().partition(b"\r\n\r\n")
    assert not [line for line in head.split(b"\r\n") if line.lower().startswith((b"bcc:", b"a body"))]
