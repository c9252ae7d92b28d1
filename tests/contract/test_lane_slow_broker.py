"""The broker answers, but late: the lane's watchdog sees progress, and nothing is lost, sent again or counted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lane_books import Books

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.slow_broker import ProxiedKafka

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(180)]

LATE = 0.2
IMPATIENT = {"no_progress_after": 4_000, "loop_stuck_after": 2_000, "check_every": 100}
"""Times after which the watchdog ends a worker, ms: a tenth of the usual, some answers long."""


async def test_a_lane_whose_broker_answers_late_goes_on_all_the_time(
    kafka: ProxiedKafka, unique: Callable[[str], str], tmp_path: Path
) -> None:
    books = Books(unique("late"), kafka.bootstrap, tmp_path, seed=3)
    async with kafka.answering_late(LATE) as bootstrap, books.running():
        worker = await books.start(bootstrap=bootstrap, watchdog=IMPATIENT)
        await books.produce(2_000, per_second=300)  # longer than the lane takes between two looks at how far it is
        balance = await books.balance()
        assert worker.process.returncode == 0, worker.log.read_text()
        balance.check()
        assert balance.repeats == 0
