"""Workers come and go in the middle of the stream: the partitions move, the sums stay."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest
from e2e_books import DEAD_LETTER, opened
from e2e_customers import Crowd
from e2e_product import ALL, PARTITIONS, Process, until

if TYPE_CHECKING:
    from e2e_product import Product

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(600)]
SEED = int(os.environ.get("E2E_SEED", random.randrange(1_000_000)))
ROUNDS = 4 if "E2E_LONG" in os.environ else 1


def share(*workers: Process) -> bool:
    """Whether these workers own all partitions, each at least one and none twice."""
    owned = [worker.owned() for worker in workers]
    return all(owned) and frozenset().union(*owned) == ALL and sum(map(len, owned)) == PARTITIONS


async def test_a_second_worker_joins_and_is_killed_and_a_third_leaves_when_told_to(product: Product) -> None:
    print(f"seed {SEED} (E2E_SEED)")  # noqa: T201
    crowd = Crowd(product.run, 110 * ROUNDS, SEED)

    async def balanced() -> bool:
        return crowd.balanced(await books.read())

    async with opened(product.cluster.bootstrap) as books:
        before = books.ownership()
        stays = await product.ready_worker()
        sending = asyncio.ensure_future(product.send(crowd.events, per_second=110))
        for _ in range(ROUNDS):
            second = await product.worker()
            await until(partial(share, stays, second))
            second.kill()
            assert await second.ended() == -signal.SIGKILL
            await until(lambda: stays.owned() == ALL, why=product.words)
            third = await product.worker()
            await until(partial(share, stays, third))
            third.terminate()
            assert await third.ended() == 0, third.words()
            await until(lambda: stays.owned() == ALL, why=product.words)
        await sending
        await until(balanced)
        stays.terminate()
        assert await stays.ended() == 0, stays.words()
        crowd.check(await books.read())
        assert books.of(DEAD_LETTER) == []
        after = books.ownership()
        assert set(after) == ALL
        assert all(after[each] > before.get(each, 0) for each in ALL), (before, after)
        moved = [each for each in ALL if after[each] >= before.get(each, 0) + 1 + 2 * ROUNDS]
        assert moved, f"no partition has changed hands as often as workers came and went: {before} -> {after}"
        assert all(numbers == sorted(set(numbers)) for numbers in books.numbers.values())
