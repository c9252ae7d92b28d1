"""Intervals, against the published examples and against what they promise."""

from random import Random

import pytest

from orchestrator.kpis.intervals import of_means, of_rates, wilson

SEED = 20_260_105


@pytest.mark.parametrize(
    ("one", "of_one", "other", "of_other", "low", "high"),
    [  # R. G. Newcombe, 1998, table II, method 10
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
    ],
)
def test_the_difference_of_two_rates(one: int, of_one: int, other: int, of_other: int, low: float, high: float) -> None:
    found = of_rates(one, of_one, other, of_other)
    assert found is not None
    assert found.low == pytest.approx(low, abs=0.0001)
    assert found.high == pytest.approx(high, abs=0.0001)


def test_one_rate() -> None:
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=0.0001)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=0.0001)


def test_of_nobody_there_is_none() -> None:
    assert of_rates(0, 0, 3, 10) is None
    assert of_rates(3, 10, 0, 0) is None
    assert of_means([1.0], [1.0, 2.0]) is None


def test_the_true_difference_of_means_lies_inside_95_times_of_100() -> None:
    rng = Random(SEED)
    inside = 0
    for _ in range(1_000):
        ones = [rng.gauss(5.0, 2.0) for _ in range(60)]
        others = [rng.gauss(4.0, 1.0) for _ in range(40)]
        found = of_means(ones, others)
        assert found is not None
        inside += found.low <= 1.0 <= found.high
    assert 930 <= inside <= 965, f"seed {SEED}"


def test_the_true_difference_of_rates_lies_inside_95_times_of_100() -> None:
    rng = Random(SEED)
    inside = 0
    for _ in range(1_000):
        ones = sum(rng.random() < 0.08 for _ in range(150))
        others = sum(rng.random() < 0.03 for _ in range(100))
        found = of_rates(ones, 150, others, 100)
        assert found is not None
        inside += found.low <= 0.05 <= found.high
    assert 930 <= inside <= 980, f"seed {SEED}"
