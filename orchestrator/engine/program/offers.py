"""Offers of a bundle: the events that close them, and what tells one by itself."""

from typing import TYPE_CHECKING

from orchestrator.engine.program.plan import OfferPlan
from orchestrator.language.spec.content import Content, Offer
from orchestrator.language.spec.values import NameOr

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def plan_offers(offers: "Mapping[str, Offer]", names: tuple[str, ...]) -> "Iterable[OfferPlan]":
    """The offers that an event of these names redeems or refuses; to redeem counts before to refuse."""
    for offer in offers.values():
        for refuses, rules in ((False, offer.redeemed), (True, offer.refused)):
            for rule in rules:
                if not set(names).isdisjoint(rule.on):
                    yield OfferPlan(offer.offer, rule.where, refuses, offer.cool_down)


def bare(offer: Offer) -> Content:
    """Marketing that says nothing itself: whoever asked knows what to make of the offer's name and terms."""
    return Content(content="", offer=offer.offer, about=tuple(NameOr(name=name) for name in offer.about))
