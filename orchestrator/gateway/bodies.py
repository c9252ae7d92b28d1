"""Reading a request's body, never more of it than is allowed, and never for longer than is allowed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from starlette.requests import Request

from orchestrator.gateway.buckets import Held
from orchestrator.gateway.json_input import NotJsonError, decode_json
from orchestrator.gateway.refusals import Malformed, Problem, TooLarge, TooSlow, WrongMedia, malformed
from orchestrator.model.event import MAX_EVENT_BYTES

MAX_BATCH: Final = 75
MAX_BATCH_BYTES: Final = MAX_BATCH * (MAX_EVENT_BYTES + 64)
"""A full batch of the largest events, and some room for what stands between them."""

SINGLE: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
EITHER: Final = "application/json"

_SPACE: Final = b" \t\r\n"
_split = msgspec.json.Decoder(list[msgspec.Raw]).decode


def media_type(request: Request, allowed: tuple[str, ...]) -> str:
    """The request's content type, without parameters.

    Raises:
        WrongMedia: not one of `allowed`, compressed, or in another character set than UTF-8.
    """
    name, *parameters = request.headers.get("content-type", "").split(";")
    kind = name.strip().lower()
    if kind not in allowed:
        raise WrongMedia(f"send Content-Type: {' or '.join(allowed)}")
    if not all(map(_keeps_utf8, parameters)):
        raise WrongMedia("send UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise WrongMedia("compressed bodies are not read here")
    return kind


def _keeps_utf8(parameter: str) -> bool:
    """Whether a parameter of a content type leaves the character set at UTF-8."""
    name, _, value = parameter.partition("=")
    return name.strip().lower() != "charset" or value.strip(' "').lower() in ("utf-8", "utf8")


async def read_body(request: Request, limit: int, seconds: float, held: Held) -> bytes:
    """The whole body.

    Args:
        request: nothing of its body has been read yet.
        limit: bytes. What goes beyond is not read: at most one more chunk of the server's is in memory.
        seconds: how long it may take to arrive.
        held: grows by what has been read.

    Raises:
        Unavailable: too much is in hand.
        TooLarge: it is longer, or says it will be.
        TooSlow: it has not arrived in time.
        ClientDisconnect: the caller has gone.
    """
    _refuse_announced(request, limit)
    try:
        async with asyncio.timeout(seconds):
            return await _gather(request.stream(), limit, held)
    except TimeoutError:
        raise TooSlow(f"the body must arrive within {seconds:g} s") from None


async def read_events(request: Request, seconds: float, held: Held) -> tuple[list[bytes], bool]:
    """The events of a body, undecoded, and whether they came as a batch.

    Raises:
        Malformed: no JSON, no event in it, or more than 75.
        TooLarge, TooSlow, WrongMedia, Unavailable: as they say.
        ClientDisconnect: the caller has gone.
    """
    kind = media_type(request, (EITHER, SINGLE, BATCH))
    if kind == EITHER and "ce-specversion" in request.headers:
        raise WrongMedia(
            "CloudEvents in binary mode (attributes in headers) are not read here; send structured or batched mode"
        )
    if kind == SINGLE:
        return [await read_body(request, MAX_EVENT_BYTES, seconds, held)], False
    body = await read_body(request, MAX_BATCH_BYTES, seconds, held)
    if body.lstrip(_SPACE)[:1] == b"[":
        return split_batch(body), True
    if kind == BATCH:
        raise Malformed("a batch is a JSON list of events", problems=(Problem("", "must be a list of events"),))
    if len(body) > MAX_EVENT_BYTES:
        raise TooLarge(f"an event may have {MAX_EVENT_BYTES} bytes; this one has {len(body)}")
    return [body], False


def split_batch(body: bytes) -> list[bytes]:
    """The elements of a JSON list as their own bytes.

    Raises:
        Malformed: no JSON list, an empty one, or more than 75 elements.
    """
    try:
        parts = [bytes(part) for part in _split(body)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed([Problem("", _why_broken(body))]) from None
    if not 1 <= len(parts) <= MAX_BATCH:
        raise malformed([Problem("", f"a batch has 1 to {MAX_BATCH} events; this one has {len(parts)}")])
    return parts


def _why_broken(body: bytes) -> str:
    try:
        decode_json(body)
    except NotJsonError as error:
        return str(error)
    return "is not a valid JSON list of events"


def _refuse_announced(request: Request, limit: int) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 12 or int(announced) > limit):
        raise TooLarge(f"the body may have {limit} bytes")


async def _gather(chunks: AsyncIterator[bytes], limit: int, held: Held) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        if len(body) + len(chunk) > limit:
            raise TooLarge(f"the body may have {limit} bytes")
        held.grow(len(chunk))
        body += chunk
    return bytes(body)
