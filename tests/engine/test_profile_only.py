"""The short way of events that only tell of the customer leads where the long way leads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.j1 import workload
from orchestrator.engine import engine as engines
from orchestrator.engine import profile_only
from orchestrator.engine.facts import Facts
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Record

PROGRAM = workload.program(3)
RECORDS = list(workload.events(4))


def state_after(order: list[int]) -> dict[bytes, bytes]:
    """The table after these records of the workload."""
    core = CustomerCore(PROGRAM, Facts(), ("channel.web",), 1)
    table: dict[bytes, bytes] = {}
    table.update(core.assigned(0, table, {}, workload.START).changelog)  # type: ignore[arg-type]
    for offset, number in enumerate(order):
        key, value, at = RECORDS[number]
        batch = core.process(0, [Record("channel.web", 0, offset, at + offset * 1000, key, value)], at)
        table.update(batch.changelog)  # type: ignore[arg-type]
        core.committed(0, batch.offsets)
    return table


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, len(RECORDS) - 1), min_size=1, max_size=40))
def test_both_ways_give_the_same_state(order: list[int]) -> None:
    short = state_after(order)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "only_tells", lambda *_: False)
        assert state_after(order) == short


def test_the_workload_takes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = 0
    tell = profile_only.tell

    def counted(*given: object) -> None:
        nonlocal taken
        taken += 1
        tell(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(engines, "tell", counted)
    state_after(list(range(len(RECORDS))))
    assert taken > len(RECORDS) / 3
