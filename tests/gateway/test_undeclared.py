"""What nobody declares is accepted and told of: its producer may be ahead of the marketers, or may have slipped."""

from collections.abc import Callable
from typing import Any

from orchestrator.gateway.declared import MOST_NAMED, Declared
from orchestrator.gateway.release_rules import BundleRules
from orchestrator.language.bundle import EventSchemas, load_bundle

Event = dict[str, Any]
House = Any

TOPICS = [
    {
        "topic": "channel.web",
        "events": {
            "page_viewed": {"properties": {"page": {"type": "string"}}},
            "cart_viewed": {"properties": {"cart": {"type": "string"}}},
            "quiz_done": {"properties": {"quiz": {"type": "string"}}},
        },
    },
    {"topic": "channel.app", "events": {"cart_viewed": {"properties": {"basket": {"type": "string"}}}}},
]
BUNDLE = b"""
bundle: tiny
---
channels: default
define: {web: {sends: pull}, app: {sends: pull}, till: {sends: no}}
---
events: all
define:
  page_viewed: {channel: web, derive: {product: event.page}}
  cart_viewed: {channel: [web, app]}
  purchase: {channel: till}
---
identity: default
namespaces: {user_id: unique, email: unique}
references: {order: [purchase]}
"""


def said(channel: str, event_type: str, *names: str) -> list[tuple[str, str, str]]:
    """What is remarked on an event with these properties, in the bundle above: (code, path, message)."""
    bundle = load_bundle({"all.yaml": BUNDLE}, EventSchemas.from_topics(TOPICS)).bundle
    assert bundle is not None
    found = BundleRules(bundle).undeclared(channel, event_type, dict.fromkeys(names, "x"))
    return [(one.code, one.path, one.message) for one in found]


# What a release and its topic files declare.


def test_what_topic_files_or_the_bundle_declare_is_not_remarked_on() -> None:
    assert said("web", "page_viewed", "page") == []
    assert said("web", "quiz_done", "quiz") == [], "only a topic file declares it: its producer is right all the same"
    assert said("till", "purchase", "whatever") == [], "only the bundle does, so conditions may read any property"


def test_identifiers_references_and_what_the_product_itself_reads_may_stand_on_every_event() -> None:
    assert said("web", "page_viewed", "email", "user_id", "order", "token", "thread", "message") == []


def test_a_property_that_conditions_can_read_is_declared_wherever_that_is_said() -> None:
    assert said("web", "page_viewed", "product") == [], "derived: it would be overwritten, and is known"
    assert said("web", "cart_viewed", "basket") == [], "of the same event on another of its channels"


def test_a_misspelt_type_is_told_with_what_was_meant() -> None:
    assert said("web", "page_veiwed", "page") == [
        ("undeclared_type", "type", "is not declared; did you mean 'page_viewed'?")
    ]
    assert said("web", "zzz") == [("undeclared_type", "type", "is not declared")]


def test_a_type_of_another_channel_is_told_with_its_channels() -> None:
    assert said("till", "cart_viewed") == [
        ("undeclared_type", "type", "is not declared on this channel, only on: app, web")
    ]


def test_a_misspelt_property_is_told_with_what_was_meant() -> None:
    assert said("web", "page_viewed", "pgae") == [
        ("undeclared_property", "data.pgae", "is not declared for this event; did you mean 'page'?")
    ]


def test_a_flood_of_properties_is_counted_rather_than_named_and_odd_names_are_not_quoted() -> None:
    declared = Declared({"web": {"seen": frozenset({"page"})}}, ())
    flood = declared.beside("web", "seen", {f"zz{number}": 1 for number in range(1_000)})
    assert len(flood) == MOST_NAMED + 1
    assert (flood[-1].path, flood[-1].message) == ("data", "has 995 more that are not declared for this event")
    (odd,) = declared.beside("web", "seen", {"amy@example.com": 1})
    assert odd.path == "data.?"


# How the gateway tells of it.


async def test_an_event_of_an_undeclared_type_is_accepted_with_a_warning_and_counted(
    house: House, page_read: Event
) -> None:
    response = await house.send({**page_read, "type": "page_raed"})
    assert response.status_code == 202
    assert response.json() == {
        "accepted": 1,
        "dropped_tokens": [],
        "warnings": [
            {
                "index": 0,
                "code": "undeclared_type",
                "path": "type",
                "message": "is not declared; did you mean 'page_read'?",
            }
        ],
    }
    assert [event["type"] for event in house.log.values()] == ["page_raed"], "kept as it came"
    assert house.notes.events == [("web", "undeclared")], "such a name is no label: anybody can make up more"
    assert house.notes.remarks == [("web", "undeclared_type")]


async def test_each_warning_names_its_event_of_the_batch(house: House, page_read: Event) -> None:
    slip = {**page_read, "id": "e-2", "data": {"anonymous_id": "a1", "sekonds": 3, "pgae": "/"}}
    response = await house.send([page_read, slip])
    assert [(one["index"], one["path"]) for one in response.json()["warnings"]] == [
        (1, "data.sekonds"),
        (1, "data.pgae"),
    ]
    assert house.notes.remarks == [("web", "undeclared_property")], "once for the event"
    assert house.notes.events == [("web", "page_read")] * 2


async def test_the_event_of_a_question_has_its_warnings_too(house: House, page_read: Event) -> None:
    body = {"channel": "web", "slots": ["web.lp.body"], "event": {**page_read, "type": "page_raed"}}
    response = await house.decide(body)
    assert response.status_code == 200
    (warning,) = response.json()["event"]["warnings"]
    assert (warning["path"], warning["code"]) == ("event.type", "undeclared_type")


# Where it is set up to refuse.


async def test_a_gateway_can_refuse_what_is_not_declared(make_house: Callable[..., House], page_read: Event) -> None:
    house = make_house(refuse_undeclared=True)
    slip = {**page_read, "id": "e-2", "data": {"anonymous_id": "a1", "sekonds": 3}}
    response = await house.send([page_read, {**page_read, "type": "page_raed"}, slip])
    assert response.status_code == 422
    assert response.json()["problems"] == [
        {"path": "type", "message": "is not declared; did you mean 'page_read'?", "index": 1},
        {"path": "data.sekonds", "message": "is not declared for this event; did you mean 'seconds'?", "index": 2},
    ]
    assert house.log.written == []
    assert (await house.send(page_read)).status_code == 202


async def test_who_wants_no_more_messages_is_never_refused_for_what_a_bundle_forgot(
    make_house: Callable[..., House], page_read: Event
) -> None:
    house = make_house(refuse_undeclared=True)
    raw = b'{"id":"1","source":"unsubscribe","type":"left","channel":"email","data":{"email":"amy@example.com"}}'
    (ready,) = house.gateway.intake.judge([raw], "default", batch=False, own=True)
    assert [one.code for one in ready.undeclared] == ["undeclared_type"]
