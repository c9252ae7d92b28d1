"""The bodies of requests and answers, as the API's description shows them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, Strict, StringConstraints


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, Strict(), BeforeValidator(_whole)]
"""An integer of JSON, which 100.0 is and "100" is not."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Identifier = Annotated[str, StringConstraints(min_length=1, max_length=256)]

_EVENT: dict[str, JsonValue] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "web-shop",
    "type": "page_read",
    "time": "2026-03-02T08:15:00Z",
    "channel": "web",
    "data": {"anonymous_id": "a1", "page": "/lp/lumo-1", "seconds": 150},
}


class EventBody(BaseModel):
    """One channel event, shaped like a CloudEvent (structured mode). At most 64 kB, properties nested 8 levels deep."""

    # Only described here: events are judged by `EventCheck`, which names everything that is wrong at once.
    model_config = ConfigDict(json_schema_extra={"example": _EVENT})

    id: Name = Field(description="Unique within `source`. An event that comes again under both counts once.")
    source: Name = Field(description="The system that tells of this.")
    type: Name = Field(
        description="What happened, such as `page_read`. Letters, digits, `_ . -`. One that is declared nowhere is "
        "accepted with a warning, and no scenario can wait for it until it is declared."
    )
    channel: str = Field(description="Where it happened; one of the declared channels.")
    data: dict[str, Any] = Field(
        description="The properties. The identifiers among them say whose event it is; at least one identifier "
        "or reference is needed, but for events of the brand. Declared properties must have their declared type; "
        "null counts as absent. Undeclared ones are accepted with a warning."
    )
    specversion: Literal["1.0"] = Field(default="1.0", description="Of CloudEvents.")
    time: str | None = Field(
        default=None,
        description="When it happened: RFC 3339 with an offset, at most 5 minutes ahead. Without it, the time at "
        "which the broker takes the event counts.",
    )
    token: str | None = Field(
        default=None,
        description="The token of a signed link that was followed. It becomes one of the identifiers; one that is "
        "invalid or expired is dropped, which the answer says, and the event stays. May also stand in `data`.",
    )


class DroppedToken(BaseModel):
    """A signed link token that did not count. The event that carried it has been accepted without it."""

    index: int = Field(description="The event's place in the batch, from 0.")
    reason: Literal["invalid", "expired", "conflict"] = Field(
        description="`conflict`: the event itself names somebody else in the token's namespace."
    )


class EventWarning(BaseModel):
    """Something of an accepted event that neither a topic file nor the bundle declares. It counts for nothing yet."""

    index: int = Field(description="The event's place in the batch, from 0.")
    code: Literal["undeclared_type", "undeclared_property"]
    path: str = Field(description="The field: `type`, `data.NAME`, or `data` for what is not named one by one.")
    message: str = Field(description="What was perhaps meant: a declared name that is near, or other channels.")


class AcceptedBody(BaseModel):
    """The broker has acknowledged all of them."""

    accepted: int = Field(description="How many events were accepted: all that were sent.")
    dropped_tokens: list[DroppedToken] = Field(default_factory=list)
    warnings: list[EventWarning] = Field(
        default_factory=list, description="What is not declared: often a slip. Look at them when you change a producer."
    )


class DecideBody(BaseModel):
    """What should this customer see now?"""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "identifiers": {"anonymous_id": "a2"},
                "channel": "web",
                "slots": ["web.lp.body", "web.lp.hero"],
                "attributes": {"page": "/lp/lumo-1"},
                "event": {**_EVENT, "type": "page_viewed", "data": {"anonymous_id": "a2", "page": "/lp/lumo-1"}},
            }
        },
    )

    identifier: Annotated[str, StringConstraints(max_length=400)] | None = Field(
        default=None, description="Whom it is about, as `NAMESPACE:VALUE`, such as `email:amy@example.com`."
    )
    identifiers: dict[Annotated[str, StringConstraints(max_length=64)], Identifier] = Field(
        default_factory=dict, max_length=16, description="The same as a map; the strongest counts."
    )
    token: Annotated[str, StringConstraints(max_length=2048)] | None = Field(
        default=None,
        description="The token of a signed link that was followed: one more identifier. Where a link binds the first "
        "browser that opens it (`redeem: once`), it counts only together with the `event`; else it is `unbound`.",
    )
    channel: Name = Field(description="The channel that asks.")
    slots: list[Name] = Field(min_length=1, max_length=32, description="What it asks for.")
    attributes: dict[Annotated[str, StringConstraints(min_length=1, max_length=64)], Any] = Field(
        default_factory=dict,
        max_length=64,
        description="What the channel knows of this request; conditions read them as `ask.NAME`.",
    )
    event: dict[str, Any] | None = Field(
        default=None,
        description="The event that made this request. It is written first, and the answer already knows of it; "
        "whom it names is whom the question is about. `channel` may be left out. Needs the scope `events` as well.",
    )
    deadline_ms: Whole = Field(
        default=100, ge=10, le=10_000, description="When each slot gives its default, with the reason `fallback`."
    )
    context: bool = Field(
        default=False, strict=True, description="Send the customer's context along. Needs the scope `context`."
    )


