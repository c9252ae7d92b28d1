"""The comparison is checked, too: what is broken in the engine, it notices.

`REFERENCE_DEFECTS=all` plants also those that need many examples to be noticed.
"""

from __future__ import annotations

import os

import pytest

from tests.reference.comparison import told_apart
from tests.reference.defects import DEFECTS, RARE, Defect, caught_by, drawn, planted

PLANTED = [one for one in DEFECTS if one.within <= RARE or os.environ.get("REFERENCE_DEFECTS") == "all"]


@pytest.mark.timeout(0)
@pytest.mark.parametrize("defect", [pytest.param(one, id=one.name) for one in PLANTED])
def test_a_planted_defect_is_noticed(defect: Defect) -> None:
    assert caught_by(defect) is not None


def test_what_is_planted_is_gone_afterwards() -> None:
    for defect in DEFECTS[:3]:
        with planted(defect):
            pass
    assert not any(told_apart(one) for one in drawn("cap", 0))
