"""What others write to the topics that the gateway holds whole is counted, and left aside."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, cast

import pytest

from orchestrator.gateway.erasures import Erasures
from orchestrator.gateway.owners import AnnouncedOwners
from orchestrator.gateway.server import _follow

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.gateway.figures import Figures

NESTED = b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
LEARNERS: dict[str, Callable[[], Any]] = {
    "workers": lambda: AnnouncedOwners(4).learn,
    "erasures": lambda: Erasures(cast("Any", None), cast("Any", None), lambda: 0).learn,
}


class Counting:
    def __init__(self) -> None:
        self.aside: Counter[str] = Counter()

    def left_aside(self, topic: str) -> None:
        self.aside[topic] += 1


@pytest.mark.parametrize("value", [b"\xff", b"{", b"[]", NESTED], ids=range(4))
@pytest.mark.parametrize("topic", LEARNERS)
async def test_a_record_that_is_none_of_ours_does_not_end_the_reading(topic: str, value: bytes) -> None:
    counting = Counting()
    reading = _follow(topic, LEARNERS[topic](), cast("Figures", counting), {"bootstrap_servers": "127.0.0.1:1"})
    reading._on_rows([(b"0", value), (b"\xff", value)])
    assert counting.aside == {topic: 2}
