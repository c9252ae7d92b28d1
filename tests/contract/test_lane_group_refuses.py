"""A group that does not let a worker in: the worker ends and says why, for the consumer waits without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lane_books import Books

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from orchestrator.stream.broker import EmbeddedKafka

pytestmark = [pytest.mark.kafka, pytest.mark.e2e, pytest.mark.timeout(120)]


async def test_a_worker_whose_group_refuses_it_ends_with_the_reason(
    kafka: EmbeddedKafka, unique: Callable[[str], str], tmp_path: Path
) -> None:
    """A session timeout below the broker's least is one of several reasons; a missing right to the group is another."""
    books = Books(unique("refused"), kafka.bootstrap, tmp_path, seed=1)
    async with books.running():
        worker = await books.start(settings={"session_timeout": 100})
        assert await worker.ended(40) == 1
        assert "InvalidSessionTimeout" in worker.log.read_text()
