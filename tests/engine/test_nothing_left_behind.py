"""An event leaves nothing to the collector: what a moment has read goes free at once, and its memory is used again."""

import gc

from bench.j1 import workload
from orchestrator.engine.facts import Facts
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Record


def test_events_that_tell_start_send_and_end_leave_no_cycles() -> None:
    core = CustomerCore(workload.program(2), Facts(), ("channel.web",), 1)
    values: dict[bytes, bytes] = {}
    values.update((key, value or b"") for key, value in core.assigned(0, values, {}, workload.START).changelog)
    records = [
        Record("channel.web", 0, offset, at, key, value)
        for offset, (key, value, at) in enumerate(workload.events(customers=5))
    ]
    gc.collect()
    gc.disable()
    try:
        core.process(0, records, workload.START)
        assert gc.collect() == 0
    finally:
        gc.enable()
