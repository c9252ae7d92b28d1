"""One event on its way in: looked at as a whole, then made into the record that goes to Kafka.

`EventCheck.check` names everything that is wrong with an event at once, by field, and never quotes a value.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Protocol

import msgspec
import orjson

from orchestrator.gateway.declared import Undeclared
from orchestrator.gateway.json_input import NotJsonError, bounds_problems, decode_json, field_path
from orchestrator.gateway.refusals import Problem, TooLarge
from orchestrator.gateway.rules import ReleaseRules
from orchestrator.gateway.schemas import Check
from orchestrator.gateway.times import format_time, parse_time, time_problem
from orchestrator.model.event import MAX_EVENT_BYTES, MOST_NESTED
from orchestrator.model.ids import made_id, node_key

EVENT_DEPTH: Final = 2 + MOST_NESTED
"""The event itself, its `data`, and what the lane takes in a property."""
MAX_NAME: Final = 256
MAX_IDENTIFIER: Final = 256
MAX_TOKEN: Final = 2048
RESERVED_SOURCES: Final = ("delivery",)
"""Sources that only the product itself writes; an outcome of delivery from elsewhere would be a forged one."""

_TYPE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_ENVELOPE: Final = ("id", "source", "type", "time", "channel", "data", "specversion", "tenant", "token")
_JSON_CONTENT: Final = re.compile(r"application/([a-z0-9.+-]+\+)?json(\s*;.*)?", re.IGNORECASE)


class Ready(msgspec.Struct, frozen=True):
    """An event that may be written: its record, and what an ask about it needs to know.

    `node` is the node of its strongest identifier, None for an event of the brand. `token` says what became of
    the signed link token that came with it: `""` (there was none), `linked`, or why it was dropped. `undeclared` is
    what of it nobody declares.
    """

    topic: str
    key: bytes
    value: bytes
    id: str
    source: str
    type: str
    channel: str
    node: str | None
    token: str = ""
    undeclared: tuple[Undeclared, ...] = ()


class Redeemed(msgspec.Struct, frozen=True):
    """Whom a signed link token names."""

    namespace: str
    value: str


class Tokens(Protocol):
    """Who verifies signed link tokens."""

    def verify(self, tenant: str, token: str, now: int) -> Redeemed | str:
        """What a token stands for, or why it is dropped: `invalid`, `expired`."""
        ...


def undeclared_channel(channel: str, declared: Collection[str]) -> str:
    """What is said of a channel that nobody declares."""
    near = difflib.get_close_matches(channel, declared, 1)
    hint = f"did you mean {near[0]!r}? Declared" if near else "declared"
    return f"is not a declared channel; {hint} are: {', '.join(sorted(declared))}"


class EventCheck(msgspec.Struct, frozen=True):
    """All that is needed to judge an event.

    Attributes:
        channels: declared channel -> declared event type -> the check of its data.
        tokens: who verifies signed link tokens.
    """

    channels: Mapping[str, Mapping[str, Check]]
    tokens: Tokens

    def check(self, raw: bytes, tenant: str, rules: ReleaseRules, now: int) -> Ready | list[Problem]:
        """Judge one event.

        Args:
            raw: the event's JSON as it came.
            tenant: whose credential it came with.
            rules: of the tenant's current release.
            now: the wall clock, ms.

        Returns:
            The event ready to be written, or everything that is wrong with it.

        Raises:
            TooLarge: over 64 kB, as it came or as it would be written.
        """
        _within_limit(len(raw))
        try:
            event = decode_json(raw)
        except NotJsonError as error:
            return [Problem("", str(error))]
        if not isinstance(event, dict):
            return [Problem("", "must be a JSON object: one event")]
        problems = [Problem(path, message) for path, message in bounds_problems(event, EVENT_DEPTH)]
        problems += [Problem(path, message) for path, message in _envelope_problems(event, tenant)]
        problems += [Problem(path, message) for path, message in self._channel_problems(event)]
        moment = _read_time(event, now, problems)
        if not isinstance(event.get("data"), dict):
            return problems
        mark, redeemed = self._take_token(event, tenant, rules, now)
        named = event["data"] if redeemed is None else {**event["data"], redeemed.namespace: redeemed.value}
        problems += [Problem(path, message) for path, message in self._data_problems(event, named, rules)]
        return problems or _ready(event, tenant, rules, rules.strongest(named), moment, mark)

    def _channel_problems(self, event: dict[str, Any]) -> Iterator[tuple[str, str]]:
        channel = event.get("channel")
        if channel is None:
            yield "channel", f"is required; declared are: {', '.join(sorted(self.channels))}"
        elif not isinstance(channel, str):
            yield "channel", "must be a string"
        elif channel not in self.channels:
            yield "channel", undeclared_channel(channel, self.channels)

    def _take_token(
        self, event: dict[str, Any], tenant: str, rules: ReleaseRules, now: int
    ) -> tuple[str, Redeemed | None]:
        """What became of the event's token, and whom it names. One that counts for nothing is taken out.

        One that counts stays in the data: whether it binds this browser is decided where the customer lives.
        """
        data = event["data"]
        token = event.get("token") or data.get("token")
        data.pop("token", None)
        if not token:
            return "", None
        mark, redeemed = redeem(data, token, tenant, rules, self.tokens, now)
        if redeemed is not None:
            data["token"] = token
        return mark, redeemed

    def _data_problems(
        self, event: dict[str, Any], named: dict[str, Any], rules: ReleaseRules
    ) -> Iterator[tuple[str, str]]:
        data, channel, kind = event["data"], event.get("channel"), event.get("type")
        for name in ("meta", "item"):
            if name in data:
                yield f"data.{name}", "is a reserved name; call the property something else"
        misnamed = list(identifier_problems(data, rules, "data"))
        yield from misnamed
        if not isinstance(channel, str) or not isinstance(kind, str) or channel not in self.channels:
            return
        check = self.channels[channel].get(kind)
        misfits = list(check(data, "data")) if check is not None else []
        yield from misfits or rules.unnamed_rows(channel, kind, data)
        if rules.of_customer(channel, kind) and not misnamed and rules.strongest(named) is None:
            known = ", ".join(rules.naming)
            yield "data", f"names nobody: at least one identifier or reference is needed, one of: {known}"


def redeem(
    data: Mapping[str, Any], token: Any, tenant: str, rules: ReleaseRules, tokens: Tokens, now: int
) -> tuple[str, Redeemed | None]:
    """What a signed link token is worth beside the identifiers in `data`.

    Returns:
        `linked` and whom it names; or why it is dropped: `invalid`, `expired`, `conflict` (the caller names
        somebody else in the same namespace, and is believed).
    """
    found = tokens.verify(tenant, token, now) if isinstance(token, str) and len(token) <= MAX_TOKEN else "invalid"
    if isinstance(found, str):
        return found, None
    if found.namespace not in rules.identifiers:
        return "invalid", None
    named = data.get(found.namespace)
    if named is not None and rules.node(found.namespace, named) != rules.node(found.namespace, found.value):
        return "conflict", None
    return "linked", found


def identifier_problems(data: Mapping[str, Any], rules: ReleaseRules, where: str) -> Iterator[tuple[str, str]]:
    """What is wrong with the identifiers and references in `data`; null counts as absent.

    A property that is called like a reference and holds no text or number is just a property.
    """
    for name in rules.identifiers:
        value = data.get(name)
        if value is not None:
            message = _identifier_problem(value) or (
                f"cannot be read as {name}" if rules.node(name, value) is None else None
            )
            if message:
                yield field_path(where, name), message
    for name in rules.references:
        value = data.get(name)
        if isinstance(value, str) and value:
            message = _text_problem(value)
            if message:
                yield field_path(where, name), message


def _identifier_problem(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return None
    if not isinstance(value, str):
        return "is an identifier and must be a string"
    if not value.strip():
        return "is empty; leave it out where it is not known"
    return _text_problem(value)


def _text_problem(value: str) -> str | None:
    if len(value) > MAX_IDENTIFIER:
        return f"is longer than {MAX_IDENTIFIER} characters"
    return "holds control characters" if _CONTROL.search(value) else None


def _within_limit(size: int) -> None:
    if size > MAX_EVENT_BYTES:
        raise TooLarge(f"an event may have {MAX_EVENT_BYTES} bytes; this one has {size}")


def _envelope_problems(event: dict[str, Any], tenant: str) -> Iterator[tuple[str, str]]:
    for name in ("id", "source", "type"):
        yield from _name_problems(event, name)
    if event.get("specversion", "1.0") != "1.0":
        yield "specversion", 'must be "1.0"'
    if event.get("tenant", tenant) != tenant:
        yield "tenant", "is set by your key; leave it out"
    if event.get("source") in RESERVED_SOURCES:
        yield "source", "is reserved for the product itself; name the system that tells of this"
    if not isinstance(event.get("data"), dict):
        yield "data", "is required and must be an object" if "data" not in event else "must be an object"
    content = event.get("datacontenttype")
    if content is not None and not (isinstance(content, str) and _JSON_CONTENT.fullmatch(content)):
        yield "datacontenttype", "must be application/json"
    if "data_base64" in event:
        yield "data_base64", "is not read here; send data as an object"
    yield from _misspelt(event)


def _name_problems(event: dict[str, Any], name: str) -> Iterator[tuple[str, str]]:
    value = event.get(name)
    if value is None:
        yield name, "is required"
    elif not isinstance(value, str):
        yield name, "must be a string"
    elif not value.strip():
        yield name, "is empty"
    elif len(value) > MAX_NAME:
        yield name, f"is longer than {MAX_NAME} characters"
    elif _CONTROL.search(value):
        yield name, "holds control characters"
    elif name == "type" and not _TYPE.fullmatch(value):
        yield name, "may hold letters, digits, _ . and - only"


def _misspelt(event: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Unknown attributes are CloudEvents extensions and allowed, but one that stands for a missing field is a slip."""
    missing = [name for name in _ENVELOPE if name not in event]
    for name in event:
        if name in _ENVELOPE:
            continue
        near = difflib.get_close_matches(name.lower(), missing, 1, 0.75)
        if near:
            yield field_path("", name), f"is not known; did you mean {near[0]!r}?"


