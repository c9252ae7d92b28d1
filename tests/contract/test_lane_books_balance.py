"""The lane's promise on real processes and a real broker: whatever dies, joins or leaves, the books balance.

Every scenario is a run of its own with its own topics and group; all run at once, so that the waits for a dead
worker's session overlap. `LANE_SOAK=MINUTES` repeats random kills and joins for that long in one run more.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from lane_books import PARTITIONS, Balance, Books, Worker

from orchestrator.stream.failpoints import EXIT_CODE, POINTS

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from orchestrator.stream.broker import EmbeddedKafka

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="module")]
SEED = int(os.environ.get("LANE_SEED", "20261122"))
ALL = set(range(PARTITIONS))
FREEZABLE = {"loop_stuck_after": 0, "no_progress_after": 0}
"""Else the watchdog would end a worker that was frozen for long, which is right, but not what is tested."""


async def until(what: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


def owns_some(worker: Worker) -> bool:
    return bool(worker.owned())


def together(*workers: Worker) -> bool:
    """Whether these workers own all partitions, each at least one and none twice."""
    owned = [worker.owned() for worker in workers]
    return all(owned) and set().union(*owned) == ALL and sum(map(len, owned)) == PARTITIONS


async def crash_at(books: Books, point: str) -> Balance:
    """Ended at a named point, the second time it is reached; started again on what it left."""
    async with books.running():
        await books.produce(1500)
        first = await books.start(crash_at=f"{point}:2")
        producing = asyncio.ensure_future(books.produce(1500, per_second=1000))
        assert await first.ended() == EXIT_CODE, f"never got to {point}: {first.log.read_text()[-2000:]}"
        await books.start()
        await producing
        return await books.balance()


async def kill_at_random(books: Books) -> Balance:
    """Killed three times in the middle of its work."""
    chance = random.Random(books.name + str(SEED))
    async with books.running():
        producing = asyncio.ensure_future(books.produce(6000, per_second=400))
        for _ in range(2):
            worker = await books.start()
            await until(partial(owns_some, worker))
            await asyncio.sleep(chance.uniform(0.1, 1.5))
            worker.kill()
            await worker.ended()
        await books.start()
        await producing
        return await books.balance()


async def second_joins_and_is_killed(books: Books) -> Balance:
    async with books.running():
        producing = asyncio.ensure_future(books.produce(6000, per_second=500))
        first = await books.start()
        await until(lambda: first.owned() == ALL)
        second = await books.start()
        await until(lambda: together(first, second))
        await asyncio.sleep(0.5)
        second.kill()
        await second.ended()
        await until(lambda: first.owned() == ALL)
        await producing
        return await books.balance()


async def second_joins_and_leaves(books: Books) -> Balance:
    """By SIGTERM, twice; the one that stays never restarts."""
    async with books.running():
        producing = asyncio.ensure_future(books.produce(6000, per_second=600))
        first = await books.start()
        await until(lambda: first.owned() == ALL)
        for _ in range(2):
            second = await books.start()
            await until(partial(together, first, second))
            await asyncio.sleep(0.3)
            second.terminate()
            assert await second.ended() == 0
            await until(lambda: first.owned() == ALL)
        await producing
        balance = await books.balance()
        assert first.process.returncode == 0
        return balance


async def stopped_and_continued(books: Books) -> Balance:
    """Frozen for longer than a session: it lost its partitions without knowing, and must not write to them."""
    async with books.running():
        producing = asyncio.ensure_future(books.produce(6000, per_second=350))
        first = await books.start(watchdog=FREEZABLE)
        await until(lambda: first.owned() == ALL)
        second = await books.start()
        await until(lambda: together(first, second))
        await asyncio.sleep(0.3)
        first.freeze()
        await until(lambda: second.owned() == ALL)
        await asyncio.sleep(0.5)
        first.thaw()
        await until(lambda: together(first, second))
        await producing
        return await books.balance()


async def frozen_at_rest(books: Books) -> Balance:
    """Frozen with nothing in hand: its table is in order, but what others wrote meanwhile is missing in it."""
    async with books.running():
        await books.produce(800)
        first = await books.start(watchdog=FREEZABLE)
        await books.settle()
        first.freeze()
        second = await books.start()
        await until(lambda: second.owned() == ALL)
        await books.produce(800)
        await books.settle()
        first.thaw()
        await until(lambda: together(first, second))
        await books.produce(800)
        await books.settle()
        second.terminate()
        await second.ended()
        await until(lambda: first.owned() == ALL)
        await books.produce(800)
        return await books.balance()


SCENARIOS: dict[str, Callable[[Books], Coroutine[None, None, Balance]]] = {
    **{f"crash-{point.replace('_', '-')}": partial(crash_at, point=point) for point in POINTS},
    "kill-at-random": kill_at_random,
    "second-killed": second_joins_and_is_killed,
    "second-leaves": second_joins_and_leaves,
    "stopped-and-continued": stopped_and_continued,
    "frozen-at-rest": frozen_at_rest,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def balances(
    kafka: EmbeddedKafka, unique: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Balance | BaseException]:
    """All scenarios, played at once."""
    sys.stdout.write(f"seed {SEED} (LANE_SEED)\n")
    folder: Path = tmp_path_factory.mktemp("lane")
    runs = [play(Books(unique(name), kafka.bootstrap, folder, SEED)) for name, play in SCENARIOS.items()]
    results = await asyncio.gather(*runs, return_exceptions=True)
    return dict(zip(SCENARIOS, results, strict=True))


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_the_books_balance(scenario: str, balances: dict[str, Balance | BaseException]) -> None:
    balance = balances[scenario]
    if isinstance(balance, BaseException):
        raise balance
    balance.check()


@pytest.mark.skipif("LANE_SOAK" not in os.environ, reason="LANE_SOAK=MINUTES runs it")
@pytest.mark.timeout(0)
async def test_the_books_balance_after_a_long_time_of_trouble(
    kafka: EmbeddedKafka, unique: Callable[[str], str], tmp_path: Path
) -> None:
    minutes = float(os.environ["LANE_SOAK"])
    chance = random.Random(SEED)
    books = Books(unique("soak"), kafka.bootstrap, tmp_path, SEED)
    until_time = time.monotonic() + minutes * 60
    async with books.running():
        producing = asyncio.ensure_future(books.produce(int(minutes * 60 * 500), per_second=500))
        alive = [await books.start()]
        while time.monotonic() < until_time:
            await asyncio.sleep(chance.uniform(0.5, 6))
            what = chance.choice(["join", "kill", "leave", "point"])
            if what in ("join", "point") and len(alive) < 3:
                at = f"{chance.choice(POINTS)}:{chance.randrange(1, 30)}" if what == "point" else ""
                alive.append(await books.start(crash_at=at))
            elif alive and what in ("kill", "leave"):
                worker = alive.pop(chance.randrange(len(alive)))
                worker.kill() if what == "kill" else worker.terminate()
                await worker.ended()
        await books.start()
        await producing
        (await books.balance(180)).check()
