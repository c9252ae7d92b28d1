"""Whatever comes in, the answer is a refusal that names the field, or an event that the lane can read; never a 500."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.gateway.events import Ready
from orchestrator.gateway.refusals import TooLarge
from orchestrator.model.event import decode_event

Event = dict[str, Any]
House = Any
NOW = 1_772_439_600_000
ENVELOPE = '{"id":"e","source":"s","type":"page_read","channel":"web","data":{"anonymous_id":"a1","x":%s}}'


def with_value(text: str) -> bytes:
    return (ENVELOPE % text).encode()


NOT_JSON = {
    "nothing": b"",
    "truncated": with_value("1")[:-5],
    "two documents": with_value("1") * 2,
    "NaN": with_value("NaN"),
    "Infinity": with_value("Infinity"),
    "-Infinity": with_value("-Infinity"),
    "a number beyond doubles": with_value("1e999"),
    "a lone surrogate": with_value(r'"\ud800"'),
    "a surrogate pair turned round": with_value(r'"\udc00\ud800"'),
    "broken UTF-8": with_value('"?"').replace(b"?", b"\xff"),
    "a surrogate in UTF-8": with_value('"?"').replace(b"?", b"\xed\xa0\x80"),
    "overlong UTF-8": with_value('"?"').replace(b"?", b"\xc0\xaf"),
    "a byte order mark": b"\xef\xbb\xbf" + with_value("1"),
    "UTF-16": with_value("1").decode().encode("utf-16"),
    "a control character": with_value('"\x01"'),
    "a comment": with_value("1 /* one */"),
    "nested a million times": b"[" * 50_000,
}


@pytest.mark.parametrize("raw", NOT_JSON.values(), ids=NOT_JSON.keys())
async def test_what_is_no_json_is_refused_as_such(house: House, raw: bytes) -> None:
    response = await house.send(raw)
    assert response.status_code == 422, response.text
    assert "JSON" in response.json()["problems"][0]["message"]
    assert house.log.written == []


@pytest.mark.parametrize("raw", NOT_JSON.values(), ids=NOT_JSON.keys())
async def test_in_a_batch_it_refuses_the_batch(house: House, raw: bytes, page_read: Event) -> None:
    response = await house.send(b"[" + msgspec.json.encode(page_read) + b"," + raw + b"]")
    assert response.status_code == 422, response.text
    assert house.log.written == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "1 to 75"),
        (b"[1]", "JSON object"),
        (b'"x"', "JSON object"),
        (b"null", "JSON object"),
        (b"7", "JSON object"),
    ],
)
async def test_what_is_no_event_is_refused(house: House, body: bytes, message: str) -> None:
    response = await house.send(body)
    assert response.status_code == 422
    assert message in response.text


FIELDS: list[tuple[str, Any, str, str]] = [
    ("id", None, "id", "required"),
    ("id", "", "id", "empty"),
    ("id", "   ", "id", "empty"),
    ("id", 7, "id", "string"),
    ("id", "x" * 257, "id", "longer than 256"),
    ("id", "a\nb", "id", "control"),
    ("source", None, "source", "required"),
    ("source", ["s"], "source", "string"),
    ("type", None, "type", "required"),
    ("type", "page read", "type", "letters"),
    ("type", "päge", "type", "letters"),
    ("specversion", "0.3", "specversion", "1.0"),
    ("time", "2026-03-02T08:15:00", "time", "offset"),
    ("time", "2026-03-02", "time", "RFC 3339"),
    ("time", "20260302T081500Z", "time", "RFC 3339"),
    ("time", "2026-02-30T08:15:00Z", "time", "does not exist"),
    ("time", "2026-03-02T24:00:00Z", "time", "does not exist"),
    ("time", "2026-03-02T08:15:00+25:00", "time", "does not exist"),
    ("time", "2026-03-02T08:25:01Z", "time", "future"),
    ("time", "2031-01-01T00:00:00Z", "time", "future"),
    ("time", "2026-03-02T08:26:00+00:00", "time", "future"),
    ("time", "0001-01-01T00:00:00Z", "time", "1970"),
    ("time", "٢٠٢٦-03-02T08:15:00Z", "time", "RFC 3339"),
    ("time", 1_772_439_300, "time", "string"),
    ("channel", None, "channel", "required"),
    ("channel", "carrier-pigeon", "channel", "not a declared channel"),
    ("channel", {"x": 1}, "channel", "string"),
    ("data", None, "data", "required"),
    ("data", [], "data", "object"),
    ("data", {}, "data", "names nobody"),
    ("data", {"anonymous_id": None}, "data", "names nobody"),
    ("data", {"anonymous_id": 7.5}, "data.anonymous_id", "string"),
    ("data", {"anonymous_id": True}, "data.anonymous_id", "string"),
    ("data", {"anonymous_id": ["a1"]}, "data.anonymous_id", "string"),
    ("data", {"thread": "x" * 257}, "data.thread", "longer"),
    ("data", {"anonymous_id": ""}, "data.anonymous_id", "empty"),
    ("data", {"anonymous_id": "x" * 257}, "data.anonymous_id", "longer"),
    ("data", {"anonymous_id": "a\x00"}, "data.anonymous_id", "control"),
    ("data", {"email": "no-at-sign"}, "data.email", "cannot be read as email"),
    ("data", {"anonymous_id": "a", "meta": 1}, "data.meta", "reserved"),
    ("data", {"anonymous_id": "a", "n": 2**63}, "data.n", "64 bits"),
    ("data", {"anonymous_id": "a", "n": [[[[[[[[[1]]]]]]]]]}, "data.n[0][0][0][0][0][0][0][0]", "deeper than 10"),
    ("data", {"anonymous_id": "a", "page": 7}, "data.page", "must be a string, is an integer"),
    ("data", {"anonymous_id": "a", "seconds": True}, "data.seconds", "must be a number, is a boolean"),
    ("datacontenttype", "text/xml", "datacontenttype", "application/json"),
    ("data_base64", "AAAA", "data_base64", "object"),
]


@pytest.mark.parametrize(("name", "value", "path", "message"), FIELDS)
async def test_a_bad_field_is_named(
    house: House, page_read: Event, name: str, value: Any, path: str, message: str
) -> None:
    if value is None:
        del page_read[name]
    else:
        page_read[name] = value
    response = await house.send(page_read)
    assert response.status_code == 422
    problems = response.json()["problems"]
    assert [one["path"] for one in problems] == [path]
    assert message in problems[0]["message"]
    assert house.log.written == []


@pytest.mark.parametrize(
    ("time", "kept"),
    [
        ("2026-03-02T09:15:00.1239+01:00", "2026-03-02T08:15:00.123Z"),
        ("2026-03-02t08:25:00z", "2026-03-02T08:25:00Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
        ("2026-03-01T23:15:00-12:00", "2026-03-02T11:15:00Z"),
    ],
)
async def test_times_are_kept_in_utc(make_house: Callable[..., House], page_read: Event, time: str, kept: str) -> None:
    house = make_house(now=lambda: NOW + 4 * 3_600_000 if "12:00" in time else NOW)
    assert (await house.send({**page_read, "time": time})).status_code == 202
    assert house.log.values()[0]["time"] == kept


@pytest.mark.parametrize(("depth", "status"), [(10, 202), (11, 422), (900, 422)])
async def test_nesting_is_bounded(house: House, depth: int, status: int) -> None:
    levels = depth - 2  # the event and its data are the first two
    response = await house.send(with_value("[" * levels + "]" * levels))
    assert response.status_code == status
    if status == 422:
        assert "10 levels" in response.json()["problems"][0]["message"]


async def test_no_value_is_ever_quoted(house: House, page_read: Event) -> None:
    canary = "amy.canary@example.com"
    page_read |= {"id": 5, "channel": canary, "type": f"x {canary}", "time": canary, "tenant": canary}
    page_read["data"] = {"email": canary + "\n", canary: [[2**70, 2**63]], "page": {canary: canary}}
    response = await house.send(page_read)
    assert response.status_code == 422
    assert canary not in response.text
    again = await house.decide({"identifier": f"emial:{canary}", "channel": "web", "slots": [canary] * 40})
    assert again.status_code == 422
    assert canary not in again.text


@pytest.mark.parametrize("size", [65_537, 1_000_000])
async def test_an_event_over_64_kb_is_too_large(house: House, page_read: Event, size: int) -> None:
    page_read["data"]["text"] = "x" * size
    assert (await house.send(page_read)).status_code == 413
    assert (await house.send(page_read, content_type="application/cloudevents+json")).status_code == 413
    batch = await house.send([{**page_read, "data": {"anonymous_id": "a1"}}, page_read])
    assert batch.status_code == 413
    assert "event 1" in batch.json()["detail"]
    assert house.log.written == []


async def test_a_batch_of_76_is_refused(house: House, page_read: Event) -> None:
    events = [{**page_read, "id": f"e-{number}"} for number in range(76)]
    assert (await house.send(events)).status_code == 422
    assert (await house.send(events[:75])).json()["accepted"] == 75


async def test_a_body_beyond_the_limit_is_not_read_to_its_end(house: House) -> None:
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        yield b"["
        while True:
            sent += 1
            yield b" " * 65_536

    response = await house.client.post(
        "/v1/events",
        content=endless(),
        headers={"authorization": "Bearer key-everything-0123456789", "content-type": "application/json"},
    )
    assert response.status_code == 413
    assert sent <= 77


async def test_a_body_that_says_it_is_too_long_is_not_read_at_all(house: House) -> None:
    async def unread() -> Any:
        pytest.fail("the body was read")
        yield b""

    for length in ("99999999", "9" * 40):
        response = await house.client.post(
            "/v1/events",
            content=unread(),
            headers={
                "authorization": "Bearer key-everything-0123456789",
                "content-type": "application/json",
                "content-length": length,
            },
        )
        assert response.status_code == 413


async def test_a_body_that_does_not_arrive_is_given_up(make_house: Callable[..., House]) -> None:
    house = make_house(body_seconds=0.05)

    async def slow() -> Any:
        yield b"["
        await asyncio.Event().wait()

    response = await house.client.post(
        "/v1/events",
        content=slow(),
        headers={"authorization": "Bearer key-everything-0123456789", "content-type": "application/json"},
    )
    assert response.status_code == 408


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=10), children, max_size=4),
    max_leaves=20,
)
WORDS = st.sampled_from(["id", "source", "type", "time", "channel", "data", "token", "specversion", "tenant"])
DATA = st.dictionaries(
    st.sampled_from(["anonymous_id", "email", "thread", "token", "page", "total", "x"]), JSON, max_size=5
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(WORDS, JSON | DATA, max_size=4), dropped=st.sets(WORDS, max_size=2))
def test_any_event_is_refused_or_can_be_read_by_the_lane(
    pure_check: Callable[[bytes], Any], changes: Event, dropped: set[str]
) -> None:
    base = {"id": "e", "source": "s", "type": "page_read", "channel": "web", "data": {"anonymous_id": "a1"}}
    event = {name: value for name, value in {**base, **changes}.items() if name not in dropped}
    outcome = pure_check(msgspec.json.encode(event))
    if isinstance(outcome, Ready):
        record = decode_event(outcome.value)
        assert record.id == event["id"]
        assert outcome.key.startswith(b"default/")
        assert outcome.topic == f"channel.{event['channel']}"
    else:
        assert outcome, "neither accepted nor told why"


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200), at=st.integers(0, 90), keep=st.booleans())
def test_any_bytes_are_refused_or_can_be_read_by_the_lane(
    pure_check: Callable[[bytes], Any], raw: bytes, at: int, keep: bool
) -> None:
    whole = with_value("1")
    outcome = pure_check(whole[:at] + raw + whole[at if keep else at + len(raw) :])
    if isinstance(outcome, Ready):
        decode_event(outcome.value)
    else:
        assert outcome


def test_a_refusal_for_size_comes_before_any_parsing(pure_check: Callable[[bytes], Any]) -> None:
    with pytest.raises(TooLarge):
        pure_check(b"[" * 65_537)


@pytest.fixture
def pure_check(house: House) -> Callable[[bytes], Any]:
    return lambda raw: house.gateway.intake._check.check(raw, "default", house.gateway.intake.rules("default"), NOW)
