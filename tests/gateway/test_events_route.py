"""POST /v1/events: what is accepted, what is refused, and what the answer says."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from orchestrator.gateway.credentials import Credential

Event = dict[str, Any]
House = Any


async def test_an_event_is_accepted_once_the_log_has_it(house: House, page_read: Event) -> None:
    house.log.gate.clear()
    answer = asyncio.create_task(house.send(page_read))
    done, _ = await asyncio.wait([answer], timeout=0.05)
    assert not done, "answered before the broker had acknowledged"

    house.log.gate.set()
    response = await answer
    assert response.status_code == 202
    assert response.json() == {"accepted": 1, "dropped_tokens": [], "warnings": []}
    [record] = house.log.written
    assert (record.topic, record.key) == ("channel.web", b"default/anonymous_id:a1")
    assert house.log.values() == [{**page_read, "tenant": "default"}]
    assert house.notes.events == [("web", "page_read")]


async def test_a_batch_keeps_its_order_and_each_events_own_channel(house: House, page_read: Event) -> None:
    chat = {**page_read, "id": "e-2", "channel": "chat", "type": "message_sent", "data": {"anonymous_id": "a1"}}
    response = await house.send([page_read, chat])
    assert response.json()["accepted"] == 2
    assert [(event.topic, event.id) for event in house.log.written] == [("channel.web", "e-1"), ("channel.chat", "e-2")]


@pytest.mark.parametrize(
    ("kind", "batched"),
    [("application/cloudevents+json", False), ("application/cloudevents-batch+json; charset=UTF-8", True)],
)
async def test_cloudevents_content_types(house: House, page_read: Event, kind: str, batched: bool) -> None:
    response = await house.send([page_read] if batched else page_read, content_type=kind)
    assert response.status_code == 202


async def test_a_single_event_type_refuses_a_list(house: House, page_read: Event) -> None:
    response = await house.send([page_read], content_type="application/cloudevents+json")
    assert response.status_code == 422
    assert "one event" in response.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": "application/json; charset=latin-1"},
        {"content_type": "application/json; v=1; charset=latin-1"},
        {"content_encoding": "gzip"},
    ],
)
async def test_other_media_are_refused(house: House, page_read: Event, headers: dict[str, str]) -> None:
    response = await house.send(page_read, **headers)
    assert response.status_code == 415


@pytest.mark.parametrize("parameters", ["; charset=utf-8; v=1", "; v=1", ';charset="UTF-8"', "; Charset = utf8 ;", ";"])
async def test_parameters_of_the_content_type_change_nothing(house: House, page_read: Event, parameters: str) -> None:
    assert (await house.send(page_read, content_type=f"application/json{parameters}")).status_code == 202


async def test_a_cloud_event_in_binary_mode_is_told_what_to_send_instead(house: House, page_read: Event) -> None:
    """Its attributes stand in headers, so that its body looks like an event without any."""
    response = await house.send(
        page_read["data"], ce_specversion="1.0", ce_id="e-1", ce_source="s", ce_type="page_read"
    )
    assert response.status_code == 415
    assert response.json()["detail"] == (
        "CloudEvents in binary mode (attributes in headers) are not read here; send structured or batched mode"
    )


async def test_the_key_is_the_strongest_identifier_normalised(house: House, page_read: Event) -> None:
    page_read["data"] |= {"email": " Amy@Example.com "}
    await house.send(page_read)
    assert house.log.written[0].key == b"default/email:amy@example.com"


async def test_the_tenant_is_the_keys_never_the_callers(house: House, page_read: Event, keys: dict[str, str]) -> None:
    await house.send(page_read, keys["other-tenant"])
    assert house.log.written[0].key == b"other/anonymous_id:a1"
    assert house.log.values()[0]["tenant"] == "other"

    response = await house.send({**page_read, "tenant": "default"}, keys["other-tenant"])
    assert response.status_code == 422
    assert response.json()["problems"] == [{"path": "tenant", "message": "is set by your key; leave it out"}]


async def test_an_event_of_the_brand_needs_no_identifier(house: House, page_read: Event) -> None:
    stock = {**page_read, "channel": "stock", "type": "level_changed", "data": {"sku": "X100", "qty": 3}}
    assert (await house.send(stock)).status_code == 202
    assert (await house.send(stock)).status_code == 202
    first, again = house.log.written
    assert first.node is None
    assert first.key == again.key, "the same event must land on the same partition when it is sent again"


async def test_one_bad_event_refuses_the_batch_and_every_problem_is_named(house: House, page_read: Event) -> None:
    order = {"id": "e-2", "source": "web-shop", "type": "order_placed", "channel": "wbe", "data": {"user_id": "u-eva"}}
    bad_order = {**order, "channel": "web", "data": {"user_id": "u-eva", "total": "abc", "items": [{"qty": 1.5}]}}
    nobody = {**page_read, "id": 7, "data": {"seconds": "long"}}
    response = await house.send([page_read, order, bad_order, nobody])

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    found = {(one["index"], one["path"]): one["message"] for one in response.json()["problems"]}
    assert set(found) == {
        (1, "channel"),
        (2, "data.total"),
        (2, "data.items[0].qty"),
        (3, "id"),
        (3, "data.seconds"),
        (3, "data"),
    }
    assert "did you mean 'web'" in found[1, "channel"]
    assert found[2, "data.total"] == "must be a number, is a string"
    assert "anonymous_id" in found[3, "data"]
    assert house.log.written == []


async def test_a_misspelt_field_is_told_from_an_extension(house: House, page_read: Event) -> None:
    page_read["traceparent"] = "00-abc-def-01"
    assert (await house.send(page_read)).status_code == 202

    page_read["tiem"] = page_read.pop("time")
    response = await house.send(page_read)
    assert response.json()["problems"] == [{"path": "tiem", "message": "is not known; did you mean 'time'?"}]


async def test_a_reserved_source_cannot_forge_an_outcome(house: House, page_read: Event) -> None:
    response = await house.send({**page_read, "source": "delivery"})
    assert [one["path"] for one in response.json()["problems"]] == ["source"]


async def test_a_signed_links_token_becomes_an_identifier(house: House, page_read: Event) -> None:
    page_read["data"]["token"] = "tok-amy"
    response = await house.send(page_read)
    assert response.json()["dropped_tokens"] == []
    assert house.log.written[0].key == b"default/email:amy@example.com"
    assert house.log.values()[0]["data"] == page_read["data"], "whether it binds this browser is not decided here"


@pytest.mark.parametrize(("token", "reason"), [("tok-old", "expired"), ("tok-forged", "invalid"), (7, "invalid")])
async def test_a_token_that_does_not_count_is_dropped_and_the_event_stays(
    house: House, page_read: Event, token: Any, reason: str
) -> None:
    response = await house.send([page_read, {**page_read, "id": "e-2", "token": token}])
    assert response.status_code == 202
    assert response.json()["dropped_tokens"] == [{"index": 1, "reason": reason}]
    assert house.log.written[1].key == b"default/anonymous_id:a1"
    assert "token" not in house.log.values()[1]["data"]
    assert house.notes.tokens == [reason]


async def test_a_token_does_not_override_whom_the_event_names(house: House, page_read: Event) -> None:
    page_read["data"] |= {"email": "ben@example.com", "token": "tok-amy"}
    response = await house.send(page_read)
    assert response.json()["dropped_tokens"] == [{"index": 0, "reason": "conflict"}]
    assert house.log.written[0].key == b"default/email:ben@example.com"
    assert "token" not in house.log.values()[0]["data"]


async def test_without_a_release_nothing_can_be_judged(make_house: Callable[..., House], page_read: Event) -> None:
    house = make_house([Credential.of_key("e", "k" * 24, "empty", ["events"])])
    response = await house.send(page_read, "k" * 24)
    assert response.status_code == 503
    assert "publish" in response.json()["detail"]
    assert int(response.headers["retry-after"]) >= 1


async def test_an_event_that_grew_past_the_limit_is_refused(house: House, page_read: Event) -> None:
    page_read["data"]["text"] = "x" * 65_300
    raw = msgspec.json.encode(page_read)
    assert len(raw) <= 65_536
    response = await house.send(raw)
    assert response.status_code == 202
    page_read["data"]["text"] = "x" * (65_536 - len(raw) + 65_300)
    raw = msgspec.json.encode(page_read)
    assert len(raw) == 65_536
    response = await house.send(raw)  # with the tenant it would be longer than the lane takes
    assert response.status_code == 413
