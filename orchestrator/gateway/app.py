"""The gateway's HTTP surface. Routes only translate; what they do is in `intake` and `deciding`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from fastapi import FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from orchestrator.gateway.bodies import EITHER, media_type, read_body, read_events
from orchestrator.gateway.buckets import InHand
from orchestrator.gateway.credentials import Credentials
from orchestrator.gateway.deciding import Decider, Decision
from orchestrator.gateway.description import (
    CONTEXT_REFUSALS,
    DECIDE_REFUSALS,
    DECIDE_REQUEST,
    EVENT_REFUSALS,
    EVENTS_REQUEST,
    INTRODUCTION,
    KEYLESS,
    READY_ANSWERS,
    describe,
)
from orchestrator.gateway.docs_page import docs_page
from orchestrator.gateway.edge import Edge, http_error_response, refusal_response
from orchestrator.gateway.erasure_routes import add_erasures
from orchestrator.gateway.erasures import Erasures
from orchestrator.gateway.events import Ready
from orchestrator.gateway.intake import Intake
from orchestrator.gateway.models import AcceptedBody, ContextAnswer, DecideAnswer, DecideBody, Liveness, Readiness
from orchestrator.gateway.observer import Observer
from orchestrator.gateway.refusals import Malformed, Problem, Refusal, malformed
from orchestrator.gateway.unsubscribe_page import add_unsubscribe
from orchestrator.gateway.unsubscribing import Unsubscribing
from orchestrator.gateway.validation import location, message_of, validated

MAX_QUESTION_BYTES: Final = 128 * 1024


@dataclass(frozen=True)
class Gateway:
    """Everything that the routes need.

    Attributes:
        intake: takes events in.
        decider: answers questions.
        credentials: who may do what.
        observer: told of what happens.
        clock: a monotonic clock, s.
        in_hand: bounds the bodies in memory.
        parts_ready: what must stand before requests can be answered, and whether it does.
        metrics: the metrics page: its bytes and its content type.
        schemas: channel -> event type -> JSON Schema of its data, for the description.
        unsubscribing: takes customers at their word who want no more messages.
        erasures: takes requests to erase customers, and knows the receipts.
        body_seconds: how long a body may take to arrive.
        most_requests: how many requests may be under way at once.
    """

    intake: Intake
    decider: Decider
    credentials: Credentials
    observer: Observer
    clock: Callable[[], float]
    in_hand: InHand
    parts_ready: Callable[[], Mapping[str, bool]]
    metrics: Callable[[], tuple[bytes, str]]
    schemas: Mapping[str, Mapping[str, Mapping[str, Any]]]
    unsubscribing: Unsubscribing
    erasures: Erasures
    body_seconds: float = 10.0
    most_requests: int = 1000


def create_app(gateway: Gateway) -> FastAPI:
    """The application; it starts and stops nothing by itself."""
    app = FastAPI(
        title="Orchestrator gateway",
        version="1",
        description=INTRODUCTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # many clients take a redirect for success, and what they posted is lost
    )
    _add_events(app, gateway)
    _add_decide(app, gateway)
    _add_context(app, gateway)
    add_erasures(app, gateway)
    add_unsubscribe(app, gateway.unsubscribing)
    _add_operations(app, gateway)
    _add_errors(app, gateway)
    describe(app, gateway.schemas, keyed=not gateway.credentials.open)
    app.add_middleware(Edge, observer=gateway.observer, clock=gateway.clock, limit=gateway.most_requests)
    return app


def _add_events(app: FastAPI, gateway: Gateway) -> None:
    @app.post(
        "/v1/events",
        status_code=202,
        response_model=AcceptedBody,
        responses=EVENT_REFUSALS,
        openapi_extra=EVENTS_REQUEST,
        summary="Send one event, or a batch",
        tags=["events"],
    )
    async def send_events(request: Request) -> Response:
        """202 means that Kafka has acknowledged every event. Nothing accepted is lost.

        A batch is judged whole before any of it is written: with one bad event, none is accepted. After a 503 (or
        no answer at all) send the same events again: ids tell duplicates. `warnings` names types and properties that
        nobody declares; these events are accepted, unless the gateway is set up to refuse them (422).
        """
        credential = gateway.credentials.identify(request.headers.get("authorization"), "events")
        with gateway.in_hand.holding(credential.tenant) as held:
            raws, batch = await read_events(request, gateway.body_seconds, held)
            events = gateway.intake.judge(raws, credential.tenant, batch=batch)
        await gateway.intake.write(events, credential)
        dropped = [
            {"index": index, "reason": event.token}
            for index, event in enumerate(events)
            if event.token not in ("", "linked")
        ]
        warnings = [one for index, event in enumerate(events) for one in _warnings(event, index)]
        return _json({"accepted": len(events), "dropped_tokens": dropped, "warnings": warnings}, 202)


def _add_decide(app: FastAPI, gateway: Gateway) -> None:
    @app.post(
        "/v1/decide",
        response_model=DecideAnswer,
        responses=DECIDE_REFUSALS,
        openapi_extra=DECIDE_REQUEST,
        summary="Ask what a customer should see now",
        tags=["decide"],
    )
    async def decide(request: Request) -> Response:
        """Answers by the deadline, whatever happens: a slot that cannot be decided in time gives its default.

        With the event that made the request (a page view), the answer already knows of it.
        """
        authorization = request.headers.get("authorization")
        credential = gateway.credentials.identify(authorization, "decide")
        media_type(request, (EITHER,))
        with gateway.in_hand.holding(credential.tenant) as held:
            body = validated(DecideBody, await read_body(request, MAX_QUESTION_BYTES, gateway.body_seconds, held))
        if body.event is not None:
            gateway.credentials.identify(authorization, "events")
        if body.context:
            gateway.credentials.identify(authorization, "context")
        return _json(_decision(await gateway.decider.decide(body, credential)))


def _add_context(app: FastAPI, gateway: Gateway) -> None:
    @app.get(
        "/v1/customers/{identifier:path}/context",
        response_model=ContextAnswer,
        responses=CONTEXT_REFUSALS,
        summary="What is known of a customer",
        tags=["context"],
    )
    async def context(
        request: Request, identifier: str, deadline_ms: Annotated[int, Query(ge=10, le=10_000)] = 1000
    ) -> Response:
        """`identifier` is `NAMESPACE:VALUE`, percent-encoded: `email:amy%40example.com`.

        During a merge the half that owns the identifier answers, and `linking` names what is being joined to it.
        """
        credential = gateway.credentials.identify(request.headers.get("authorization"), "context")
        answer = await gateway.decider.context(identifier, credential, deadline_ms)
        return _json(
            {
                "version": answer.version,
                "person": answer.person,
                "context": answer.context,
                "linking": answer.linking,
            }
        )


def _add_operations(app: FastAPI, gateway: Gateway) -> None:
    @app.get(
        "/healthz", response_model=Liveness, summary="Is the process alive", tags=["operations"], openapi_extra=KEYLESS
    )
    async def healthz() -> Response:
        return _json({"alive": True})

    @app.get(
        "/readyz",
        response_model=Readiness,
        responses=READY_ANSWERS,
        summary="Can it answer requests",
        tags=["operations"],
        openapi_extra=KEYLESS,
    )
    async def readyz() -> Response:
        parts = gateway.parts_ready()
        ready = all(parts.values())
        answer = _json({"ready": ready, "parts": parts}, 200 if ready else 503)
        if not ready:
            answer.headers["retry-after"] = "1"
        return answer

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return Response(docs_page(app.openapi()), media_type="text/html; charset=utf-8")

    @app.get(
        "/metrics",
        response_class=PlainTextResponse,
        summary="Prometheus metrics",
        tags=["operations"],
        openapi_extra=KEYLESS,
    )
    async def metrics() -> Response:
        page, kind = gateway.metrics()
        return Response(page, media_type=kind)


def _add_errors(app: FastAPI, gateway: Gateway) -> None:
    @app.exception_handler(Refusal)
    async def refused(request: Request, refusal: Refusal) -> Response:
        gateway.observer.refused(refusal.reason)
        return refusal_response(request, refusal)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        gateway.observer.refused(Malformed.reason)
        problems = [Problem(location(one["loc"][1:]), message_of(one)) for one in error.errors()]
        return refusal_response(request, malformed(problems))

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        return http_error_response(request, error)


def _warnings(event: Ready, index: int = 0, above: str = "") -> list[dict[str, Any]]:
    return [
        {"index": index, "code": one.code, "path": f"{above}{one.path}", "message": one.message}
        for one in event.undeclared
    ]


def _taken_in(decision: Decision) -> dict[str, Any] | None:
    event = decision.event
    if event is None:
        return None
    told = {"id": event.id, "source": event.source, "accepted": decision.event_accepted}
    return {**told, "warnings": _warnings(event, above="event.")}


def _decision(decision: Decision) -> dict[str, Any]:
    answer = decision.answer
    return {
        "version": answer.version if answer else None,
        "person": answer.person if answer else None,
        "answers": decision.answers,
        "linking": answer.linking if answer else (),
        "context": answer.context if answer else None,
        "event": _taken_in(decision),
        "token": decision.token or None,
    }


def _json(body: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
