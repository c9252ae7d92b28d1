"""The routes that erase customers: asking for it, and the receipt."""

from typing import TYPE_CHECKING, Any, Final

import msgspec
from fastapi import FastAPI, Request, Response

from orchestrator.gateway.bodies import EITHER, media_type, read_body
from orchestrator.gateway.description import CONTEXT_REFUSALS, DECIDE_REFUSALS, ERASURE_REQUEST
from orchestrator.gateway.models import ErasureAsked, ErasureBody, ErasureState
from orchestrator.gateway.validation import validated

if TYPE_CHECKING:
    from orchestrator.gateway.app import Gateway

MAX_ERASURE_BYTES: Final = 4 * 1024


def add_erasures(app: FastAPI, gateway: "Gateway") -> None:
    """The routes."""

    @app.post(
        "/v1/erasures",
        status_code=202,
        response_model=ErasureAsked,
        responses=DECIDE_REFUSALS,
        openapi_extra=ERASURE_REQUEST,
        summary="Erase a customer",
        tags=["erasures"],
    )
    async def ask_for_erasure(request: Request) -> Response:
        """Everything that is known of the customer is erased, under every identifier that leads to them.

        It cannot be undone. 202 means that Kafka has acknowledged the request; the receipt says when it is done. The
        key needs the scope `erase`, which no key has unless it is said. Keep the token: with it, and only with it, it
        can be told whether an identifier is on the receipt; asking again with it is the same request.
        """
        credential = gateway.credentials.identify(request.headers.get("authorization"), "erase")
        media_type(request, (EITHER,))
        with gateway.in_hand.holding(credential.tenant) as held:
            raw = await read_body(request, MAX_ERASURE_BYTES, gateway.body_seconds, held)
        body = validated(ErasureBody, raw)
        gateway.credentials.spend(credential, 1)
        receipt, token = await gateway.erasures.ask(credential.tenant, body.identifier, body.token)
        return _answer({"receipt": receipt, "token": token}, 202)

    @app.get(
        "/v1/erasures/{receipt}",
        response_model=ErasureState,
        responses=CONTEXT_REFUSALS,
        summary="How far an erasure is",
        tags=["erasures"],
    )
    async def erasure(request: Request, receipt: str) -> Response:
        """`complete` when every node has answered. A node stands there by its namespace and a mark; nobody is named.

        404 until the first node has answered. A part of the customer that was on its way to another node at that
        moment is added, and the receipt is complete again when that has answered, too.
        """
        credential = gateway.credentials.identify(request.headers.get("authorization"), "erase")
        gateway.credentials.spend(credential, 1)
        found = gateway.erasures.receipt(credential.tenant, receipt)
        nodes = [{"mark": mark, "namespace": namespace, "at": at or None} for mark, namespace, at in found.nodes]
        return _answer({
            "receipt": found.id, "state": found.state, "reached": found.reached, "expected": found.expected,
            "nodes": nodes,
        })  # fmt: skip


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
