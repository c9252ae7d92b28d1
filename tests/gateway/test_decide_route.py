"""POST /v1/decide and GET .../context: asked of the owner, followed to where the customer lives, never late."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from orchestrator.gateway.asking import Asker
from orchestrator.gateway.owners import AnnouncedOwners
from orchestrator.model.ids import node_key
from orchestrator.model.partition import partition_of
from orchestrator.stream.asking_wire import Answer, Question

Event = dict[str, Any]
House = Any
Reply = tuple[int, Any]
A, B = "10.0.0.1:6066", "10.0.0.2:6066"
AMY, A2 = "email:amy@example.com", "anonymous_id:a2"


def own(house: House, node: str, address: str, number: int = 1) -> None:
    """Announce `address` as the owner of the partition of `node`."""
    partition = partition_of(node_key("default", node), 8)
    value = msgspec.json.encode({"worker": "w", "address": address, "number": number})
    house.owners.learn(str(partition).encode(), value)


def answers(**slots: Any) -> Callable[[dict[str, Any]], Reply]:
    body = {"version": 7, "person": "p-amy", "linking": [], "context": None}
    return lambda question: (
        200,
        {**body, "answers": {slot: slots.get(slot.replace(".", "_")) for slot in question["slots"]}},
    )


def question(**more: Any) -> dict[str, Any]:
    return {"identifier": A2, "channel": "web", "slots": ["web.lp.body"], "deadline_ms": 2000, **more}


async def test_a_channel_that_nobody_declares_is_told_so(house: House) -> None:
    """A slip, else: every slot would show what it shows to a channel that no condition knows."""
    response = await house.decide(question(channel="wbe"))
    assert response.status_code == 422
    [problem] = response.json()["problems"]
    assert problem["path"] == "channel"
    assert problem["message"].startswith("is not a declared channel; did you mean 'web'? Declared are: ")
    assert "voice" in problem["message"], "a channel that only asks"


async def test_a_channel_that_only_asks_is_declared_by_the_release(house: House) -> None:
    own(house, A2, A)
    house.workers.by_address[A] = answers(web_lp_body={"content": "ct.lumo.detail"})
    assert (await house.decide(question(channel="voice"))).status_code == 200


async def test_the_owner_answers(house: House) -> None:
    own(house, A2, A)
    house.workers.by_address[A] = answers(web_lp_body={"content": "ct.lumo.detail"})
    response = await house.decide(question(attributes={"page": "/lp/lumo-1", "language": "fr"}))
    assert response.status_code == 200
    assert response.json() == {
        "version": 7,
        "person": "p-amy",
        "answers": {"web.lp.body": {"content": "ct.lumo.detail"}},
        "linking": [],
        "context": None,
        "event": None,
        "token": None,
    }
    [(address, asked)] = house.workers.asked
    assert address == A
    assert asked["identifier"] == A2
    assert asked["ask"] == {"page": "/lp/lumo-1", "language": "fr", "channel": "web"}
    assert 0 < asked["deadline_ms"] <= 2000


async def test_the_strongest_identifier_is_asked_about(house: House) -> None:
    own(house, AMY, A)
    house.workers.by_address[A] = answers()
    body = question(identifiers={"anonymous_id": "a2", "email": "Amy@Example.com"})
    del body["identifier"]
    await house.decide(body)
    assert house.workers.asked[0][1]["identifier"] == AMY


async def test_a_forward_is_followed(house: House) -> None:
    own(house, A2, A)
    own(house, AMY, B)
    house.workers.by_address[A] = lambda _: (200, {"forward": AMY})
    house.workers.by_address[B] = answers(web_lp_body={"content": "ct.lumo.detail"})
    response = await house.decide(question())
    assert response.json()["answers"]["web.lp.body"] == {"content": "ct.lumo.detail"}
    assert [(address, asked["identifier"]) for address, asked in house.workers.asked] == [(A, A2), (B, AMY)]


async def test_forwards_in_a_circle_end_at_the_deadline(house: House) -> None:
    own(house, A2, A)
    own(house, AMY, B)
    house.workers.by_address[A] = lambda _: (200, {"forward": AMY})
    house.workers.by_address[B] = lambda _: (200, {"forward": A2})
    response = await house.decide(question(deadline_ms=80))
    assert response.json()["answers"]["web.lp.body"] == {"content": "ct.lumo.overview", "reason": "fallback"}
    assert len(house.workers.asked) < 40, "a circle is not run round as fast as the machine can"


async def test_a_worker_that_lost_the_partition_is_passed_over_when_the_new_owner_is_known(
    house: House, eventually_async: Any
) -> None:
    own(house, A2, A)
    house.workers.by_address[A] = lambda _: (421, {})
    house.workers.by_address[B] = answers(web_lp_body={"content": "ct.lumo.detail"})
    asking = asyncio.create_task(house.decide(question()))
    await eventually_async(lambda: house.workers.asked)
    own(house, A2, B, number=2)
    response = await asking
    assert response.json()["answers"]["web.lp.body"] == {"content": "ct.lumo.detail"}
    assert house.workers.asked[-1][0] == B


async def test_a_worker_that_is_gone_is_waited_for_until_another_announces_itself(
    house: House, eventually_async: Any
) -> None:
    own(house, A2, "10.0.0.9:1")
    house.workers.by_address[A] = answers(web_lp_body={"content": "ct.lumo.detail"})
    asking = asyncio.create_task(house.decide(question()))
    await eventually_async(lambda: house.workers.asked)
    own(house, A2, A, number=2)
    assert (await asking).json()["version"] == 7


async def test_a_worker_that_does_not_speak_for_its_partition_is_asked_again_in_growing_pauses(house: House) -> None:
    own(house, A2, A)
    house.workers.by_address[A] = lambda _: (421, {})
    response = await house.decide(question(deadline_ms=600))
    assert response.json()["version"] is None
    assert len(house.workers.asked) <= 6, "in an outage of Kafka every question comes to that"


async def test_an_announcement_of_a_worker_that_was_replaced_is_passed_over(house: House) -> None:
    own(house, A2, B, number=2)
    own(house, A2, A, number=1)
    house.workers.by_address[B] = answers()
    await house.decide(question())
    assert house.workers.asked[0][0] == B


@pytest.mark.parametrize("worker", ["nobody owns it", "silent", "broken", "talks nonsense"])
async def test_at_the_deadline_each_slot_gives_its_default(house: House, worker: str) -> None:
    if worker != "nobody owns it":
        own(house, A2, A)
    replies: dict[str, Any] = {"silent": None, "broken": (500, {}), "talks nonsense": (200, {"version": "x"})}
    house.workers.by_address[A] = lambda _: replies[worker]
    started = time.monotonic()
    response = await house.decide(question(slots=["web.lp.body", "web.unknown"], deadline_ms=100))
    assert time.monotonic() - started < 1.0
    assert response.status_code == 200
    assert response.json()["answers"] == {
        "web.lp.body": {"content": "ct.lumo.overview", "reason": "fallback"},
        "web.unknown": {"content": "", "reason": "fallback"},
    }
    assert response.json()["version"] is None
    assert house.notes.asks == ["fallback"]


async def test_with_an_event_the_owner_is_asked_once_the_event_is_acknowledged(house: House, page_read: Event) -> None:
    own(house, "anonymous_id:a1", A)
    house.workers.by_address[A] = answers(web_lp_body={"content": "ct.lumo.detail"})
    house.log.gate.clear()
    asking = asyncio.create_task(house.decide(question(event=page_read)))
    await asyncio.wait([asking], timeout=0.05)
    assert house.workers.asked == []
    house.log.gate.set()
    response = await asking
    assert response.json()["event"] == {"id": "e-1", "source": "web-shop", "accepted": True, "warnings": []}
    [(_, asked)] = house.workers.asked
    assert asked["event"] == {"id": "e-1", "source": "web-shop"}
    assert asked["identifier"] == "anonymous_id:a1", "the event says whom the question is about"


async def test_an_events_channel_is_the_questions(house: House, page_read: Event) -> None:
    own(house, "anonymous_id:a1", A)
    house.workers.by_address[A] = answers()
    del page_read["channel"]
    assert (await house.decide(question(event=page_read))).status_code == 200
    assert house.log.written[0].topic == "channel.web"


async def test_a_token_makes_the_very_request_known(house: House, page_read: Event) -> None:
    own(house, AMY, A)
    house.workers.by_address[A] = answers()
    response = await house.decide(question(token="tok-amy", event=page_read))
    assert response.json()["token"] == "linked"
    assert house.workers.asked[-1][1]["identifier"] == AMY
    assert house.log.values()[0]["data"]["token"] == "tok-amy"


@pytest.mark.parametrize(("redeem_once", "mark", "whom"), [(True, "unbound", A2), (False, "linked", AMY)])
async def test_a_forwarded_link_does_not_show_one_customers_answers_to_another(
    house: House, monkeypatch: pytest.MonkeyPatch, redeem_once: bool, mark: str, whom: str
) -> None:
    """Without the event nobody can tell which browser opened the link first."""
    own(house, AMY, A)
    own(house, A2, A)
    house.workers.by_address[A] = answers()
    monkeypatch.setattr(type(house.gateway.intake.rules("default")), "redeem_once", redeem_once)
    response = await house.decide(question(token="tok-amy"))
    assert response.json()["token"] == mark
    assert house.workers.asked[-1][1]["identifier"] == whom


async def test_a_token_that_has_expired_is_dropped_visibly(house: House) -> None:
    own(house, A2, A)
    house.workers.by_address[A] = answers()
    response = await house.decide(question(token="tok-old"))
    assert response.json()["token"] == "expired"
    assert house.workers.asked[0][1]["identifier"] == A2


async def test_an_event_that_is_not_acknowledged_by_the_deadline_is_written_all_the_same(
    house: House, page_read: Event
) -> None:
    house.log.gate.clear()
    response = await house.decide(question(event=page_read, deadline_ms=50))
    assert response.status_code == 200
    assert response.json()["event"]["accepted"] is False
    assert response.json()["answers"]["web.lp.body"]["reason"] == "fallback"
    house.log.gate.set()
    await house.gateway.intake.finish()
    assert [event.id for event in house.log.written] == ["e-1"]


async def test_a_bad_event_refuses_the_question_and_names_the_field(house: House, page_read: Event) -> None:
    page_read["data"]["seconds"] = "long"
    response = await house.decide(question(event=page_read))
    assert response.status_code == 422
    assert [one["path"] for one in response.json()["problems"]] == ["event.data.seconds"]
    assert house.log.written == []


async def test_an_event_of_the_brand_names_nobody_to_decide_for(house: House, page_read: Event) -> None:
    stock = {**page_read, "channel": "stock", "type": "level_changed", "data": {"qty": 1}}
    response = await house.decide(question(event=stock))
    assert [one["path"] for one in response.json()["problems"]] == ["event"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"identifier": "amy"}, "identifier"),
        ({"identifier": "shoe_size:42"}, "identifier"),
        ({"identifier": "email:nobody"}, "identifier"),
        ({"identifier": None}, "identifiers"),
        ({"identifiers": {"anonymous_id": 7}}, "identifiers.anonymous_id"),
        ({"slots": []}, "slots"),
        ({"slots": [""]}, "slots[0]"),
        ({"slots": ["s"] * 33}, "slots"),
        ({"slot": "s"}, "slot"),
        ({"channel": None}, "channel"),
        ({"deadline_ms": 0}, "deadline_ms"),
        ({"deadline_ms": 60_000}, "deadline_ms"),
        ({"attributes": {"linked": True}}, "attributes.linked"),
        ({"attributes": {"x": 2**64}}, "attributes.x"),
    ],
)
async def test_a_bad_question_is_refused_by_its_field(house: House, change: dict[str, Any], path: str) -> None:
    response = await house.decide({**question(), **change})
    assert response.status_code == 422, response.text
    assert [one["path"] for one in response.json()["problems"]] == [path]
    assert house.workers.asked == []


async def test_a_question_that_is_no_json(house: House) -> None:
    assert (await house.decide(b'{"channel": NaN}')).status_code == 422
    assert (await house.decide(b"x" * 200_000)).status_code == 413
    assert (await house.decide(question(), content_type="text/plain")).status_code == 415


async def context(house: House, identifier: str, keys: dict[str, str], **params: Any) -> Any:
    return await house.client.get(
        f"/v1/customers/{identifier}/context", headers={"authorization": f"Bearer {keys['everything']}"}, params=params
    )


async def test_context_of_a_known_customer(house: House, keys: dict[str, str]) -> None:
    own(house, AMY, A)
    known = {
        "version": 3,
        "person": "p-amy",
        "answers": {},
        "context": {"stage": "decide"},
        "linking": ["anonymous_id:a2"],
    }
    house.workers.by_address[A] = lambda _: (200, known)
    response = await context(house, "email:Amy%40example.com", keys)
    assert response.json() == {
        "version": 3,
        "person": "p-amy",
        "context": {"stage": "decide"},
        "linking": ["anonymous_id:a2"],
    }
    assert house.workers.asked[0][1]["identifier"] == AMY
    assert house.workers.asked[0][1]["context"] is True


async def test_context_of_somebody_with_a_slash_in_the_name(house: House, keys: dict[str, str]) -> None:
    own(house, "user_id:a/b", A)
    house.workers.by_address[A] = lambda _: (200, {"version": 1, "context": {}})
    assert (await context(house, "user_id:a%2Fb", keys)).status_code == 200


async def test_context_of_nobody_and_of_nobody_who_can_be_asked(house: House, keys: dict[str, str]) -> None:
    own(house, AMY, A)
    house.workers.by_address[A] = lambda _: (200, {"version": 0, "context": None})
    nobody = await context(house, AMY, keys)
    assert nobody.status_code == 404
    assert "amy" not in nobody.text
    house.workers.by_address[A] = lambda _: None
    late = await context(house, AMY, keys, deadline_ms=20)
    assert late.status_code == 503
    assert late.headers["retry-after"] == "1"
    assert (await context(house, "amy", keys)).status_code == 422
    refused = await context(house, AMY, keys, deadline_ms=5)
    assert [one["path"] for one in refused.json()["problems"]] == ["deadline_ms"]


async def test_one_tenants_questions_to_a_silent_worker_do_not_hold_up_anothers(house: House) -> None:
    owners, workers = AnnouncedOwners(1), house.workers
    owners.learn(b"0", msgspec.json.encode({"worker": "w", "address": A, "number": 1}))
    workers.by_address[A] = lambda asked: None if asked["tenant"] == "flood" else (200, {"version": 1})
    asker = Asker(owners, workers, time.monotonic, limit=2)

    def ask(tenant: str) -> Any:
        asked = Question(tenant, A2, None, ("s",), {}, 1000, context=False)
        return asyncio.create_task(asker.ask(asked, time.monotonic() + 0.3))

    flood = [ask("flood") for _ in range(20)]
    assert (await ask("calm")) == Answer(version=1)
    assert await asyncio.gather(*flood) == [None] * 20
    assert sum(asked["tenant"] == "flood" for _, asked in workers.asked) < 10, "no more than have room at once"


async def test_what_is_wrong_with_a_question_is_said_in_the_words_that_events_have(house: House) -> None:
    body = {"identifier": 7, "slot": ["web.lp.hero"], "slots": [], "deadline_ms": 5, "context": "maybe", "nonsense": 1}
    response = await house.decide(body)
    assert response.status_code == 422
    assert {one["path"]: one["message"] for one in response.json()["problems"]} == {
        "identifier": "must be a string",
        "channel": "is required",
        "slots": "must have at least 1",
        "deadline_ms": "must be at least 10",
        "context": "must be true or false",
        "slot": "is not known; did you mean 'slots'?",
        "nonsense": "is not known",
    }
