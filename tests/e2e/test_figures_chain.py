"""What the processes tell of themselves fits what was done, and tells nothing of any customer."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from e2e_books import opened
from e2e_customers import event
from e2e_product import ALL, until
from e2e_sinks import listening

if TYPE_CHECKING:
    from e2e_books import Books
    from e2e_customers import Written
    from e2e_product import Process, Product
    from e2e_sinks import Sinks

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

CUSTOMERS, SEARCHES, OFFERED = 6, 4, 2
GATEWAY_KEY = secrets.token_urlsafe(24)
SMTP_PASSWORD = secrets.token_urlsafe(24)
LINK_KEY = secrets.token_hex(32)
HOOK_SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


async def start(product: Product, sinks: Sinks) -> tuple[Process, Process, Process]:
    """A worker, delivery and a gateway that have secrets to keep."""
    await product.leave_out_what_others_decided()
    worker = await product.ready_worker(ORCHESTRATOR_LINKS__KEY=LINK_KEY)
    delivery = await product.deliverer(
        sinks,
        ORCHESTRATOR_LINKS__KEY=LINK_KEY,
        ORCHESTRATOR_DELIVERY__SMTP__PASSWORD=SMTP_PASSWORD,
        ORCHESTRATOR_DELIVERY__WEBHOOKS__SMS__SECRET=HOOK_SECRET,
    )
    gateway = await product.gateway(ORCHESTRATOR_GATEWAY__KEYS__SHOP__KEY=GATEWAY_KEY, ORCHESTRATOR_LINKS__KEY=LINK_KEY)
    return worker, delivery, gateway


class Day:
    """What happens: carts, news, more searches than offers are allowed, a repeat, a bad record, a dead mailbox."""

    def __init__(self, run: str) -> None:
        self.canary = f"canary-{run}"
        self.address = f"{self.canary}@example.com"
        self.people = [self.canary, *(f"{run}-{number}" for number in range(CUSTOMERS - 1))]

    def events(self) -> list[Written]:
        written: list[Written] = []
        for number, name in enumerate(self.people):
            who = {"email": f"{name}@example.com", "phone": f"+33698{number:06}", "note": f"{self.canary} wrote this"}
            key = f"default/email:{name}@example.com".encode()
            does: list[tuple[str, dict[str, Any]]] = [
                ("newsletter_subscribed", {}),
                *(("search_performed", {"query": f"q{search}"}) for search in range(SEARCHES)),
                ("cart_item_added", {"sku": "c"}),
                ("faq_viewed", {"topic": "t"}),
            ]
            written += [
                ("channel.web", key, event(f"{name}-{at}", type_, **who, **more))
                for at, (type_, more) in enumerate(does)
            ]
            written.append(written[-1])  # the same event again
        stranger = event(f"{self.canary}-x", f"{self.canary}.happened", email=self.address)
        nameless = event(f"{self.canary}-y", "page_viewed", page=f"/{self.canary}")
        return [*written, ("channel.web", None, stranger), ("channel.web", None, nameless),
                ("channel.web", self.address.encode(), f'{{"{self.canary}": '.encode())]  # fmt: skip


async def call(gateway: Process, canary: str) -> list[int]:
    """Requests good and bad; their statuses."""
    good = {"id": f"{canary}-h", "source": "shop", "type": "page_viewed", "channel": "web",
            "data": {"user_id": canary, "page": f"/{canary}"}}  # fmt: skip
    keyed = {"authorization": f"Bearer {GATEWAY_KEY}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{gateway.ports['http']}", timeout=20) as http:
        answers = [
            await http.post("/v1/events", json=good, headers=keyed),
            await http.post("/v1/events", json={**good, "time": canary}, headers=keyed),
            await http.post("/v1/events", json=good, headers={"authorization": f"Bearer {canary}-wrong"}),
            await http.get(f"/v1/customers/user_id:{canary}/context", headers=keyed, params={"deadline_ms": 5000}),
        ]
    return [answer.status_code for answer in answers]


async def test_every_figure_fits_what_was_done_and_no_log_or_metric_holds_what_is_the_customers(
    product: Product,
) -> None:
    day = Day(product.run)
    async with listening() as sinks, opened(product.cluster.bootstrap, "channel.email", "channel.sms") as books:
        sinks.unknown = {day.address}
        worker, delivery, gateway = await start(product, sinks)
        assert await call(gateway, day.canary) == [202, 422, 401, 200]
        await product.send(day.events())
        sends = CUSTOMERS * (OFFERED + 1 + 2)
        await until(lambda: all_settled(books, product.run, sends), why=product.words)
        check_worker(await until(lambda: caught_up(worker)))
        check_delivery(await until(lambda: caught_up(delivery)))
        check_gateway(await gateway.metrics())
        pages = [await page(process) for process in (worker, delivery, gateway)]
        for process in product.processes:
            process.terminate()
            assert await process.ended() == 0, process.words()
        logs = [process.log.read_text() for process in product.processes]
        assert all(logs)
        assert "given up" in logs[1], "the dead mailbox was logged"
        for text in (*pages, *logs):
            for secret in (day.canary, product.run, "+33698", GATEWAY_KEY, SMTP_PASSWORD, LINK_KEY, HOOK_SECRET[6:]):
                assert secret not in text


async def all_settled(books: Books, run: str, many: int) -> bool:
    contacts = [one for each in (await books.read()).customers(run).values() for one in each.contacts]
    return len(contacts) == many and all(contact.settled for contact in contacts)


async def caught_up(process: Process) -> dict[str, float] | None:
    """The figures once the process has seen that nothing is left to read."""
    figures = await process.metrics()
    lags = [value for name, value in figures.items() if name.startswith("orchestrator_consumer_lag_records,")]
    return figures if lags and not any(lags) else None


async def page(process: Process) -> str:
    async with httpx.AsyncClient() as http:
        return (await http.get(f"http://127.0.0.1:{process.ports['metrics']}/metrics")).text


def total(figures: dict[str, float], name: str) -> float:
    """The sum over all series of a metric."""
    return sum(value for each, value in figures.items() if each.partition(",")[0] == f"orchestrator_{name}")


def check_worker(figures: dict[str, float]) -> None:
    exact = {
        "events_total,outcome=applied,type=search_performed": CUSTOMERS * SEARCHES,
        "events_total,outcome=applied,type=faq_viewed": CUSTOMERS,
        "events_total,outcome=duplicate,type=faq_viewed": CUSTOMERS,
        "events_total,outcome=applied,type=undeclared": 1,
        "actions_total,channel=email,scenario=offers": CUSTOMERS * OFFERED,
        "actions_total,channel=email,scenario=cart": CUSTOMERS,
        "actions_total,channel=sms,scenario=news": CUSTOMERS,
        "suppressed_total,reason=capped": CUSTOMERS * (SEARCHES - OFFERED),
        "dead_letters_total,reason=undecodable": 1,
        "dead_letters_total,reason=no_identifier": 1,
        "event_to_action_seconds_count": CUSTOMERS * (OFFERED + 1 + 2),
        "partitions": len(ALL),
    }
    assert {name: figures.get(f"orchestrator_{name}") for name in exact} == exact
    assert figures["orchestrator_timer_lateness_seconds_count"] >= CUSTOMERS
    assert total(figures, "state_customers") >= 2 * CUSTOMERS
    assert total(figures, "state_bytes") > 100 * CUSTOMERS


def check_delivery(figures: dict[str, float]) -> None:
    mails, texts = CUSTOMERS * (OFFERED + 2), CUSTOMERS
    dead = OFFERED + 2  # what went to the mailbox that is none
    assert figures["orchestrator_deliveries_total,channel=email,outcome=bounced"] == dead
    assert figures["orchestrator_deliveries_total,channel=email,outcome=delivered"] >= mails - dead
    assert figures["orchestrator_deliveries_total,channel=sms,outcome=delivered"] >= texts
    assert figures["orchestrator_delivery_attempts_total,channel=email,result=bounced"] == dead
    assert figures["orchestrator_delivery_attempt_seconds_count,channel=sms"] >= texts


def check_gateway(figures: dict[str, float]) -> None:
    exact = {
        "gateway_events_total,channel=web,type=page_viewed": 1,
        "gateway_requests_total,route=/v1/events,status=202": 1,
        "gateway_requests_total,route=/v1/events,status=422": 1,
        "gateway_requests_total,route=/v1/events,status=401": 1,
        "gateway_produce_seconds_count": 1,
    }
    assert {name: figures.get(f"orchestrator_{name}") for name in exact} == exact
