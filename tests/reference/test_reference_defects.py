"""The comparison is checked, too: what is broken in the engine, it notices."""

from __future__ import annotations

import pytest

from tests.reference.comparison import told_apart
from tests.reference.defects import DEFECTS, RARE, Defect, caught_by, drawn, planted


@pytest.mark.parametrize("defect", [pytest.param(one, id=one.name) for one in DEFECTS if one.within <= RARE])
def test_a_planted_defect_is_noticed(defect: Defect) -> None:
    assert caught_by(defect, defect.within) is not None


def test_what_is_planted_is_gone_afterwards() -> None:
    for defect in DEFECTS[:3]:
        with planted(defect):
            pass
    assert not any(told_apart(one) for one in drawn(RARE)[:20])
