"""Every kind of document, by the word that begins it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.spec import content, ground, knowledge, kpi, policy, scenario, story, traits

if TYPE_CHECKING:
    from orchestrator.language.spec.fields import Element

KINDS: Final[dict[str, type[Element]]] = {
    "bundle": ground.Settings,
    "scenario": scenario.Scenario,
    "content": content.Content,
    "slot": content.Slot,
    "offer": content.Offer,
    "segment": knowledge.Segment,
    "traits": traits.Traits,
    "conversation": knowledge.Conversation,
    "intents": knowledge.Intents,
    "facts": knowledge.Facts,
    "events": ground.Events,
    "channels": ground.Channels,
    "identity": ground.Identity,
    "consent": ground.Consent,
    "calendar": ground.Calendar,
    "policy": policy.Policy,
    "kpi": kpi.Kpi,
    "test": story.Story,
}
SINGLE: Final = frozenset({"bundle", "conversation", "identity", "consent", "policy"})
"""Kinds of which one document is in force for a bundle."""
