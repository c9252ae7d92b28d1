"""Generated bundles and streams of events give the same in the engine and in the reference interpreter.

`REFERENCE_EXAMPLES` says how many (120), `REFERENCE_SEED` which (it is printed; `tests/seeds.py`). A disagreement is
told as the smallest story that shows it.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.reference.comparison import compared
from tests.reference.generated_bundles import bundles
from tests.reference.generated_events import STARTS, halved, streams
from tests.reference.generated_releases import next_bundles, released
from tests.reference.generated_slots import looked_at
from tests.seeds import seed as seed_of

EXAMPLES = int(os.environ.get("REFERENCE_EXAMPLES", "120"))
SEED = seed_of("REFERENCE_SEED")


@pytest.fixture(autouse=True)
def _the_seed_is_known() -> None:
    sys.stdout.write(f"seed {SEED} (REFERENCE_SEED), {EXAMPLES} examples (REFERENCE_EXAMPLES)\n")


@pytest.mark.timeout(0)
@seed(SEED)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(drawn=st.data(), start=st.sampled_from(STARTS))
def test_the_engine_does_what_the_reference_does(drawn: Any, start: int) -> None:
    text, beyond = drawn.draw(bundles())
    texts: tuple[str, ...] = (text,)
    stream = drawn.draw(streams(text, beyond))
    if drawn.draw(st.integers(1, 4)) == 4:
        texts, stream = (text, drawn.draw(next_bundles(text))), drawn.draw(released(stream))
    elif drawn.draw(st.booleans()) and beyond:
        stream = drawn.draw(halved(stream))
    if "\nslot:" in text:
        stream = drawn.draw(looked_at(stream))
    difference = compared(texts, stream, start)
    if difference is not None:
        pytest.fail(difference.smallest(), pytrace=False)
