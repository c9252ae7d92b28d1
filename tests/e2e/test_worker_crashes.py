"""Whatever moment a worker dies at: every action once by its id, and every record adds up to what was sent."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from typing import TYPE_CHECKING

import pytest
from e2e_books import DEAD_LETTER, Books, opened
from e2e_customers import Crowd
from e2e_product import until

from orchestrator.stream.failpoints import EXIT_CODE, POINTS

if TYPE_CHECKING:
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]

LONG = "E2E_LONG" in os.environ
SEED = int(os.environ.get("E2E_SEED", random.randrange(1_000_000)))


async def settled(product: Product, books: Books, crowd: Crowd) -> None:
    """Everything came; then all workers are told to stop, which they do cleanly, and the books are checked."""

    async def balanced() -> bool:
        return crowd.balanced(await books.read())

    try:
        await until(balanced)
    except AssertionError:
        crowd.check(books)  # says what is missing
        raise
    for process in product.processes:
        if process.handle.returncode is None:
            process.terminate()
            assert await process.ended() == 0, process.words()
    crowd.check(await books.read())
    assert books.of(DEAD_LETTER) == []


@pytest.mark.parametrize("lives", range(5 if LONG else 1))
async def test_killed_at_every_point_of_a_batch_nothing_is_lost_and_nothing_counted_twice(
    product: Product, lives: int
) -> None:
    """Each worker takes over from one that died at another point, while events keep coming."""
    print(f"seed {SEED} (E2E_SEED)")  # noqa: T201
    crowd = Crowd(product.run, 150, SEED + lives)
    half = len(crowd.events) // 2
    async with opened(product.cluster.bootstrap) as books:
        await product.send(crowd.events[:half])
        sending = asyncio.ensure_future(product.send(crowd.events[half:], per_second=len(crowd.events) / 30))
        for point in POINTS:
            worker = await product.worker(crash_at=f"{point}:{1 + lives * 2}")
            assert await worker.ended() == EXIT_CODE, f"never got to {point}\n{worker.words()}"
            await product.forget_the_dead()
        await product.worker()
        await sending
        await settled(product, books, crowd)


@pytest.mark.parametrize("kills", [12 if LONG else 1])
async def test_killed_at_any_moment_nothing_is_lost_and_nothing_counted_twice(product: Product, kills: int) -> None:
    print(f"seed {SEED} (E2E_SEED)")  # noqa: T201
    chance = random.Random(SEED)
    crowd = Crowd(product.run, 50 * (kills + 1), SEED)
    async with opened(product.cluster.bootstrap) as books:
        sending = asyncio.ensure_future(product.send(crowd.events, per_second=250))
        for _ in range(kills):
            worker = await product.worker()
            await until(worker.owned, why=worker.words)
            await asyncio.sleep(chance.uniform(0.05, 2.0))  # the moment of the kill, not a wait for anything
            worker.kill()
            assert await worker.ended() == -signal.SIGKILL
            await product.forget_the_dead()
        await product.worker()
        await sending
        await settled(product, books, crowd)
