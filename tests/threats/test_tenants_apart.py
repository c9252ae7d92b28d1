"""A key reaches its own tenant's customers and nobody else's, whatever the request says.

The whole HTTP application is asked by the keys of two tenants; what it would write to Kafka and ask workers is kept.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from orchestrator.model.effect import ErasureReceipt
from orchestrator.model.tokens import Claims, sign
from tests.threats.two_tenants import LINK_KEY, NOW, House

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAMES = itertools.count()


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    yield house
    await house.client.aclose()


@pytest.fixture(params=["mine", "theirs"])
def tenant(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def event(**more: Any) -> dict[str, Any]:
    return {
        "id": f"e{next(NAMES)}", "source": "shop", "type": "seen", "channel": "web",
        "data": {"email": "amy@example.com"}, **more,
    }  # fmt: skip


async def test_what_a_key_writes_is_its_tenants(house: House, tenant: str) -> None:
    assert (await house.call(tenant, "POST", "/v1/events", event())).status_code == 202
    (written,) = house.kafka.written
    assert written.key == f"{tenant}/email:amy@example.com".encode()
    assert msgspec.json.decode(written.value)["tenant"] == tenant


async def test_an_event_that_says_it_is_another_tenants_is_refused(house: House) -> None:
    answer = await house.call("mine", "POST", "/v1/events", event(tenant="theirs"))
    assert (answer.status_code, house.kafka.written) == (422, [])


async def test_who_is_looked_up_is_the_keys_tenants_customer(house: House, tenant: str) -> None:
    answer = await house.call(tenant, "GET", "/v1/customers/email:amy@example.com/context")
    assert answer.json()["context"] == {"of": tenant}
    assert [one["tenant"] for one in house.workers.asked] == [tenant]


@pytest.mark.parametrize("path", ["theirs/email:amy@example.com", "theirs%2Femail:amy@example.com"])
async def test_no_way_of_writing_an_identifier_names_another_tenant(house: House, path: str) -> None:
    answer = await house.call("mine", "GET", f"/v1/customers/{path}/context")
    assert (answer.status_code, house.workers.asked) == (422, [])


@pytest.mark.parametrize("with_event", [False, True])
async def test_a_decision_is_asked_for_the_keys_tenants_customer(house: House, tenant: str, with_event: bool) -> None:
    question: dict[str, Any] = {"channel": "web", "slots": ["page"], "deadline_ms": 2_000}
    who = {"event": event()} if with_event else {"identifier": "email:amy@example.com"}
    answer = await house.call(tenant, "POST", "/v1/decide", {**question, **who})
    assert answer.json()["answers"]["page"]["content"] == tenant
    assert {one["tenant"] for one in house.workers.asked} == {tenant}
    assert [one.key for one in house.kafka.written] == [f"{tenant}/email:amy@example.com".encode()] * with_event


async def test_a_link_of_another_tenant_says_nothing_here(house: House) -> None:
    link = sign(Claims("theirs/email:amy@example.com", NOW, NOW + 1_000, "t1"), LINK_KEY)
    question = {"channel": "web", "slots": ["page"], "identifier": "email:ben@example.com", "token": link}
    answer = await house.call("mine", "POST", "/v1/decide", {**question, "deadline_ms": 2_000})
    assert answer.json()["token"] == "invalid"
    assert [one["identifier"] for one in house.workers.asked] == ["email:ben@example.com"]


async def test_an_erasure_reaches_the_keys_tenant_only(house: House, tenant: str) -> None:
    answer = await house.call(tenant, "POST", "/v1/erasures", {"identifier": "email:amy@example.com"})
    assert answer.status_code == 202
    assert [one.key for one in house.kafka.written] == [f"{tenant}/email:amy@example.com".encode()]


async def test_a_receipt_is_shown_to_the_tenant_whose_it_is(house: House) -> None:
    receipt = ErasureReceipt("r1", "theirs", "complete", NOW, NOW, 1, 1, [])
    house.erasures.learn(b"theirs/r1", msgspec.json.encode(receipt))
    assert (await house.call("theirs", "GET", "/v1/erasures/r1")).status_code == 200
    assert (await house.call("mine", "GET", "/v1/erasures/r1")).status_code == 404
    assert (await house.call("mine", "GET", "/v1/erasures/theirs%2Fr1")).status_code == 404
