"""How the gateway says no.

    Refusal
    ├── Malformed      422  the request is not what it should be; every problem is named by its field
    ├── Unidentified   401  no credential, or an unknown one
    ├── Forbidden      403  a known credential that may not do this
    ├── Unknown        404  nobody, or nothing, by this name
    ├── TooSlow        408  the body did not arrive in time
    ├── TooLarge       413  an event over 64 kB, or a body over the limit
    ├── WrongMedia     415  a content type or an encoding that is not read here
    ├── TooMany        429  this credential's share is used up; `retry_after` says for how long
    └── Unavailable    503  the broker or an owner does not answer, or too much is in hand; safe to repeat

All of these are answered at the edge: nothing of a refused request has been written, but for the events of a
batch that the broker took before it stopped answering (503), which are told by their ids when they come again.
The texts name fields and limits, never the values that were sent: they may be somebody's personal data.
"""

from typing import ClassVar

import msgspec


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong with one field: where, and what to write instead.

    `path` names the field from the body's top (`data.items[0].price`); it is empty when the whole is meant.
    `index` is the event's place in a batch, from 0.
    """

    path: str
    message: str
    index: int | None = None


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not an error of ours
    """An answer that is not the one asked for. `reason` is a word for metrics, from a closed list."""

    status: ClassVar[int]
    title: ClassVar[str]
    reason: ClassVar[str]

    def __init__(self, detail: str, *, problems: tuple[Problem, ...] = (), retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.problems = problems
        self.retry_after = retry_after


class Malformed(Refusal):
    """The request is not what it should be."""

    status, title, reason = 422, "The request cannot be accepted as it is", "malformed"


class Unidentified(Refusal):
    """No credential, or an unknown one."""

    status, title, reason = 401, "A valid key is needed", "unidentified"


class Forbidden(Refusal):
    """A known credential that may not do this."""

    status, title, reason = 403, "This key may not do that", "forbidden"


class Unknown(Refusal):
    """Nobody, or nothing, by this name."""

    status, title, reason = 404, "Not known", "unknown"


class TooSlow(Refusal):
    """The body did not arrive in time."""

    status, title, reason = 408, "The body did not arrive in time", "too_slow"


class TooLarge(Refusal):
    """An event or a body over the limit."""

    status, title, reason = 413, "Too large", "too_large"


class WrongMedia(Refusal):
    """A content type or an encoding that is not read here."""

    status, title, reason = 415, "This kind of body is not read here", "wrong_media"


class TooMany(Refusal):
    """This credential's share is used up for now."""

    status, title, reason = 429, "Too many at once for this key", "too_many"


class Unavailable(Refusal):
    """The broker or an owner does not answer, or too much is in hand."""

    status, title, reason = 503, "Not possible at the moment", "unavailable"


def malformed(problems: list[Problem]) -> Malformed:
    """One refusal for all the problems of a request."""
    if len(problems) == 1 and problems[0].index is None:
        detail = f"{problems[0].path}: {problems[0].message}" if problems[0].path else problems[0].message
    else:
        detail = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}; nothing has been accepted"
    return Malformed(detail, problems=tuple(problems))
