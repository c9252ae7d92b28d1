"""Generated bundles and streams of events give the same in the engine and in the reference interpreter.

`REFERENCE_EXAMPLES` says how many (250), `REFERENCE_SEED` which (another each time; it is printed).
"""

from __future__ import annotations

import os
import random
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, note, seed, settings
from hypothesis import strategies as st

from tests.reference.comparison import interpreted, loaded, produced
from tests.reference.generated_bundles import bundles
from tests.reference.generated_events import STARTS, streams

EXAMPLES = int(os.environ.get("REFERENCE_EXAMPLES", "250"))
MOST_TOLD = 150
SEED = int(os.environ.get("REFERENCE_SEED", random.randrange(1 << 32)))


@pytest.fixture(autouse=True)
def _the_seed_is_known() -> None:
    sys.stdout.write(f"seed {SEED} (REFERENCE_SEED), {EXAMPLES} examples (REFERENCE_EXAMPLES)\n")


@pytest.mark.timeout(0)
@seed(SEED)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(drawn=st.data(), start=st.sampled_from(STARTS))
def test_the_engine_does_what_the_reference_does(drawn: Any, start: int) -> None:
    text, beyond = drawn.draw(bundles())
    bundle = loaded(text)
    stream = drawn.draw(streams(beyond))
    theirs, played = produced(bundle, stream, start)
    assume(len(theirs.told) < MOST_TOLD)  # scenarios that start each other for ever take the interpreter too long
    note(text[text.index("policy: all") - 2000 :])
    note("\n".join(str(one) for one in played))
    ours = interpreted(bundle, played, start)
    note("engine:    " + "\n           ".join(map(str, theirs.told)))
    note("reference: " + "\n           ".join(map(str, ours.told)))
    assert theirs.told == ours.told
    assert theirs.messages == ours.messages
    assert theirs.tasks == ours.tasks
    assert theirs.traits == ours.traits
    assert theirs.instances == ours.instances
