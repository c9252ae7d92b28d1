"""Who may do what, and what every answer carries."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.gateway.credentials import Credential, Credentials

Event = dict[str, Any]
House = Any
QUESTION = {"identifier": "email:amy@example.com", "channel": "web", "slots": ["web.lp.body"], "deadline_ms": 10}


@pytest.mark.parametrize("key", [None, "wrong-key-0123456789", "", "key-everything-0123456789x"])
async def test_without_a_known_key_nothing_is_possible(house: House, page_read: Event, key: str | None) -> None:
    for response in (
        await house.send(page_read, key),
        await house.decide(QUESTION, key),
        await house.client.get("/v1/customers/email:a@b/context", headers={"authorization": f"Bearer {key}"}),
    ):
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
    assert house.log.written == []
    assert house.workers.asked == []


@pytest.mark.parametrize("scheme", ["Basic", "bearer=", "Token"])
async def test_another_scheme_is_no_key(house: House, page_read: Event, keys: dict[str, str], scheme: str) -> None:
    response = await house.send(page_read, None, authorization=f"{scheme} {keys['everything']}")
    assert response.status_code == 401


async def test_a_key_may_do_what_its_scopes_say(house: House, page_read: Event, keys: dict[str, str]) -> None:
    assert (await house.send(page_read, keys["events-only"])).status_code == 202
    assert (await house.decide(QUESTION, keys["events-only"])).status_code == 403
    assert (await house.send(page_read, keys["decide-only"])).status_code == 403
    assert (await house.decide(QUESTION, keys["decide-only"])).status_code == 200


async def test_a_key_of_some_channels_sends_events_of_no_other(
    make_house: Callable[..., House], page_read: Event
) -> None:
    key = "key-of-the-web-0123456789"
    house = make_house([Credential.of_key("web", key, "default", ["events", "decide"], channels=["web"])])
    stranger = {**page_read, "id": "e-2", "channel": "chat", "type": "message_sent", "data": {"anonymous_id": "a1"}}
    for response in (
        await house.send(stranger, key),
        await house.send([page_read, stranger], key),
        await house.decide({**QUESTION, "channel": "chat", "event": {**stranger, "channel": "chat"}}, key),
    ):
        assert response.status_code == 403
        assert response.json()["detail"] == "this key sends no events of channel 'chat'; nothing has been accepted"
    assert house.log.written == []
    assert (await house.send(page_read, key)).status_code == 202


@pytest.mark.parametrize("more", [{"event": {"id": "e"}}, {"context": True}])
async def test_a_question_with_more_in_it_needs_the_scope_for_that(
    house: House, keys: dict[str, str], more: dict[str, Any]
) -> None:
    response = await house.decide({**QUESTION, **more}, keys["decide-only"])
    assert response.status_code == 403
    assert house.workers.asked == []


async def test_the_key_comes_before_the_body(house: House) -> None:
    async def unread() -> Any:
        pytest.fail("the body of a stranger was read")
        yield b""

    response = await house.client.post("/v1/events", content=unread(), headers={"content-type": "application/json"})
    assert response.status_code == 401


async def test_another_tenants_customers_are_out_of_reach(house: House, keys: dict[str, str]) -> None:
    await house.decide(QUESTION, keys["other-tenant"])
    response = await house.decide({**QUESTION, "attributes": {"tenant": "default"}}, keys["other-tenant"])
    assert response.status_code == 200
    assert all(question["tenant"] == "other" for _, question in house.workers.asked)


async def test_without_any_key_everybody_is_the_default_tenant(
    make_house: Callable[..., House], page_read: Event
) -> None:
    house = make_house([])
    assert house.gateway.credentials.open
    assert (await house.send(page_read, None)).status_code == 202
    assert house.log.written[0].key.startswith(b"default/")
    refused = await house.client.post("/v1/erasures", json={"identifier": "user_id:u-amy"})
    assert refused.status_code == 403
    assert refused.json()["detail"] == (
        "without keys nobody may do this: the operator sets gateway.keys.NAME with the scope 'erase'"
    )


@pytest.mark.parametrize(
    ("key", "tenant", "message"), [("short", "default", "24"), ("k" * 24, "a/b", "tenant"), ("k y" * 9, "a", "letters")]
)
def test_a_key_that_cannot_work_is_refused_at_start(key: str, tenant: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        Credential.of_key("name", key, tenant, ["events"])
    assert key not in str(caught.value)


def test_a_key_is_never_shown() -> None:
    credential = Credential.of_key("name", "a-very-secret-key-12345678", "default", ["events"])
    assert "secret" not in repr(credential)
    assert "digest" not in repr(credential)


def test_two_keys_of_one_name_are_refused() -> None:
    one = Credential.of_key("same", "k" * 24, "default", ["events"])
    with pytest.raises(ValueError, match="same name"):
        Credentials([one, one], lambda: 0.0)


async def test_every_answer_carries_security_headers_and_an_id(house: House, page_read: Event) -> None:
    for response in (await house.send(page_read), await house.client.get("/nowhere"), await house.send(b"{")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert len(response.headers["x-request-id"]) == 32
    refused = await house.send(b"{", x_request_id="0123456789abcdef")
    assert refused.headers["x-request-id"] == refused.json()["request_id"] == "0123456789abcdef"


async def test_a_request_id_that_could_be_anything_is_replaced(house: House) -> None:
    response = await house.send(b"{", x_request_id="amy@example.com")
    assert "amy" not in response.headers["x-request-id"]


async def test_an_error_of_ours_is_counted_and_says_nothing(house: House, page_read: Event) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("amy@example.com")

    house.gateway.intake.judge = broken
    response = await house.send(page_read)
    assert response.status_code == 500
    assert "amy" not in response.text
    assert house.notes.failures == ["KeyError"]
    assert house.notes.requests == [("/v1/events", 500)]


async def test_metrics_name_the_route_never_the_path(house: House, keys: dict[str, str]) -> None:
    path = "/v1/customers/email:amy@example.com/context"
    await house.client.get(path, headers={"authorization": f"Bearer {keys['everything']}"}, params={"deadline_ms": 10})
    await house.client.get("/amy@example.com")
    assert [route for route, _ in house.notes.requests] == ["/v1/customers/{identifier:path}/context", "none"]


async def test_health_readiness_and_metrics_need_no_key(house: House) -> None:
    assert (await house.client.get("/healthz")).status_code == 200
    assert (await house.client.get("/readyz")).json() == {"ready": True, "parts": {"broker": True, "release": True}}
    house.log.ready = False
    assert (await house.client.get("/readyz")).status_code == 503
    assert (await house.client.get("/healthz")).status_code == 200
    assert (await house.client.get("/metrics")).text == "orchestrator_up 1\n"


async def test_the_description_is_enough_to_work_from(house: House) -> None:
    description = (await house.client.get("/openapi.json")).json()
    events = description["paths"]["/v1/events"]["post"]
    assert set(events["requestBody"]["content"]) == {
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
    }
    assert set(events["responses"]) == {"202", "401", "403", "408", "413", "415", "422", "429", "503"}
    assert list(events["responses"]["422"]["content"]) == ["application/problem+json"]
    assert "Retry-After" in events["responses"]["503"]["headers"]
    schemas = description["components"]["schemas"]
    assert schemas["EventBody"]["properties"]["channel"]["enum"] == ["chat", "email", "stock", "web"]
    assert schemas["web.order_placed"]["properties"]["total"] == {"type": "number", "minimum": 0}
    assert description["security"] == [{"key": []}]
    assert not list(_dangling(description, schemas))


async def test_the_page_for_people_says_what_the_description_says_and_loads_nothing(house: House) -> None:
    answer = await house.client.get("/docs")
    page = answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "POST /v1/events" in page
    assert "GET /v1/customers/{identifier}/context" in page
    assert "order_placed on web" in page
    assert "<td>total</td><td>number</td><td>yes</td>" in page
    assert "&quot;type&quot;: &quot;page_viewed&quot;" in page
    assert "<b>Keys.</b> Send <code>Authorization: Bearer KEY</code>" in page
    assert "<td>413</td><td>an event may have 64 kB</td>" in page
    assert "<p>EventWarning:</p>" in page, "what comes back is told, with its parts"
    assert "<td>warnings</td><td>list of EventWarning</td>" in page
    assert "<td>answers</td><td>map of SlotAnswer</td>" in page
    assert "<p>SlotAnswer:</p>" in page
    assert "<p>CustomerContext:</p>" in page
    assert not set("*`").intersection(re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)), "the marks are read"
    assert "<script" not in page
    assert "http://" not in page


def _dangling(part: Any, schemas: dict[str, Any]) -> Any:
    """References to components that are not there."""
    if isinstance(part, dict):
        reference = part.get("$ref", "")
        if reference and reference.rpartition("/")[2] not in schemas:
            yield reference
        for child in part.values():
            yield from _dangling(child, schemas)
    elif isinstance(part, list):
        for child in part:
            yield from _dangling(child, schemas)
