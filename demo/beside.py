"""Beside Amy: three carts. One is ordered in time, one is forgotten, one holds what has just sold out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo.people import BEN, EVA, GUS, HOUSE, Person
from demo.play import events_of

if TYPE_CHECKING:
    from demo.expect import Expect
    from demo.play import Play

web = events_of("web", "website")
app = events_of("app", "app")
stock = events_of("stock", "warehouse")

LATE = 2_000
"""ms after a due time at which what is due has certainly been looked at."""


async def ben(play: Play, expect: Expect) -> None:
    """He leaves his cart, and comes back in time: nothing is sent."""
    await puts_into_the_cart(play, BEN, "lumo-1", "ct-b")
    due = await expect.waiting(BEN, "user_id:u-ben", "cart_rescue", "the clock of his cart is running")
    await play.over_kafka(BEN, "comes back, with the app", app("opened", user_id="u-ben", device="phone"))
    await play.over_kafka(
        BEN,
        "orders what is in the cart",
        app(
            "order_placed", user_id="u-ben", order="o-b", items=["lumo-1"], total=199.0, currency="EUR", cart="ct-b"
        ),
    )
    await expect.ended(BEN, "user_id:u-ben", "cart_rescue", "converted", "his order ends the wait")
    await expect.mail(BEN, "em.order-confirm", "his order is confirmed")
    await play.until(due + LATE)
    await play.over_http(BEN, "opens the app again, later", app("opened", user_id="u-ben", device="phone"))
    await expect.passed(BEN, "user_id:u-ben", due, "the time of a reminder has passed for him")
    expect.mails(BEN, "he was reminded of nothing", "em.order-confirm")


async def eva(play: Play, expect: Expect) -> None:
    """She leaves her cart, and does not come back: after the wait she is reminded."""
    await puts_into_the_cart(play, EVA, "lumo-1", "ct-e")
    due = await expect.waiting(EVA, "user_id:u-eva", "cart_rescue", "the clock of her cart is running")
    mail = await expect.mail(EVA, "em.cart-reminder", "she is reminded of her cart")
    expect.not_before(EVA, mail, due, "not before the wait was over")
    link = expect.signed(EVA, mail, "the links in it are signed for her")
    page = await play.opens(
        EVA,
        "follows the link, on a tablet",
        web("cart_viewed", anonymous_id="e2"),
        ("web.cart",),
        {"page": "/cart"},
        link,
    )
    expect.shows(EVA, page, "web.cart", "ct.cart", "her cart is there")
    expect.filled(EVA, page, "web.cart", "it is the one that she left", cart="ct-e")


async def gus(play: Play, expect: Expect) -> None:
    """What is in his cart sells out: he is told of a store that has it, instead of being reminded."""
    await play.over_kafka(
        HOUSE, "one sound bar left online", stock("level_changed", sku="sound-5", location="web", qty=1)
    )
    await play.over_kafka(
        HOUSE, "three in the store in Paris", stock("level_changed", sku="sound-5", location="s-paris", qty=3)
    )
    await puts_into_the_cart(play, GUS, "sound-5", "ct-g")
    await expect.waiting(GUS, "user_id:u-gus", "cart_rescue", "the clock of his cart is running")
    await play.over_kafka(
        HOUSE, "somebody buys the last one online", stock("level_changed", sku="sound-5", location="web", qty=0)
    )
    await expect.mail(GUS, "em.pickup-offer", "he hears where there is one instead")
    expect.message(GUS, "em.pickup-offer", "it is the store nearby that has it", store="s-paris")
    expect.mails(GUS, "nobody reminds him of what cannot be had", "em.pickup-offer")


async def puts_into_the_cart(play: Play, person: Person, sku: str, cart: str) -> None:
    """Somebody who allows mail about products puts something into the cart, and goes away."""
    [user] = [one.removeprefix("user_id:") for one in person.ids if one.startswith("user_id:")]
    await play.over_kafka(
        person,
        "allows mail about products",
        web("preference_changed", user_id=user, email=person.email, consents={"email": {"product": True}}),
    )
    await play.over_http(
        person,
        f"puts {sku} into the cart, and goes away",
        web("cart_item_added", user_id=user, sku=sku, qty=1, cart=cart),
    )
