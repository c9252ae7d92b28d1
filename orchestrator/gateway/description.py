"""The API's description (OpenAPI): what a producer, a website or an agent's desk needs to work from."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from fastapi import FastAPI

from orchestrator.gateway.bodies import BATCH, EITHER, MAX_BATCH, SINGLE
from orchestrator.gateway.models import DecideBody, ErasureBody, EventBody, ProblemBody, Readiness

INTRODUCTION: Final = """
Channel events in; decisions and context out.

**Keys.** Send `Authorization: Bearer KEY`. A key stands for one tenant and has scopes: `events`, `decide`, `context`,
`erase`.

**Errors** are `application/problem+json` (RFC 9457). A 422 names every field that is wrong, of every event.

| status | what to do |
|---|---|
| 401, 403 | check the key and its scopes |
| 408 | send the body faster |
| 413 | an event may have 64 kB |
| 422 | correct the fields it names; nothing of the request was accepted |
| 429 | slow down; come again after `Retry-After` seconds |
| 503 | come again after `Retry-After` seconds with the same event ids: an event counts once, however often it comes |
"""

_MEANINGS: Final[Mapping[int, str]] = {
    401: "No key, or an unknown one",
    403: "The key has not the scope",
    404: "Nobody is known by this identifier",
    408: "The body did not arrive in time",
    413: "An event over 64 kB, or a body over the limit",
    415: "Another content type",
    422: "The request is not what it should be; every problem is named by its field",
    429: "The key's share is used up; Retry-After says for how long",
    503: "Not possible at the moment; Retry-After says when to come again",
}
PROBLEM: Final = "application/problem+json"
_RETRY_AFTER: Final = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer", "minimum": 1}}}


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    return {
        status: {"model": ProblemBody, "description": _MEANINGS[status]}
        | ({"headers": _RETRY_AFTER} if status in (429, 503) else {})
        for status in statuses
    }


def _page(status: int) -> dict[str, Any]:
    headers = {"headers": _RETRY_AFTER} if status in (429, 503) else {}
    return {"description": _PAGES[status], "content": {"text/html": {"schema": {"type": "string"}}}, **headers}


KEYLESS: Final[dict[str, Any]] = {"security": []}
READY_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    503: {"model": Readiness, "description": "Not yet, or not at the moment", "headers": _RETRY_AFTER}
}
_PAGES: Final[Mapping[int, str]] = {
    404: "A page that says so: the link is none of ours, or too old",
    429: "A page that says so: too many at once",
    503: "A page that says so: this cannot be written down at the moment",
}
UNSUBSCRIBE_PAGES: Final[dict[int | str, dict[str, Any]]] = {404: _page(404)}
UNSUBSCRIBED_PAGES: Final[dict[int | str, dict[str, Any]]] = {status: _page(status) for status in _PAGES}

EVENT_REFUSALS: Final = _refusals(401, 403, 408, 413, 415, 422, 429, 503)
DECIDE_REFUSALS: Final = _refusals(401, 403, 408, 413, 415, 422, 429, 503)
CONTEXT_REFUSALS: Final = _refusals(401, 403, 404, 422, 429, 503)

_ONE: Final = {"$ref": "#/components/schemas/EventBody"}
_MANY: Final = {"type": "array", "items": _ONE, "minItems": 1, "maxItems": MAX_BATCH}
EVENTS_REQUEST: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            EITHER: {"schema": {"oneOf": [_ONE, _MANY]}},
            SINGLE: {"schema": _ONE},
            BATCH: {"schema": _MANY},
        },
    }
}
DECIDE_REQUEST: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {EITHER: {"schema": {"$ref": "#/components/schemas/DecideBody"}}},
    }
}

ERASURE_REQUEST: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {EITHER: {"schema": {"$ref": "#/components/schemas/ErasureBody"}}},
    }
}


def describe(app: FastAPI, schemas: Mapping[str, Mapping[str, Mapping[str, Any]]], *, keyed: bool) -> None:
    """Complete the application's description.

    Args:
        app: its routes are all there.
        schemas: channel -> event type -> JSON Schema of its data; each becomes a component `CHANNEL.TYPE`.
        keyed: whether keys are needed.
    """
    generate: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _completed(generate(), schemas, keyed)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the description


def _completed(
    description: dict[str, Any], schemas: Mapping[str, Mapping[str, Mapping[str, Any]]], keyed: bool
) -> dict[str, Any]:
    components = description.setdefault("components", {})
    models = components.setdefault("schemas", {})
    for model in (EventBody, DecideBody, ErasureBody):
        document = model.model_json_schema(ref_template="#/components/schemas/{model}")
        models.update(document.pop("$defs", {}))
        models[model.__name__] = document
    models["EventBody"]["properties"]["channel"]["enum"] = sorted(schemas)
    for channel, types in schemas.items():
        for name, schema in types.items():
            models[f"{channel}.{name}"] = {"title": f"data of {name} on {channel}", **schema}
    for path in description["paths"].values():
        for operation in path.values():
            _corrected(operation)
    for name in ("HTTPValidationError", "ValidationError"):
        models.pop(name, None)
    if keyed:
        components["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
        description["security"] = [{"key": []}]
    return description


def _corrected(operation: dict[str, Any]) -> None:
    """What the framework cannot know: refusals have a content type of their own, and are not its own refusals."""
    responses = operation["responses"]
    for status in [each for each, told in responses.items() if _refers(told, "HTTPValidationError")]:
        del responses[status]
    for told in responses.values():
        if _refers(told, ProblemBody.__name__):
            told["content"][PROBLEM] = told["content"].pop(EITHER)


def _refers(response: Mapping[str, Any], component: str) -> bool:
    reference = response.get("content", {}).get(EITHER, {}).get("schema", {}).get("$ref", "")
    return bool(reference == f"#/components/schemas/{component}")
