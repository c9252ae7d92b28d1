"""How sure a difference is: 95% intervals of the difference of two rates, and of two means."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

Z: Final = 1.959963984540054
"""The normal quantile that leaves 2.5% on either side."""


class Interval(NamedTuple):
    """Between what a difference lies, in 95 of 100 samples such as this."""

    low: float
    high: float


def of_rates(one: int, of_one: int, other: int, of_other: int) -> Interval | None:
    """The difference of two rates, `one / of_one - other / of_other`: Newcombe's hybrid score interval.

    It holds for few persons and for rates near 0 and 1, where the textbook's does not (R. G. Newcombe, Interval
    estimation for the difference between independent proportions, 1998, method 10). None where a group has nobody.
    """
    if not (of_one and of_other):
        return None
    first, second = one / of_one, other / of_other
    low_one, high_one = wilson(one, of_one)
    low_other, high_other = wilson(other, of_other)
    difference = first - second
    return Interval(
        difference - sqrt((first - low_one) ** 2 + (high_other - second) ** 2),
        difference + sqrt((high_one - first) ** 2 + (second - low_other) ** 2),
    )


def wilson(count: int, of: int) -> Interval:
    """The score interval of one rate (E. B. Wilson, Probable inference, 1927)."""
    rate, square = count / of, Z * Z
    middle = rate + square / (2 * of)
    reach = Z * sqrt(rate * (1 - rate) / of + square / (4 * of * of))
    return Interval(max((middle - reach) / (1 + square / of), 0.0), min((middle + reach) / (1 + square / of), 1.0))


def of_means(ones: Sequence[float], others: Sequence[float]) -> Interval | None:
    """The difference of two means of values of single persons, unequal variances allowed (Welch's standard error).

    The normal quantile is used, not Student's: below some thirty persons it is too narrow, and a figure of so few says
    little anyway. None where a group has fewer than two.
    """
    if min(len(ones), len(others)) < 2:
        return None
    first, variance = _moments(ones)
    second, other_variance = _moments(others)
    reach = Z * sqrt(variance / len(ones) + other_variance / len(others))
    return Interval(first - second - reach, first - second + reach)


def _moments(values: Sequence[float]) -> tuple[float, float]:
    mean = sum(values) / len(values)
    return mean, sum((value - mean) ** 2 for value in values) / (len(values) - 1)
