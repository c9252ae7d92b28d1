"""Amy. From a billboard at the station to a purifier at home, over five channels, as one conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from demo.people import AMY, HOUSE, STRANGER
from demo.play import events_of

if TYPE_CHECKING:
    from demo.expect import Expect
    from demo.mailbox import Mail
    from demo.play import Play
    from demo.visitor import Page

ooh = events_of("ooh", "billboards")
web = events_of("web", "website")
chat = events_of("chat", "chat-desk")
crm = events_of("crm", "crm")
email = events_of("email", "mail-provider")
oms = events_of("oms", "order-desk")

PHONE: Final = "a1"
LAPTOP: Final = "a2"
ADDRESS: Final = f"email:{AMY.email}"
LANDING_PAGE: Final = "/lp/lumo-1"
LANDING: Final = ("web.lp.hero", "web.lp.body", "web.lp.video", "web.lp.invitation", "web.lp.cta", "web.lp.history")


async def amy(play: Play, expect: Expect) -> None:
    """The whole of it, in order."""
    await a_billboard(play, expect)
    await a_question(play, expect)
    answer = await an_answer(play, expect)
    await the_laptop(play, expect, answer)
    await a_video(play, expect)
    await the_phone_again(play, expect)
    due = await the_order(play, expect)
    await at_home(play, expect, due)


async def a_billboard(play: Play, expect: Expect) -> None:
    play.timeline.chapter(
        "A billboard at the station",
        "Amy has seen the billboard. She scans its QR code and looks at the page. Nobody knows her.",
    )
    await play.over_kafka(
        HOUSE,
        "the billboard goes up",
        ooh(
            "placement_live",
            campaign="station-q1",
            location="gare-de-lyon",
            product="lumo-1",
            key_message="Respirez mieux",
            creative="cr.station-q1",
        ),
    )
    await she_scans_it(play, expect)


async def she_scans_it(play: Play, expect: Expect) -> None:
    await play.over_kafka(
        AMY,
        "scans the QR code of the billboard",
        ooh("qr_scanned", anonymous_id=PHONE, code="qr7", campaign="station-q1", location="gare-de-lyon"),
    )
    page = await landing_page(play, PHONE, "phone", "opens the landing page on her phone")
    expect.shows(AMY, page, "web.lp.hero", "lp.station-q1", "the page says what the billboard said")
    expect.shows(AMY, page, "web.lp.body", "ct.lumo.overview", "an overview: more would be too much")
    expect.shows(AMY, page, "web.lp.invitation", "nothing", "no invitation yet")
    expect.shows(AMY, page, "web.lp.cta", "form.question", "what she can do is ask")
    await play.over_http(
        AMY, "reads for a while", web("page_read", anonymous_id=PHONE, page=LANDING_PAGE, seconds=150, device="phone")
    )
    await expect.profile(
        AMY,
        f"anonymous_id:{PHONE}",
        "she is a visitor without a name, whose interest is counted",
        {"known": False, "first_touch": "station-q1", "score.lumo-1": 25},
    )


async def a_question(play: Play, expect: Expect) -> None:
    play.timeline.chapter(
        "A question",
        "She asks in the chat, and leaves her e-mail address. Now she is known, and what she did before is hers.",
    )
    await play.over_kafka(
        AMY,
        "asks in the chat: “Quelle surface ?”, and leaves her address",
        chat(
            "message_sent",
            anonymous_id=PHONE,
            email=AMY.email,
            thread="th-1",
            product="lumo-1",
            page=LANDING_PAGE,
            text="Quelle surface ?",
        ),
    )
    await expect.joined(AMY, ADDRESS, "phone and address are one customer", f"anonymous_id:{PHONE}")
    await expect.profile(
        AMY,
        ADDRESS,
        "she is known, and what she did before is hers",
        {"known": True, "first_touch": "station-q1", "score.lumo-1": 50, "open_questions": 1},
    )
    await expect.task(AMY, "presales", "open", "a person is to answer her")


async def an_answer(play: Play, expect: Expect) -> Mail:
    play.timeline.chapter("An answer", "Somebody answers; it goes out by e-mail, with links that know whose they are.")
    await play.over_http(
        AMY,
        "Ana answers her question",
        crm(
            "agent_answered",
            thread="th-1",
            agent="ag-1",
            text="40 m², mesuré chez vous.",
            links=[LANDING_PAGE, "/guide/lumo"],
        ),
    )
    mail = await expect.mail(AMY, "em.answer", "the answer is in her mailbox")
    expect.signed(AMY, mail, "every link in it is signed for her")
    await expect.task(AMY, "presales", "closed", "the task is done with")
    return mail


async def the_laptop(play: Play, expect: Expect, answer: Mail) -> None:
    play.timeline.chapter(
        "The laptop",
        "At home she opens the mail on her laptop and follows a link. The link's token says who she is.",
    )
    await play.over_http(
        AMY,
        "opens the mail on her laptop",
        email("opened", email=AMY.email, message=answer.action, device="laptop", thread="th-1"),
    )
    await play.over_http(
        AMY,
        "follows the link to the page",
        email("link_clicked", email=AMY.email, message=answer.action, link=LANDING_PAGE, device="laptop"),
    )
    page = await landing_page(play, LAPTOP, "laptop", "arrives on the page, on her laptop", answer.links[0])
    expect.linked(AMY, page, "the laptop is hers: the token in the link was signed for her")
    expect.shows(AMY, page, "web.lp.body", "ct.lumo.detail", "the same request already gets the details")
    expect.shows(AMY, page, "web.lp.hero", "lp.station-q1", "the story is the same on the new device")
    await expect.joined(
        AMY, ADDRESS, "phone, laptop and address are one customer", f"anonymous_id:{PHONE}", f"anonymous_id:{LAPTOP}"
    )
    await a_stranger(play, expect)


async def a_stranger(play: Play, expect: Expect) -> None:
    stranger = await play.opens(
        STRANGER,
        "opens the same page in the same minute",
        web("page_viewed", anonymous_id="z9", page=LANDING_PAGE, device="laptop"),
        LANDING,
        {"product": "lumo-1", "page": LANDING_PAGE, "device": "laptop"},
    )
    expect.shows(
        STRANGER, stranger, "web.lp.body", "ct.lumo.overview", "who comes by for the first time is not scared off"
    )
    expect.shows(STRANGER, stranger, "web.lp.history", "nothing", "and sees nothing of Amy's")


async def a_video(play: Play, expect: Expect) -> None:
    play.timeline.chapter(
        "A video, and more questions", "She reads, watches a video, and answers the mail with more questions."
    )
    await play.over_kafka(
        AMY,
        "watches the video to its end",
        web("video_watched", anonymous_id=LAPTOP, video="vid.lumo.intro", pct=95, device="laptop"),
    )
    await play.over_http(
        AMY,
        "answers the mail: “Et le bruit ? Le filtre ?”",
        email("replied", email=AMY.email, thread="th-1", in_reply_to="em.answer", text="Et le bruit ? Le filtre ?"),
    )
    await expect.profile(
        AMY,
        ADDRESS,
        "what she watched and asked is remembered",
        {"watched": {"vid.lumo.intro"}, "open_questions": 1, "stage.lumo-1": "decide"},
    )
    await play.over_http(
        AMY,
        "Ana answers, on the same thread",
        crm(
            "agent_answered", thread="th-1", agent="ag-1", text="24 dB. Un filtre par semestre.", links=["/guide/lumo"]
        ),
    )
    await expect.mail(AMY, "em.answer", "the second answer is in her mailbox", number=2)


async def the_phone_again(play: Play, expect: Expect) -> None:
    play.timeline.chapter(
        "Back on the phone",
        "In the evening she returns to the landing page on her phone. It has moved on with her.",
    )
    page = await landing_page(play, PHONE, "phone", "returns to the landing page on her phone")
    expect.shows(AMY, page, "web.lp.body", "ct.lumo.detail", "what she did on the laptop counts on the phone")
    expect.shows(AMY, page, "web.lp.video", "vid.lumo.deep", "another video, not the one she has seen")
    expect.shows(AMY, page, "web.lp.invitation", "inv.lumo.demo", "an invitation to try a demo")
    expect.shows(AMY, page, "web.lp.cta", "btn.buy", "the question form has become a button to buy")
    expect.shows(AMY, page, "web.lp.history", "ct.history", "what was said is there: she need not start over")
    page = await landing_page(play, LAPTOP, "laptop", "looks at it once more on the laptop")
    expect.shows(AMY, page, "web.lp.cta", "form.order", "on the laptop it is an order form")
    expect.filled(AMY, page, "web.lp.cta", "her address is filled in", email=AMY.email)


async def the_order(play: Play, expect: Expect) -> int:
    play.timeline.chapter("The order", "She orders. From now on nobody sells her what she has.")
    await play.over_http(
        AMY,
        "puts the purifier into her cart",
        web("cart_item_added", anonymous_id=PHONE, sku="lumo-1", qty=1, cart="ct-a"),
    )
    due = await expect.waiting(AMY, ADDRESS, "cart_rescue", "if she left it there, she would be reminded")
    order = await play.over_kafka(
        AMY,
        "orders it, and shows her loyalty card",
        web(
            "order_placed",
            anonymous_id=PHONE,
            email=AMY.email,
            user_id="u-amy",
            card_id="c-amy",
            order="o-1",
            items=["lumo-1"],
            total=199.0,
            currency="EUR",
            cart="ct-a",
        ),
    )
    await expect.mail(AMY, "em.order-confirm", "the order is confirmed")
    await play.posts(AMY, "the shop is not sure that her order arrived, and sends it again", order)
    await nobody_sells_her_what_she_has(play, expect)
    return due


async def nobody_sells_her_what_she_has(play: Play, expect: Expect) -> None:
    await expect.ended(AMY, ADDRESS, "cart_rescue", "converted", "the reminder of the cart is off: she has bought")
    await expect.profile(AMY, "card_id:c-amy", "she has her points", {"points": 199, "stage.lumo-1": "owner"})
    await expect.told(AMY, "points_credited", "the loyalty system hears of them", card="c-amy", points=199)
    await expect.told(AMY, "audience_removed", "advertising for it stops as well", products=["lumo-1"])
    page = await landing_page(play, LAPTOP, "laptop", "opens the page on the laptop once more")
    expect.shows(AMY, page, "web.lp.cta", "link.support", "nothing to buy: help for her purifier")
    expect.shows(AMY, page, "web.lp.body", "guide.lumo", "and the guide to it")
    expect.shows(AMY, page, "web.lp.invitation", "nothing", "no invitation any more")


async def at_home(play: Play, expect: Expect, due: int) -> None:
    play.timeline.chapter("At home", "The purifier arrives, and so does what helps to use it, one mail after another.")
    await play.over_kafka(AMY, "the parcel is delivered", oms("order_delivered", order="o-1"))
    for number in (1, 2, 3):
        await expect.mail(AMY, f"em.onboard-{number}", f"onboarding, mail {number} of 3")
    await expect.profile(AMY, ADDRESS, "the order that came twice counted once", {"points": 199, "orders_count": 1})
    await play.until(due)
    await play.over_http(
        AMY, "reads the guide", web("page_read", anonymous_id=LAPTOP, page="/guide/lumo", seconds=80, device="laptop")
    )
    await expect.passed(AMY, ADDRESS, due, "the time of a reminder has passed for her")
    await expect.delivered(AMY, "delivery has told of every mail that it was handed over")
    expect.mails(
        AMY,
        "these mails, and no other: no reminder, no advertising",
        "em.answer",
        "em.answer",
        "em.order-confirm",
        "em.onboard-1",
        "em.onboard-2",
        "em.onboard-3",
    )


async def landing_page(play: Play, browser: str, device: str, told: str, link: str = "") -> Page:
    """Amy opens the landing page in a browser of hers."""
    return await play.opens(
        AMY,
        told,
        web("page_viewed", anonymous_id=browser, page=LANDING_PAGE, campaign="station-q1", device=device),
        LANDING,
        {"product": "lumo-1", "page": LANDING_PAGE, "device": device},
        link,
    )
