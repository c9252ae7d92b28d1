"""E-COHERENCE and W-TONE: one campaign says one thing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position

_TONE: Final = "address"
_OF_CAMPAIGN: Final = {
    "creative": "creative",
    "key_message": "key_message",
    "price": "price",
    "until": "until",
    "end": "until",
}
"""Field of the campaign fact's row → the claim that must agree with it."""


def coherence(context: Context) -> Iterator[Diagnostic]:
    """Claims that differ between variants, contents of one campaign or topic, or from the campaign itself."""
    said: dict[tuple[str, str, str], tuple[Any, Position]] = {}
    for draft in context.sound("content"):
        groups = _groups(draft)
        for claims, at in _claims(draft):
            for name, value in claims.items():
                yield from _against_campaign(context, draft, name, value, at)
                yield from _against_others(said, groups, name, value, at)


def _groups(draft: Draft) -> list[tuple[str, str]]:
    content = draft.element
    topic = content.topic.name if content.topic is not None and content.topic.name else content.content
    groups = [("topic", topic)]
    return [("campaign", content.campaign), *groups] if content.campaign else groups


def _claims(draft: Draft) -> Iterator[tuple[dict[str, Any], Position]]:
    content = draft.element
    yield content.claims, content.place("claims")
    for variant in content.variants.values():
        yield variant.claims, variant.place("claims")


def _against_others(
    said: dict[tuple[str, str, str], tuple[Any, Position]],
    groups: list[tuple[str, str]],
    name: str,
    value: Any,
    at: Position,
) -> Iterator[Diagnostic]:
    complained = False
    for kind, group in groups:
        earlier = said.setdefault((kind, group, name), (value, at))
        if earlier[0] != value and not complained:
            complained = True
            code = "W-TONE" if name == _TONE else "E-COHERENCE"
            message = f"the {kind} `{group}` claims {name} `{value}` here and `{earlier[0]}` elsewhere"
            hint = "say the same everywhere, or make it another campaign or topic"
            yield diagnostic(
                code, message, at, hint=hint, other=earlier[1], other_says=f"`{earlier[0]}` is claimed here"
            )


def _against_campaign(context: Context, draft: Draft, name: str, value: Any, at: Position) -> Iterator[Diagnostic]:
    campaign = draft.element.campaign
    row = context.rows.get("campaign", {}).get(campaign) if campaign else None
    for field, claim in _OF_CAMPAIGN.items():
        if row is not None and claim == name and row.get(field) is not None and row[field] != value:
            message = f"claims {name} `{value}`, the campaign `{campaign}` has `{row[field]}`"
            yield diagnostic("E-COHERENCE", message, at, hint="leave it out: what is not stated is the campaign's")
