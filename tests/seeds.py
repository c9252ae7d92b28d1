"""Which examples a generated test looks at."""

from __future__ import annotations

import os
import random

ON_CI = 20_261_124


def seed(variable: str) -> int:
    """The seed that a variable of the environment names; else another each time, and with CI=true always the same.

    So a commit that passed passes again, and what a new seed finds is found by whoever looks for it. Hypothesis keeps
    the same rule for tests that it drives itself.
    """
    if os.environ.get(variable, "0") != "0":
        return int(os.environ[variable])
    return ON_CI if os.environ.get("CI") == "true" else random.randrange(1, 1 << 32)
