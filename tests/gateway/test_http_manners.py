"""What an HTTP client takes for granted of any path, and what the description says of the paths that need no key."""

from typing import Any

import pytest

Event = dict[str, Any]
House = Any


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/unsubscribe?token=x"])
async def test_head_answers_as_get_does(house: House, path: str) -> None:
    """Load balancers and monitors ask so."""
    got, asked = await house.client.get(path), await house.client.head(path)
    assert asked.status_code == got.status_code
    assert asked.headers["content-type"] == got.headers["content-type"]


async def test_head_of_what_can_only_be_posted_is_refused(house: House) -> None:
    answer = await house.client.head("/v1/events")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/unsubscribe", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/decide", "POST"),
        ("DELETE", "/v1/customers/email:amy@example.com/context", "GET, HEAD"),
        ("GET", "/v1/erasures", "POST"),
    ],
)
async def test_another_method_is_told_all_that_the_path_has(house: House, method: str, path: str, allowed: str) -> None:
    answer = await house.client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/events/", "/v1/customers/email:amy@example.com/context/", "/healthz/"])
async def test_a_slash_too_many_is_no_such_path(house: House, path: str) -> None:
    """A redirect would lose the events of clients that take every answer below 400 for success."""
    answer = await house.client.post(path, content=b"{}")
    assert answer.status_code == 404
    assert "location" not in answer.headers


OPERATIONS = {
    ("/healthz", "get"): {"200": "application/json"},
    ("/readyz", "get"): {"200": "application/json", "503": "application/json"},
    ("/metrics", "get"): {"200": "text/plain"},
    ("/unsubscribe", "get"): {"200": "text/html", "404": "text/html"},
    ("/unsubscribe", "post"): dict.fromkeys(("200", "404", "429", "503"), "text/html"),
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
async def test_what_needs_no_key_is_described_as_it_answers(house: House, operation: tuple[str, str]) -> None:
    path, method = operation
    description = (await house.client.get("/openapi.json")).json()
    responses = description["paths"][path][method]["responses"]
    assert {status: next(iter(told["content"])) for status, told in responses.items()} == OPERATIONS[operation]
    assert description["paths"][path][method]["security"] == []
    for status in {"429", "503"} & set(responses):
        assert "Retry-After" in responses[status]["headers"]


async def test_what_is_not_ready_says_when_to_come_again(house: House) -> None:
    house.log.ready = False
    answer = await house.client.get("/readyz")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json() == {"ready": False, "parts": {"broker": False, "release": True}}
