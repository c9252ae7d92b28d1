"""The port to the bundle: what a content says on a channel, and what the channel and the policy demand."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from orchestrator.model.effect import Action

HOUR = 3_600_000


class NotYetKnownError(Exception):
    """The release has not been read (completely) yet; it comes, so the action waits."""


class ContentError(Exception):
    """The release has no such content, variant or language; `reason` is the word for it."""

    def __init__(self, reason: str) -> None:
        """An error with a word of a bounded list.

        It is one of `content_unknown`, `variant_unknown`, `language_missing`, `release_refused`.
        """
        super().__init__(reason)
        self.reason = reason


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is said on one channel in one language, before rendering.

    Attributes:
        fields: the variant's fields; texts are Liquid templates.
        language: the language of the texts, "" where they have none.
        sign_links: links carry a token of this customer.
        token_valid_for: how long such a token counts, ms.
    """

    fields: Mapping[str, Any]
    language: str = ""
    sign_links: bool = False
    token_valid_for: int = 72 * HOUR


class Limit(msgspec.Struct, frozen=True):
    """The policy's `rate_limit` of a channel: at most `limit` in `per` ms, over everyone."""

    limit: int
    per: int


class Quiet(msgspec.Struct, frozen=True):
    """A message would disturb its customer now: it may leave at `until` (ms), or with `skip` not at all."""

    until: int
    skip: bool = False


class Contents(Protocol):
    """What delivery asks of the bundles."""

    @property
    def edition(self) -> int:
        """Goes up whenever a release becomes the current one: limits may have changed."""
        ...

    async def content(self, tenant: str, release: str, name: str, channel: str, language: str) -> Content:
        """A content as that release tells it on a channel, in the customer's language or the one that stands in.

        Raises:
            NotYetKnownError: the release is not here yet.
            ContentError: it has no such content for this channel or language.
        """
        ...

    def namespace(self, tenant: str, release: str, channel: str) -> str | None:
        """The identifier namespace of a channel's addresses; None where the release does not say."""
        ...

    def rate_limit(self, tenant: str, channel: str) -> Limit | None:
        """The current release's throughput limit of a channel."""
        ...

    def quiet(self, action: Action, now: int) -> Quiet | None:
        """Whether the current release's quiet hours keep this message back at `now` (ms), on the customer's clock."""
        ...
