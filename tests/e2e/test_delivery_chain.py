"""From an event to the mailbox and back: delivery dies between sending and remembering, and its word comes round."""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from e2e_books import DEAD_LETTER, opened
from e2e_customers import event
from e2e_product import PARTITIONS, until
from e2e_sinks import listening

from orchestrator.delivery import run as delivery
from orchestrator.delivery.ledger import Kind, read_head
from orchestrator.model.ids import made_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from e2e_books import Books
    from e2e_customers import Written
    from e2e_product import Process, Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

CUSTOMERS, TOPICS = 20, 2
KILLS = 4 if "E2E_LONG" in os.environ else 1
LEDGER = "orchestrator-delivery-deliveries-changelog"
OUTCOMES = ("channel.email", "channel.sms")


async def test_killed_between_sending_and_remembering_each_message_arrives_and_its_outcome_settles_the_contact(
    product: Product,
) -> None:
    async with listening() as sinks, opened(product.cluster.bootstrap, LEDGER, *OUTCOMES) as books:
        await product.leave_out_what_others_decided()
        worker = await product.ready_worker()
        await product.send(news(product.run))

        async def decided() -> bool:
            return len((await books.read()).actions(product.run)) == 2 * TOPICS * CUSTOMERS

        await until(decided, why=worker.words)
        sends = {send["id"]: send["channel"] for send in books.sends(product.run)}
        under_way = []
        for kill in range(KILLS):
            deliverer = await product.deliverer(sinks)
            sinks.on_message = killing(deliverer, after=9 + 4 * kill, of=set(sends))
            assert await deliverer.ended() == -signal.SIGKILL, deliverer.words()
            await product.forget_the_dead(delivery.APP_ID)
            sent = {id_ for id_ in (*sinks.mails, *sinks.hooks) if id_ in sends}
            under_way.append(sent - remembered(await books.read()))
            assert 1 <= len(under_way[-1]) <= PARTITIONS * delivery.RECORDS_PER_TURN
        sinks.on_message = lambda _: None
        await product.deliverer(sinks)
        await until(lambda: all_settled(books, product.run, len(sends)), why=product.words)
        for process in product.processes:
            process.terminate()
            assert await process.ended() in {0, -signal.SIGKILL}, process.words()

        assert contacts(await books.read(), product.run) == dict.fromkeys(sends, "delivered")
        assert {id_: channel for id_, channel in sends.items() if id_ in sinks.mails} == only(sends, "email")
        assert {id_: channel for id_, channel in sends.items() if id_ in sinks.hooks} == only(sends, "sms")
        copies = {id_: count for id_, count in (sinks.mails + sinks.hooks).items() if id_ in sends and count > 1}
        print(f"{KILLS} kills: {len(copies)} messages came twice")  # noqa: T201
        assert set(copies) <= set().union(*under_way), "a message came twice that had been remembered"
        told = outcomes(books)
        assert {id_: told[id_] for id_ in sends} == {id_: {(made_id(id_, "delivered"), "delivered")} for id_ in sends}
        assert books.of(DEAD_LETTER) == []


def news(run: str) -> Iterator[Written]:
    """Customers who each ask about some topics: a mail and a text message for every one."""
    for topic in range(TOPICS):
        for number in range(CUSTOMERS):
            name = f"{run}-{number}"
            who = {"email": f"{name}@example.com", "phone": f"+33612{number:06}"}
            value = event(f"{name}-{topic}", "faq_viewed", **who, topic=f"t{topic}")
            yield "channel.web", f"default/email:{name}@example.com".encode(), value


def killing(deliverer: Process, after: int, of: AbstractSet[str]) -> Callable[[str], None]:
    """Kill delivery when it has handed over so many messages, before it is told that the last one was taken."""
    left = [after]

    def count(id_: str) -> None:
        left[0] -= id_ in of
        if left[0] == 0:
            deliverer.kill()

    return count


def remembered(books: Books) -> set[str]:
    """The actions that the ledger has as done with."""
    return {
        record.key.decode()
        for record in books.of(LEDGER)
        if record.value is not None and read_head(record.value)[1] in {Kind.SETTLED, Kind.UNTOLD}
    }


def contacts(books: Books, run: str) -> dict[str, str]:
    """Action id -> how it ended, as the customers' records know it."""
    return {one.id: one.settled for customer in books.customers(run).values() for one in customer.contacts}


async def all_settled(books: Books, run: str, many: int) -> bool:
    found = contacts(await books.read(), run)
    return len(found) == many and all(found.values())


def only(sends: dict[str, str], channel: str) -> dict[str, str]:
    return {id_: each for id_, each in sends.items() if each == channel}


def outcomes(books: Books) -> dict[str, set[tuple[str, str]]]:
    """Action id -> the outcome events of it, each by its id and type."""
    found = defaultdict(set)
    for topic in OUTCOMES:
        for record in books.of(topic):
            told = json.loads(record.value)
            found[told["data"]["message"]].add((told["id"], told["type"]))
    return found