class EventAccepted(BaseModel):
    """What became of the event that came with the question."""

    id: str
    source: str
    accepted: bool = Field(
        description="Whether the broker acknowledged it before the deadline. If not, send it again to `/v1/events` "
        "under the same id: it counts once, however often it arrives."
    )
    warnings: list[EventWarning] = Field(default_factory=list, description="As `/v1/events` gives them.")


class SlotAnswer(BaseModel):
    """What to show in one slot."""

    content: str = Field(description="The content's name; empty: show nothing, or an `offer` or `item` by itself.")
    name: str = Field(default="", description="Of the variant for the asking channel; of an `item` its key.")
    fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Of that variant, as far as it has them: title, text, image, link, say, data. Texts have their "
        "values filled in, and are plain: escape them for HTML. One whose value is missing is null.",
    )
    values: dict[str, Any] = Field(default_factory=dict, description="What slot and content give beside: their `with`.")
    reason: str | None = Field(
        default=None,
        description="Why it is the slot's default: `fallback` (nothing else fits, or there was no time), `only` (the "
        "slot is not for this customer). Or `unknown_slot`: nobody declares it.",
    )
    offer: str | None = Field(default=None, description="The offer that is shown.")
    terms: dict[str, Any] | None = Field(
        default=None, description="Its terms. Those that it was shown with first hold on every channel, see `until`."
    )
    until: int | None = Field(
        default=None, description="How long these terms are promised, ms since 1970; null: they are those of now."
    )
    item: dict[str, Any] | None = Field(default=None, description="The row of a fact that is shown.")
    scenario: str | None = Field(default=None, description="Who placed it there (`show`), where it is no candidate.")
    placement: str | None = Field(
        default=None, description="The id of what was placed: send it along with clicks, as `placement`."
    )
    items: list["SlotAnswer"] | None = Field(default=None, description="Of a slot of several: all of them, in order.")
    include: dict[str, "SlotAnswer"] | None = Field(default=None, description="The answers of other slots, by field.")


class CustomerContext(BaseModel):
    """What every channel may know of a customer."""

    person: str
    persons: list[str] = Field(description="The ids of those who turned out to be the same person.")
    version: int
    now: int = Field(description="The customer's own time, ms since 1970.")
    identifiers: list[str] = Field(description="As `NAMESPACE:VALUE`.")
    profile: dict[str, Any] = Field(description="The traits of the release, by name.")
    journeys: list[dict[str, Any]] = Field(description="Where scenarios stand, and when they go on.")
    offers: list[dict[str, Any]] = Field(description="Those they were shown, redeemed or refused, and their terms.")
    messages: list[dict[str, Any]] = Field(description="The newest 20, and how they ended.")
    tasks: list[dict[str, Any]] = Field(description="Those that are open.")
    decisions: list[dict[str, Any]] = Field(description="The newest, with their reasons.")
    timeline: list[dict[str, Any]] = Field(description="What happened lately, oldest first.")


class DecideAnswer(BaseModel):
    """An answer per slot."""

    version: int | None = Field(description="The customer's version that the answers were made from; null: fallback.")
    person: str | None = Field(description="The person id; null when nobody is known.")
    answers: dict[str, SlotAnswer] = Field(
        description="Slot -> its answer. One that could not be had in time is a fallback."
    )
    linking: list[str] = Field(
        default_factory=list, description="Identifiers whose history is being joined to this customer's right now."
    )
    context: CustomerContext | None = None
    event: EventAccepted | None = None
    token: Literal["linked", "invalid", "expired", "conflict", "unbound"] | None = Field(
        default=None, description="What became of the token; all but `linked` mean that it did not count."
    )


class ContextAnswer(BaseModel):
    """What is known of a customer."""

    version: int
    person: str | None
    context: CustomerContext
    linking: list[str] = Field(default_factory=list)


class ErasureBody(BaseModel):
    """Erase the customer whom this identifier leads to, under all their identifiers."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"identifier": "email:amy@example.com"}})

    identifier: Annotated[str, StringConstraints(min_length=3, max_length=400)] = Field(
        description="`NAMESPACE:VALUE`, such as `email:amy@example.com`."
    )
    token: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32,64}$")] | None = Field(
        default=None, description="The token of an earlier request, to ask for the same erasure again."
    )


class ErasureAsked(BaseModel):
    """The request is written."""

    receipt: str = Field(description="The receipt's id.")
    token: str = Field(description="Whoever has it can tell whether an identifier is on the receipt. It is not kept.")


class ErasureNode(BaseModel):
    """One node that must be reached."""

    mark: str = Field(description="Stands for the node; made of the token and the identifier.")
    namespace: str
    at: int | None = Field(description="When it was reached, ms since 1970; null: not yet.")


class ErasureState(BaseModel):
    """How far an erasure is."""

    receipt: str
    state: Literal["running", "complete"]
    reached: int
    expected: int
    nodes: list[ErasureNode]


class Liveness(BaseModel):
    """The process runs."""

    alive: Literal[True]


class Readiness(BaseModel):
    """Whether requests can be answered, and what that depends on."""

    ready: bool
    parts: dict[str, bool] = Field(description="Part -> whether it stands: `broker`, `release`, `owners`.")


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    path: str = Field(description="The field from the top, such as `data.items[0].price`; empty: the whole.")
    message: str
    index: int | None = Field(default=None, description="The event's place in a batch, from 0.")


class ProblemBody(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    request_id: str
    problems: list[FieldProblem] = Field(default_factory=list)
