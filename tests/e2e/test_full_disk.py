"""The disk is full: a worker and delivery keep nothing on it but their log, so only lines of that are missing."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest
from e2e_books import DEAD_LETTER, opened
from e2e_customers import event
from e2e_product import until
from e2e_sinks import listening

if TYPE_CHECKING:
    from e2e_customers import Written
    from e2e_product import Process, Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(300)]

CUSTOMERS = 20


def fills_up(process: Process) -> None:
    """From now on no file of this process grows: every write to one fails, as on a full disk."""
    size = process.log.stat().st_size
    resource.prlimit(process.handle.pid, resource.RLIMIT_FSIZE, (size, size))


def asked(run: str, number: int) -> Written:
    name = f"{run}-{number}@example.com"
    value = event(f"{run}-{number}", "faq_viewed", email=name, topic="disks")
    return "channel.web", f"default/email:{name}".encode(), value


async def test_on_a_full_disk_messages_are_decided_and_delivered_and_processes_end_well(product: Product) -> None:
    await product.leave_out_what_others_decided()
    async with listening() as sinks, opened(product.cluster.bootstrap) as books:
        worker = await product.ready_worker()
        delivery = await product.deliverer(sinks)
        await product.send([asked(product.run, 0)])
        await until(lambda: sinks.mails, why=product.words)
        for process in (worker, delivery):
            fills_up(process)
        unreadable = ("channel.web", b"x", f"{product.run} is no JSON, which is worth a line".encode())
        await product.send([unreadable, *(asked(product.run, number) for number in range(1, CUSTOMERS))])

        async def delivered() -> bool:
            sent = [send["id"] for send in (await books.read()).sends(product.run) if send["channel"] == "email"]
            return len(sent) == CUSTOMERS and set(sent) <= set(sinks.mails)

        await until(delivered, why=product.words)
        for process in (worker, delivery):
            process.terminate()
            assert await process.ended() == 0, process.words()
            assert "stopped" not in process.words(), "there was room for its last line"
        assert [letter.value for letter in books.of(DEAD_LETTER)] == [unreadable[2]]
        assert set(sinks.mails.values()) == {1}
