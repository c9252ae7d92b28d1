"""Around every request: an id, security headers, one answer for whatever goes wrong, and a note of what happened."""

import re
import uuid
from collections.abc import Callable
from typing import Final

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.gateway.observer import Observer
from orchestrator.gateway.refusals import Problem, Refusal

CLIENT_GONE: Final = 499
SECURITY_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

_REQUEST_ID: Final = re.compile(r"[0-9A-Fa-f-]{8,64}")


class Edge:
    """ASGI middleware around the whole application.

    A request id that comes along is kept if it can be nothing but an id (hex digits and dashes); else a new one
    is made. An error of ours is answered with 500 and handed to the observer, without its text, which could
    quote what was sent; the connection's next request is served as if nothing had been. Beyond `limit` requests at
    once the answer is 503. HEAD is answered as GET is; the server leaves the body out.
    """

    def __init__(self, app: ASGIApp, observer: Observer, clock: Callable[[], float], limit: int) -> None:
        self._app = app
        self._limit = limit
        self._under_way = 0
        self._observer = observer
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}  # the server keeps its own, by which it knows to send no body
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = self._clock(), CLIENT_GONE

        async def respond(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, text in SECURITY_HEADERS.items():
                    headers.setdefault(name, text)
                headers["x-request-id"] = request_id
            await send(message)

        self._under_way += 1
        try:
            await (self._app if self._under_way <= self._limit else _busy(request_id))(scope, receive, respond)
        except ClientDisconnect:
            status = CLIENT_GONE
        except Exception as error:  # noqa: BLE001 - chosen fate: counted, logged without its text, answered with 500
            self._observer.failed(request_id, error)
            if status == CLIENT_GONE:
                await _internal_error(request_id)(scope, receive, respond)
        finally:
            self._under_way -= 1
            self._observer.requested(_route(scope), status, self._clock() - started)


def refusal_response(request: Request, refusal: Refusal) -> Response:
    """A refusal as an answer (RFC 9457), with Retry-After where it says when."""
    headers = {}
    if refusal.retry_after is not None:
        headers["retry-after"] = str(max(1, -int(-refusal.retry_after // 1)))
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    if refusal.status == 408:
        headers["connection"] = "close"  # what still comes is the rest of a body that nobody waits for
    request_id: str = request.scope["state"]["request_id"]
    return problem_response(refusal.status, refusal.title, refusal.detail, request_id, refusal.problems, headers)


def http_error_response(request: Request, error: HTTPException) -> Response:
    """The framework's own errors (no such route, no such method) in the same shape."""
    request_id: str = request.scope["state"]["request_id"]
    details = {404: "there is no such path here; see /openapi.json", 405: "this path has other methods"}
    detail = details.get(error.status_code, "the request cannot be handled")
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers = {"allow": ", ".join(sorted(_methods(request)))}
    return problem_response(error.status_code, "Not possible", detail, request_id, headers=headers)


def _methods(request: Request) -> set[str]:
    """All methods of the request's path, which may be several routes'."""
    routes: list[BaseRoute] = request.app.routes
    here = (route for route in routes if route.matches(request.scope)[0] is not Match.NONE)
    found = {method for route in here for method in getattr(route, "methods", None) or ()}
    return found | {"HEAD"} if "GET" in found else found


def problem_response(
    status: int,
    title: str,
    detail: str,
    request_id: str,
    problems: tuple[Problem, ...] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """An `application/problem+json` answer."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "request_id": request_id,
        "problems": problems,
    }
    return Response(msgspec.json.encode(body), status, headers, "application/problem+json")


def _internal_error(request_id: str) -> Response:
    detail = "this is our fault and has been counted; the request can be sent again under the same event ids"
    return problem_response(500, "Internal error", detail, request_id)


def _busy(request_id: str) -> Response:
    detail = "too many requests are under way here"
    return problem_response(503, "Not possible at the moment", detail, request_id, headers={"retry-after": "1"})


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if _REQUEST_ID.fullmatch(given):
                return given
    return uuid.uuid4().hex


def _route(scope: Scope) -> str:
    """The route's template, never the path: an identifier may stand in it."""
    route: str = getattr(scope.get("route"), "path", "none")
    return route
