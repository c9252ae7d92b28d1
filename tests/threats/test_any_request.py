"""Whatever is asked of the gateway, by whomever: an answer that says what is wrong, never an error of ours."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.threats.two_tenants import KEYS, House

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "canary 4711"
ODD = [CANARY, "email:amy@example.com", "email:", ":", "..", "a" * 500, "\x00", "é/ü"]
TEXT = st.text(max_size=20) | st.sampled_from(ODD)
SENT = st.sampled_from([CANARY, f"{CANARY}@example.com", f"email:{CANARY}", f"{CANARY}:x", ""])
JSON = SENT | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "id", "source", "type", "time", "channel", "data", "tenant", "token", "identifier", "identifiers", "slots",
    "attributes", "deadline_ms", "event", "context", "language", "receipt",
]  # fmt: skip
WORDS = st.sampled_from(FIELDS)
AMY = "email:amy@example.com"
RIGHT: dict[str, dict[str, Any]] = {
    "/v1/events": {
        "id": "e", "source": "s", "type": "seen", "channel": "web", "data": {"email": "amy@example.com"},
    },
    "/v1/decide": {"channel": "web", "slots": ["page"], "identifier": AMY, "deadline_ms": 2000},
    "/v1/erasures": {"identifier": AMY},
}  # fmt: skip
"""What each path takes; requests differ from it by some fields, or have nothing of it."""
CHANGES = st.dictionaries(WORDS, JSON, max_size=2)
PATHS = st.sampled_from(["/v1/events", "/v1/decide", "/v1/erasures"]) | st.sampled_from([
    "/v1/events", "/v1/decide", "/v1/erasures", "/v1/erasures/{}", "/v1/customers/{}/context", "/unsubscribe?token={}",
    "/{}", "/v1/customers/{}", "/v1/customers/{}/context?deadline_ms={}",
])  # fmt: skip
KEY = KEYS["mine"]
NONE: st.SearchStrategy[dict[str, str]] = st.just({})
HEADERS = NONE | st.fixed_dictionaries({}, optional={
    "authorization": st.sampled_from([f"Bearer {KEY}", f"bearer  {KEY} ", "Bearer x", "Basic eA==", ""]),
    "content-type": st.sampled_from(["application/json", "application/json; charset=latin-1", "text/plain", "a/b;;;"]),
    "content-encoding": st.sampled_from(["gzip", "identity"]),
    "content-length": st.sampled_from(["99999999999999", "x"]),
    "x-request-id": TEXT.filter(str.isascii).filter(str.isprintable),
})  # fmt: skip


class Asked:
    """A gateway with a loop of its own, so that a generated request is one call."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.house = self.runner.run(self._house())
        self.statuses: set[int] = set()

    async def _house(self) -> House:
        return House()

    def request(self, method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        async def ask() -> Any:
            return await self.house.client.request(method, url, headers=headers, content=body)

        answer = self.runner.run(ask())
        self.statuses.add(answer.status_code)
        return answer.status_code, dict(answer.headers), answer.content

    def close(self) -> None:
        self.runner.run(self.house.client.aclose())
        self.runner.close()


@pytest.fixture(scope="module")
def asked() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.close()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.just("POST") | st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]), path=PATHS, part=TEXT,
    headers=HEADERS, body=CHANGES | st.binary(max_size=60) | st.lists(CHANGES, max_size=3),
)  # fmt: skip
@example(method="POST", path="/v1/events", part="", headers={"authorization": "Bearer x"}, body={})
@example(method="POST", path="/v1/events", part="", headers={"content-type": "text/plain"}, body={})
@example(method="POST", path="/v1/events", part="", headers={}, body={})
@example(method="POST", path="/v1/decide", part="", headers={}, body={"slots": CANARY})
@example(method="POST", path="/v1/decide", part="", headers={}, body={})
@example(method="GET", path="/v1/decide", part="", headers={}, body={})
@example(method="GET", path="/{}", part="nothing", headers={}, body={})
def test_any_request_is_answered(
    asked: Asked, method: str, path: str, part: str, headers: dict[str, str], body: Any
) -> None:
    keyed = {"authorization": f"Bearer {KEY}", "content-type": "application/json", **headers}
    right = RIGHT.get(path, {})
    if isinstance(body, dict):
        body = {**right, **body}
    elif isinstance(body, list):
        body = [{**right, **each} for each in body]
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    status, given, content = asked.request(method, path.replace("{}", quote(part, safe="")), keyed, raw)
    assert status < 500, content
    assert given["x-content-type-options"] == "nosniff"
    assert given["x-request-id"]
    if status >= 400 and method != "HEAD" and given.get("content-type") == "application/problem+json":
        told = msgspec.json.decode(content)
        assert told["status"] == status
        assert told["detail"]
        assert CANARY not in content.decode(), "what was sent is not sent back"


def test_they_were_of_all_kinds(asked: Asked) -> None:
    assert asked.statuses >= {200, 202, 401, 404, 405, 415, 422}


@pytest.mark.parametrize(
    "sent", [CANARY, [CANARY], {"email": CANARY}, {CANARY: 1}], ids=["text", "list", "map", "name"]
)
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("path", RIGHT)
def test_what_stands_in_a_field_is_not_sent_back(asked: Asked, path: str, field: str, sent: Any) -> None:
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    status, _, content = asked.request("POST", path, headers, msgspec.json.encode({**RIGHT[path], field: sent}))
    assert status < 500
    assert status < 400 or CANARY not in content.decode(), "an answer has the slots by their names, a refusal nothing"
