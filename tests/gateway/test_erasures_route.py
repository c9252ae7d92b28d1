"""Erasing over HTTP: who may, what is written, and the receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from orchestrator.gateway.credentials import Credential
from orchestrator.model.effect import INPUTS, ErasureReceipt
from orchestrator.model.ids import erasure_id, erasure_mark
from orchestrator.model.message import Erase, decode_message

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

House = Any
KEY, OTHERS, PLAIN = "key-that-erases-0123456789", "key-of-another-0123456789", "key-of-the-site-0123456789"
TOKEN = "5a" * 16
AMY = {"identifier": "email: Amy@Example.com "}


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house([
        Credential.of_key("privacy", KEY, "default", ["erase"]),
        Credential.of_key("others", OTHERS, "other", ["erase"]),
        Credential.of_key("site", PLAIN, "default", ["events", "decide", "context"]),
    ])  # fmt: skip


async def ask(house: House, body: Any, key: str | None = KEY) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    answer: httpx.Response = await house.client.post("/v1/erasures", json=body, headers=headers)
    return answer


async def look(house: House, receipt: str, key: str = KEY) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"}
    answer: httpx.Response = await house.client.get(f"/v1/erasures/{receipt}", headers=headers)
    return answer


def receipt_of(token: str, state: str = "running", reached: int = 0) -> tuple[bytes, bytes]:
    """A record of the topic."""
    mark = erasure_mark("default", token, "email:amy@example.com")
    name = erasure_id("default", token)
    receipt = ErasureReceipt(name, "default", state, 5, 7, reached, 1, [(mark, "email", 7 if reached else 0)])
    return f"default/{name}".encode(), msgspec.json.encode(receipt)


async def test_a_request_is_written_to_the_identifiers_node_and_gives_receipt_and_token(house: House) -> None:
    answer = await ask(house, AMY)
    assert answer.status_code == 202
    told = answer.json()
    [written] = house.log.written
    assert (written.topic, written.key) == (INPUTS, b"default/email:amy@example.com")
    message = decode_message(written.value)
    assert isinstance(message, Erase)
    assert (message.target, message.request) == ("email:amy@example.com", told["token"])
    assert told["receipt"] == erasure_id("default", told["token"])


async def test_the_same_token_is_the_same_erasure(house: House) -> None:
    first = (await ask(house, {**AMY, "token": TOKEN})).json()
    assert first == (await ask(house, {**AMY, "token": TOKEN})).json()
    assert first["receipt"] == erasure_id("default", TOKEN)


async def test_only_a_key_that_is_said_to_erase_does(house: House, make_house: Callable[..., House]) -> None:
    assert (await ask(house, AMY, PLAIN)).status_code == 403
    assert (await ask(house, AMY, None)).status_code == 401
    assert (await look(house, "x", PLAIN)).status_code == 403
    assert (await ask(make_house([]), AMY, None)).status_code == 403, "without keys nobody may, not even here"
    assert house.log.written == []


@pytest.mark.parametrize("body", [
    {}, {"identifier": "amy"}, {"identifier": "thread:t1"}, {"identifier": "email:no"}, {"identifier": 7},
    {**AMY, "token": "short"}, {**AMY, "more": 1}, [],
])  # fmt: skip
async def test_what_is_no_identifier_is_refused_and_not_repeated(house: House, body: Any) -> None:
    answer = await ask(house, body)
    assert answer.status_code == 422
    assert "amy" not in answer.text
    assert house.log.written == []


async def test_the_receipt_is_known_from_the_topic_to_its_tenant_alone(house: House) -> None:
    name = (await ask(house, {**AMY, "token": TOKEN})).json()["receipt"]
    assert (await look(house, name)).status_code == 404, "nobody has answered yet"
    house.gateway.erasures.learn(*receipt_of(TOKEN))
    assert (await look(house, name)).json()["state"] == "running"
    house.gateway.erasures.learn(*receipt_of(TOKEN, "complete", 1))
    told = (await look(house, name)).json()
    assert (told["state"], told["reached"], told["expected"]) == ("complete", 1, 1)
    assert [node["namespace"] for node in told["nodes"]] == ["email"]
    assert (await look(house, name, OTHERS)).status_code == 404
    house.gateway.erasures.learn(receipt_of(TOKEN)[0], None)
    assert (await look(house, name)).status_code == 404
    with pytest.raises(ValueError, match="no receipt"):
        house.gateway.erasures.learn(b"default/x", b"{")


async def test_when_the_broker_does_not_answer_the_request_was_not_taken(house: House) -> None:
    house.log.failing = True
    assert (await ask(house, AMY)).status_code == 503


async def test_a_key_that_asks_too_fast_is_told_when_to_come_again(make_house: Callable[..., House]) -> None:
    """Each request is a message to every node of a customer; whoever looks at receipts counts as well."""
    house = make_house([Credential.of_key("privacy", KEY, "default", ["erase"], rate=0.5, burst=2)])
    statuses = [(await ask(house, AMY)).status_code, (await look(house, "0")).status_code]
    refused, looked = await ask(house, AMY), await look(house, "0")
    assert [*statuses, refused.status_code, looked.status_code] == [202, 404, 429, 429]
    assert int(refused.headers["retry-after"]) >= 1
    assert len(house.log.written) == 1
