"""Every check, in the order in which they run. A check is a function of the context that yields diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.lint.absent import absent
from orchestrator.language.lint.audience import audience
from orchestrator.language.lint.brand import brand
from orchestrator.language.lint.called_names import called_names
from orchestrator.language.lint.channels import off, unanswered
from orchestrator.language.lint.circles import circles
from orchestrator.language.lint.coherence import coherence
from orchestrator.language.lint.creepy import observed, too_soon
from orchestrator.language.lint.ends import ends
from orchestrator.language.lint.expectations import expectations
from orchestrator.language.lint.expiry import expiry
from orchestrator.language.lint.gaps import gaps
from orchestrator.language.lint.idle_rules import idle_rules
from orchestrator.language.lint.kpis import kpis
from orchestrator.language.lint.locale import locale
from orchestrator.language.lint.network_style import network_style
from orchestrator.language.lint.never import never
from orchestrator.language.lint.not_run import not_run
from orchestrator.language.lint.offers import offers
from orchestrator.language.lint.overlap import overlap
from orchestrator.language.lint.publishing import publishing
from orchestrator.language.lint.references import references
from orchestrator.language.lint.releases import releases
from orchestrator.language.lint.reserved import reserved
from orchestrator.language.lint.shown import shown
from orchestrator.language.lint.steps import steps
from orchestrator.language.lint.story_events import story_events
from orchestrator.language.lint.story_names import story_names
from orchestrator.language.lint.story_values import story_values
from orchestrator.language.lint.templates import templates
from orchestrator.language.lint.time_edge import time_edge
from orchestrator.language.lint.unpermitted import unpermitted
from orchestrator.language.lint.untold import untold
from orchestrator.language.lint.unused import unused
from orchestrator.language.lint.values import days, patterns, regions, stored_traits, trait_sources, variants, zones
from orchestrator.language.lint.weights import weights

if TYPE_CHECKING:
    from orchestrator.language.lint.context import Check

CHECKS: Final[tuple[Check, ...]] = (
    references,  # E-EVENT E-CONTENT E-NAME E-TOUCHPOINT
    called_names,  # the same inside conditions
    reserved,  # E-NAME
    not_run,  # E-NOT-RUN
    variants,  # E-FIELD E-NAME
    templates,  # E-TYPE
    trait_sources,  # E-FIELD
    stored_traits,  # E-NAME
    patterns,  # E-TYPE
    zones,  # E-TYPE
    regions,  # E-TYPE
    days,  # E-TYPE E-FIELD
    kpis,  # E-FIELD E-TYPE E-NOT-RUN
    steps,  # E-STEP
    brand,  # E-STEP E-FIELD E-EVENT
    publishing,  # E-STEP E-FIELD E-CONTENT W-UNTOLD
    shown,  # E-STEP E-CONTENT W-UNTOLD
    offers,  # E-TYPE W-UNTOLD W-UNUSED
    audience,  # E-AUDIENCE
    circles,  # E-CIRCLE
    weights,  # E-WEIGHT
    coherence,  # E-COHERENCE W-TONE
    releases,  # E-VERSION E-MOVED
    ends,  # W-NO-EXIT
    unanswered,  # W-NO-RESPONSE
    off,  # W-CHANNEL-OFF
    overlap,  # W-OVERLAP
    time_edge,  # W-TIME-EDGE
    observed,  # W-CREEPY
    too_soon,  # W-CREEPY
    network_style,  # W-NETWORK-STYLE
    absent,  # W-ABSENT
    never,  # W-NEVER
    locale,  # W-LOCALE
    gaps,  # W-GAP
    expiry,  # W-EXPIRES
    story_names,  # E-NAME
    story_events,  # W-PROPERTY
    story_values,  # E-NAME W-PROPERTY
    expectations,  # W-NO-EXPECT
    untold,  # E-CONTENT W-UNTOLD
    unpermitted,  # W-UNTOLD
    unused,  # W-UNUSED
    idle_rules,  # W-UNUSED E-NAME
)
