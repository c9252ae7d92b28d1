"""An event on its way in: what it must say, and what is left to the topic."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from orchestrator.model.event import DEFAULT_TENANT, decode_event, milliseconds

SMALLEST = {"id": "e1", "source": "shop", "type": "page_viewed", "data": {}}


def raw(**fields: object) -> bytes:
    return msgspec.json.encode({**SMALLEST, **fields})


def test_an_event_needs_an_id_a_source_a_type_and_data() -> None:
    event = decode_event(raw())
    assert (event.id, event.source, event.type, event.data) == ("e1", "shop", "page_viewed", {})
    assert (event.time, event.channel, event.tenant) == (None, None, DEFAULT_TENANT)


@pytest.mark.parametrize("field", ["id", "source", "type", "data"])
def test_an_event_that_lacks_one_is_refused_by_name(field: str) -> None:
    broken = {name: value for name, value in SMALLEST.items() if name != field}
    with pytest.raises(msgspec.DecodeError, match=field):
        decode_event(msgspec.json.encode(broken))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", 7),
        ("id", "x" * 257),
        ("type", ""),
        ("source", None),
        ("data", []),
        ("data", None),
        ("time", "2026-03-02T08:15:00"),
        ("time", "yesterday"),
        ("time", 1772000000),
        ("tenant", None),
    ],
)
def test_a_field_that_holds_something_else_is_refused(field: str, value: object) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_event(raw(**{field: value}))


def test_fields_of_cloudevents_that_we_do_not_use_are_no_fault() -> None:
    assert decode_event(raw(specversion="1.0", datacontenttype="application/json", subject="x")).id == "e1"


def test_times_of_any_zone_are_one_time() -> None:
    paris = decode_event(raw(time="2026-03-02T09:15:00.5+01:00")).time
    assert paris is not None
    assert milliseconds(paris) == milliseconds(datetime(2026, 3, 2, 8, 15, 0, 500_000, tzinfo=UTC)) == 1_772_439_300_500


def test_milliseconds_are_exact_far_from_the_epoch() -> None:
    there = datetime(2100, 1, 1, 0, 0, 0, 1000, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert milliseconds(there) % 1000 == 1


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"id": "\xff\xfe"}', b'{"a": NaN}', b"null", raw()[:-1]])
def test_what_is_no_json_object_of_an_event_is_refused(broken: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)):
        decode_event(broken)


def test_deep_nesting_is_refused_and_not_a_crash() -> None:
    deep = b'{"id":"e","source":"s","type":"t","data":{"a":' + b"[" * 20_000 + b"]" * 20_000 + b"}}"
    with pytest.raises((msgspec.DecodeError, RecursionError)):
        decode_event(deep)
