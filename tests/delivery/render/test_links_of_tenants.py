"""A tenant's links are signed with its own key: with another's they would open somebody else's, or count nowhere."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from orchestrator.delivery.contents import Content
from orchestrator.delivery.render.message import KeyMissingError, Message, Renderer, Site
from orchestrator.language.liquid.templates import Templates
from orchestrator.model.effect import Action
from orchestrator.model.tokens import ForgedTokenError, verify

NOW = 1_772_442_000_000
KEYS = {"default": (b"d" * 32,), "other": (b"o" * 32, b"p" * 32)}
CONTENT = Content(fields={"body": '<p><a href="https://shop.example/p">p</a></p>', "link": "/p"}, sign_links=True)
SITE = Site(base_url="https://shop.example", unsubscribe_url="https://shop.example/unsubscribe")


def rendered(tenant: str, content: Content = CONTENT) -> Message:
    action = Action(
        id="0" * 32, person="p", tenant=tenant, node=f"{tenant}/email:amy@example.com", channel="email",
        address="amy@example.com", content="em.news", release="r", class_="marketing", at=NOW, valid_until=NOW + 1_000,
    )  # fmt: skip
    return Renderer(Templates(), SITE, lambda name: KEYS.get(name, ())).render(action, content)


def token_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["token"][0]


@pytest.mark.parametrize(("tenant", "another"), [("default", "other"), ("other", "default")])
def test_a_link_opens_with_its_tenants_current_key_and_names_its_customer(tenant: str, another: str) -> None:
    message = rendered(tenant)
    token = token_of(message.fields["link"])
    assert verify(token, KEYS[tenant][:1], NOW).node == f"{tenant}/email:amy@example.com"
    assert verify(token_of(message.unsubscribe_url), KEYS[tenant][:1], NOW, use="unsubscribe").channel == "email"
    with pytest.raises(ForgedTokenError):
        verify(token, KEYS[another], NOW)


def test_a_tenant_without_a_key_gets_no_links_of_another() -> None:
    with pytest.raises(KeyMissingError):
        rendered("nobody")