def _read_time(event: dict[str, Any], now: int, problems: list[Problem]) -> int | None:
    text = event.get("time")
    if text is None:
        return None
    if not isinstance(text, str):
        problems.append(Problem("time", "must be a string, an RFC 3339 time such as 2026-03-02T08:15:00Z"))
        return None
    try:
        moment = parse_time(text)
    except ValueError as error:
        problems.append(Problem("time", str(error)))
        return None
    wrong = time_problem(moment, now)
    if wrong:
        problems.append(Problem("time", wrong))
    return moment


def _ready(
    event: dict[str, Any], tenant: str, rules: ReleaseRules, node: str | None, moment: int | None, mark: str
) -> Ready:
    identity, source, kind, channel = event["id"], event["source"], event["type"], event["channel"]
    record = {"specversion": "1.0", "id": identity, "source": source, "type": kind, "channel": channel}
    if moment is not None:
        record["time"] = format_time(moment)
    value = orjson.dumps({**record, "tenant": tenant, "data": event["data"]})
    _within_limit(len(value))
    # An event of the brand has no node of its own yet: any key will do, and this one is the same when it comes again.
    key = node_key(tenant, node if node is not None else f"event:{made_id(source, identity)}")
    undeclared = rules.undeclared(channel, kind, event["data"])
    return Ready(f"channel.{channel}", key, value, identity, source, kind, channel, node, mark, undeclared)
