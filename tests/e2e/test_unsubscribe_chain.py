"""One click in a marketing mail, and the next one is not sent: mail, link, gateway, consent, silence."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import pytest
from e2e_books import opened
from e2e_customers import event
from e2e_product import command, until
from e2e_sinks import listening

if TYPE_CHECKING:
    from e2e_customers import Written
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

LINK_KEY = "ab" * 32
"""Delivery's, see `Product.deliverer`."""


def of_zoe(product: Product, number: int, type_: str, /, **data: str) -> Written:
    address = f"{product.run}@example.com"
    value = event(f"{product.run}-{number}", type_, email=address, **data)
    return "channel.web", f"default/email:{address}".encode(), value


async def test_who_unsubscribes_with_one_click_gets_no_more_of_it(product: Product) -> None:
    keys = {"ORCHESTRATOR_LINKS__KEY": LINK_KEY}
    async with listening() as sinks, opened(product.cluster.bootstrap) as books:
        await product.leave_out_what_others_decided()
        worker = await product.ready_worker(**keys)
        await product.deliverer(sinks)
        gateway = await product.gateway(**keys)
        await product.send(
            [of_zoe(product, 1, "newsletter_subscribed"), of_zoe(product, 2, "demo_requested", product="a")]
        )

        async def decided() -> list[str]:
            return list((await books.read()).actions(product.run))

        (first,) = await until(decided, why=worker.words)
        await until(lambda: first in sinks.mails, why=product.words)
        url = urlsplit(sinks.unsubscribe[first].strip("<>"))
        assert f"{url.scheme}://{url.netloc}{url.path}" == "https://shop.example/unsubscribe"

        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.ports['http']}", timeout=20) as http:
            looked = await http.get(f"/unsubscribe?{url.query}")
            assert (looked.status_code, "<button>" in looked.text) == (200, True)
            clicked = await http.post(f"/unsubscribe?{url.query}", data={"List-Unsubscribe": "One-Click"})
            assert clicked.status_code == httpx.codes.OK, clicked.text
            await product.send([of_zoe(product, 3, "demo_requested", product="b")])

            async def refused() -> bool:
                path = f"/v1/customers/email:{product.run}@example.com/context"
                context = (await http.get(path, params={"deadline_ms": 10_000})).raise_for_status().text
                return '"demo-b"' in context or "no_consent" in context

            await until(refused, why=product.words)
        assert await decided() == [first]


def test_delivery_does_not_start_where_it_could_sign_no_link(product: Product) -> None:
    told = command(product.cluster, "deliver", "--site-url", "https://shop.example", code=2)
    assert told.stderr == (
        "error: marketing mail carries a signed link to https://shop.example/unsubscribe, and links.key is not set: "
        "set it, the same for delivery, gateway and worker; openssl rand -hex 32 makes one\n"
    )
