"""Unsubscribe links: one click of a mail program, a button for people, and nothing at all for scanners of mail."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.gateway.tokens import Leaving, LinkTokens
from orchestrator.gateway.unsubscribing import BURST
from orchestrator.model.ids import made_id
from orchestrator.model.tokens import Claims, Use, sign

House = Any
NOW = 1_772_439_600_000
KEYS = {"default": b"d" * 32, "replaced": b"e" * 32, "other": b"o" * 32, "empty": b"n" * 32, "stranger": b"s" * 32}
AMY = "default/email:amy@example.com"


def link(
    node: str = AMY, key: str = "default", *, use: Use = "unsubscribe", expires_at: int = NOW + 1, message: str = "m-1"
) -> str:
    token = sign(Claims(node, NOW - 1000, expires_at, message, use, "email"), KEYS[key])
    return f"/unsubscribe?token={token}"


async def test_one_click_is_an_event_of_the_channel_acknowledged_before_the_answer(house: House) -> None:
    house.log.gate.clear()
    posting = asyncio.create_task(
        house.client.post(link(), content=b"List-Unsubscribe=One-Click", headers={"content-type": "text/plain"})
    )
    await asyncio.wait([posting], timeout=0.05)
    assert not posting.done()
    house.log.gate.set()
    answer = await posting
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "You will receive no more of these messages" in answer.text
    (written,) = house.log.values()
    told = {name: written[name] for name in ("id", "source", "type", "channel", "tenant", "data")}
    assert told == {
        "id": made_id("unsubscribe", "m-1"), "source": "unsubscribe", "type": "unsubscribed", "channel": "email",
        "tenant": "default", "data": {"email": "amy@example.com", "message": "m-1"},
    }  # fmt: skip
    assert (house.log.written[0].topic, house.log.written[0].key) == ("channel.email", AMY.encode())
    assert house.notes.events == [("email", "unsubscribed")]


async def test_a_scanner_that_follows_the_link_changes_nothing_and_a_person_presses_the_button(house: House) -> None:
    page = await house.client.get(link())
    assert page.status_code == 200
    assert house.log.written == []
    (action,) = re.findall(r'<form method="post" action="(\?token=[^"]+)">', page.text)
    assert (await house.client.post(f"/unsubscribe{action}")).status_code == 200
    assert len(house.log.written) == 1


async def test_the_same_link_makes_the_same_event_and_another_message_another(house: House) -> None:
    for message in ("m-1", "m-1", "m-2"):
        assert (await house.client.post(link(message=message))).status_code == 200
    first, again, other = (each["id"] for each in house.log.values())
    assert first == again != other


@pytest.mark.parametrize(
    ("url", "counted"),
    [
        ("/unsubscribe", "invalid"),
        ("/unsubscribe?token=", "invalid"),
        ("/unsubscribe?token=t1.nonsense", "invalid"),
        ("/unsubscribe?token=%22%3E%3Cscript%3E", "invalid"),
        (link(key="stranger"), "invalid"),
        (link("default/email:amy@example.com", "other"), "invalid"),
        (link(use="link"), "invalid"),
        (link()[:-1], "invalid"),
        (link(expires_at=NOW), "expired"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_what_is_no_unsubscribe_link_of_ours_says_so_and_writes_nothing(
    house: House, method: str, url: str, counted: str
) -> None:
    answer = await house.client.request(method, url)
    assert answer.status_code == 404
    assert "not complete, or too old" in answer.text
    assert "script" not in answer.text
    assert house.log.written == []
    assert house.notes.tokens == [counted]


async def test_a_replaced_key_still_counts_and_the_token_says_whose_customer_it_is(house: House) -> None:
    assert (await house.client.post(link(key="replaced"))).status_code == 200
    assert (await house.client.post(link("other/email:eve@example.com", "other"))).status_code == 200
    assert [each["tenant"] for each in house.log.values()] == ["default", "other"]


async def test_what_cannot_be_written_down_says_when_to_try_again(make_house: Callable[..., House]) -> None:
    house = make_house()
    house.log.failing = True
    answer = await house.client.post(link())
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "try again in a minute" in answer.text
    without_release = await house.client.post(link("empty/email:amy@example.com", "empty"))
    assert without_release.status_code == 503
    unknown_now = await house.client.post(link("default/fax:12345"))
    assert (unknown_now.status_code, unknown_now.headers["retry-after"]) == (503, "30")


async def test_one_link_called_over_and_over_fills_no_topic(house: House) -> None:
    assert house.gateway.unsubscribing._share.take(10 * BURST) == 0  # far in debt
    answer = await house.client.post(link())
    assert answer.status_code == 429
    assert 80 <= int(answer.headers["retry-after"]) <= 91
    assert house.log.written == []


@pytest.mark.parametrize(
    ("asked", "language", "button"),
    [
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr", "Se désabonner"),
        ("ja, DE;q=0.7", "de", "Abmelden"),
        ("es", "es", "Darse de baja"),
        ("ja", "en", "Unsubscribe"),
        ("", "en", "Unsubscribe"),
    ],
)
async def test_the_page_speaks_the_readers_language(house: House, asked: str, language: str, button: str) -> None:
    page = (await house.client.get(link(), headers={"accept-language": asked})).text
    assert f'<html lang="{language}">' in page
    assert f"<button>{button}</button>" in page


async def test_the_page_loads_nothing_frames_nowhere_and_hands_its_address_to_nobody(house: House) -> None:
    page = await house.client.get(link())
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "frame-ancestors 'none'" in policy
    assert "amy" not in page.text


def test_a_token_from_before_channels_were_said_is_about_e_mail() -> None:
    token = sign(Claims(AMY, NOW, NOW + 1, "m-1", "unsubscribe"), KEYS["default"])
    found = LinkTokens({"default": (KEYS["default"],)}).leaving(token, NOW)
    assert found == Leaving("default", "email", "email", "amy@example.com", "m-1")


async def test_the_description_says_that_it_needs_no_key(house: House) -> None:
    description = (await house.client.get("/openapi.json")).json()
    assert {method: each["security"] for method, each in description["paths"]["/unsubscribe"].items()} == {
        "get": [],
        "post": [],
    }
