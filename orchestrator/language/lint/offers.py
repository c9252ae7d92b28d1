"""E-TYPE W-UNTOLD W-UNUSED: offers that nobody would have, or that say less than is read of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import nearest
from orchestrator.language.spec.steps import Send, Show
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.content import Content, Offer, Slot

_NUMBERS: Final = frozenset({"int", "double", "dyn"})


def offers(context: Context) -> Iterator[Diagnostic]:
    """Look at each offer by itself, at who gives it, and at the contents that read one."""
    known = {draft.name: draft.element for draft in context.sound("offer")}
    contents = {draft.name: draft.element for draft in context.sound("content")}
    granted = _granted(context, contents)
    for offer in known.values():
        yield from _over_at_once(offer)
        yield from _price(offer)
        yield from _in_its_own_place(offer)
        if offer.granted_only and granted is not None and offer.offer not in granted:
            yield _never_granted(offer)
    for draft in context.sound("slot"):
        if draft.element.default in contents:
            yield from _by_default(draft.element, contents[draft.element.default])
    lent = _lent(context)
    for bound in context.bound:
        if bound.draft.kind == "content" and bound.draft.name in contents and bound.draft.name not in lent:
            yield from _read_of(bound, contents[bound.draft.name], known)


def _over_at_once(offer: Offer) -> Iterator[Diagnostic]:
    if offer.valid_for == 0:
        hint = "say how long, `valid_for: 2d`; without it nothing is promised, and the terms are those of each time"
        yield diagnostic("E-TYPE", f"`{offer.offer}` is over as it begins", offer.place("valid_for"), hint=hint)


def _price(offer: Offer) -> Iterator[Diagnostic]:
    """`offer.price` and `promised()` read the term `price` as a number."""
    price = offer.terms.get("price")
    if price is not None and price.type.plain.kind not in _NUMBERS:
        message = f"the price of `{offer.offer}` is {price.type}, and a price is a number"
        hint = "give the number here, and how it is written in another term"
        yield diagnostic("E-TYPE", message, offer.place("terms"), hint=hint)


def _in_its_own_place(offer: Offer) -> Iterator[Diagnostic]:
    at = offer.place("instead")
    if offer.instead == offer.offer:
        hint = "name another offer, or leave it out"
        yield diagnostic(
            "W-UNUSED", f"`{offer.offer}` cannot take its own place", at, length=len(offer.offer), hint=hint
        )
    elif offer.instead is not None and offer.requires is None and offer.from_ is None:
        message = f"`{offer.instead}` never takes the place of `{offer.offer}`, which requires nothing"
        hint = "add `requires`, or leave `instead` out"
        yield diagnostic("W-UNUSED", message, at, length=len(offer.instead), hint=hint)


def _never_granted(offer: Offer) -> Diagnostic:
    message = f"nobody ever has `{offer.offer}`: it is `granted_only`, and no scenario sends or shows it"
    hint = "`send` or `show` it, or a content that carries it; or leave `granted_only` out"
    return diagnostic("W-UNUSED", message, offer.place("granted_only"), hint=hint)


def _by_default(slot: Slot, content: Content) -> Iterator[Diagnostic]:
    """A default is told without a look at anything, so nobody has its offer."""
    if content.offer is not None:
        message = f"`{content.content}` is told here without its offer: a default is for whoever has nothing else"
        hint = "make it a candidate, or name a content that carries no offer"
        at = slot.place("default")
        yield diagnostic("W-UNTOLD", message, at, length=len(content.content), hint=hint)


def _granted(context: Context, contents: Mapping[str, Content]) -> set[str] | None:
    """The offers that scenarios send or show, themselves or by a content; None where that is known only later."""
    found: set[str] = set()
    for draft in context.sound("scenario"):
        for step in all_steps(draft.element.steps):
            if not isinstance(step.body, Send | Show):
                continue
            for named in (step.body.offer, step.body.content):
                if named is not None and named.name is None:
                    return None
            found |= _given_by(step.body, contents)
    return found


def _given_by(body: Send | Show, contents: Mapping[str, Content]) -> set[str]:
    content = contents.get(body.content.name or "") if body.content is not None else None
    other = contents.get(content.instead or "") if content is not None else None
    own = body.offer.name if body.offer is not None else None
    return {name for name in (own, *(one.offer for one in (content, other) if one is not None)) if name}


def _lent(context: Context) -> set[str]:
    """The contents that some step sends with an offer of its own."""
    bodies = (step.body for draft in context.sound("scenario") for step in all_steps(draft.element.steps))
    sends = [body for body in bodies if isinstance(body, Send) and body.offer is not None]
    return {body.content.name or "" for body in sends}


def _read_of(bound: Bound, content: Content, known: Mapping[str, Offer]) -> Iterator[Diagnostic]:
    """What a content reads of its offer: there must be one, and a term must be one of its terms."""
    node = bound.pending.node
    for path in bound.expression.reads:
        if path[0] != "offer":
            continue
        if content.offer is None:
            message = f"`{content.content}` reads `offer`, and carries none: that is unknown, and it is not told"
            hint = "say which: `offer: NAME`, here or beside `send`"
            yield diagnostic("W-UNTOLD", message, node.at, length=node.length, hint=hint)
            return
        offer = known.get(content.offer)
        if offer is not None and path[1:2] == ("terms",) and len(path) > 2 and path[2] not in offer.terms:
            near = nearest(path[2], offer.terms)
            hint = f"did you mean `{near}`?" if near else f"add it to the `terms` of `{offer.offer}`"
            message = f"`{offer.offer}` has no term `{path[2]}`"
            yield diagnostic("W-UNTOLD", message, node.at, length=node.length, hint=hint)
