"""Beside Amy: three carts. One is ordered in time, one is forgotten, one holds what has just sold out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from demo.people import BEN, EVA, GUS, HOUSE, Person
from demo.play import events_of

if TYPE_CHECKING:
    from demo.expect import Expect
    from demo.play import Play

web = events_of("web", "website")
app = events_of("app", "app")
stock = events_of("stock", "warehouse")

ABOUT: Final = (
    "Ben, Eva and Gus put something into their carts, and go away. Ben will come back in time, Eva will not, and what "
    "Gus wanted will sell out. Their clocks run while Amy's story is told."
)


class Cart(NamedTuple):
    """Who puts what into which cart."""

    person: Person
    user: str
    sku: str
    cart: str

    @property
    def identifier(self) -> str:
        """By which the customer is asked for."""
        return f"user_id:{self.user}"


CARTS: Final = (
    Cart(BEN, "u-ben", "lumo-1", "ct-b"),
    Cart(EVA, "u-eva", "lumo-1", "ct-e"),
    Cart(GUS, "u-gus", "sound-5", "ct-g"),
)


async def the_shelves(play: Play) -> None:
    """What there is: the warehouse tells, and everybody's conditions read it."""
    for told, sku, place, pieces in (
        ("twelve purifiers in stock", "lumo-1", "web", 12),
        ("one sound bar left online", "sound-5", "web", 1),
        ("three of them in the store in Paris", "sound-5", "s-paris", 3),
    ):
        await play.over_kafka(HOUSE, told, stock("level_changed", sku=sku, location=place, qty=pieces))


async def leaves_a_cart(play: Play, expect: Expect, cart: Cart) -> int:
    """Somebody who allows mail about products fills a cart, and goes away; gives when a reminder is due, ms."""
    person, user = cart.person, cart.user
    await play.over_kafka(
        person,
        "allows mail about products",
        web("preference_changed", user_id=user, email=person.email, consents={"email": {"product": True}}),
    )
    await play.over_http(
        person,
        f"puts {cart.sku} into the cart, and goes away",
        web("cart_item_added", user_id=user, sku=cart.sku, qty=1, cart=cart.cart),
    )
    return await expect.waiting(person, cart.identifier, "cart_rescue", "a reminder is due, if nothing happens")


async def ben(play: Play, expect: Expect, due: int) -> None:
    """He comes back in time: nothing is sent."""
    await play.over_kafka(BEN, "comes back, with the app", app("opened", user_id="u-ben", device="phone"))
    due = await expect.waiting(
        BEN, "user_id:u-ben", "cart_rescue", "coming back on another channel starts the wait anew", after=due
    )
    await play.over_kafka(
        BEN,
        "orders what is in the cart",
        app("order_placed", user_id="u-ben", order="o-b", items=["lumo-1"], total=199.0, currency="EUR", cart="ct-b"),
    )
    await expect.ended(BEN, "user_id:u-ben", "cart_rescue", "converted", "his order ends the wait")
    await expect.mail(BEN, "em.order-confirm", "his order is confirmed")
    await play.until(due)
    await play.over_http(BEN, "opens the app again, later", app("opened", user_id="u-ben", device="phone"))
    await expect.passed(BEN, "user_id:u-ben", due, "the time of a reminder has passed for him")
    expect.mails(BEN, "he was reminded of nothing", "em.order-confirm")


async def eva(play: Play, expect: Expect, due: int) -> None:
    """She does not come back: after the wait she is reminded."""
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
    expect.mails(EVA, "one reminder, and nothing else", "em.cart-reminder")


async def gus(play: Play, expect: Expect, due: int) -> None:
    """What is in his cart sells out: he is told of a store that has it, instead of being reminded."""
    await play.over_kafka(
        HOUSE, "somebody buys the last sound bar online", stock("level_changed", sku="sound-5", location="web", qty=0)
    )
    mail = await expect.mail(GUS, "em.pickup-offer", "the sound bar is sold out: he hears where there is one instead")
    expect.not_before(GUS, mail, due, "not before the wait was over")
    expect.message(GUS, "em.pickup-offer", "it is the store nearby that has it", store="s-paris")
    expect.mails(GUS, "nobody reminds him of what cannot be had", "em.pickup-offer")
