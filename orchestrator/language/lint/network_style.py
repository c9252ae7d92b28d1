"""W-NETWORK-STYLE: what looks out of place on a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context

_MOST_ON_FACEBOOK: Final = 2


def network_style(context: Context) -> Iterator[Diagnostic]:
    for draft in context.sound("content"):
        for channel, variant in draft.element.variants.items():
            at = variant.named_at or variant.at
            if channel == "instagram" and not variant.hashtags:
                yield diagnostic(
                    "W-NETWORK-STYLE", "instagram without hashtags finds nobody", at, length=len(channel),
                    hint="add `hashtags: [...]`",
                )  # fmt: skip
            if channel == "facebook" and len(variant.hashtags) > _MOST_ON_FACEBOOK:
                message = f"{len(variant.hashtags)} hashtags on facebook read like an advertisement"
                yield diagnostic("W-NETWORK-STYLE", message, variant.place("hashtags"), hint="keep two at most")
