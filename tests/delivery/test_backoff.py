from hypothesis import given
from hypothesis import strategies as st

from orchestrator.delivery.backoff import Backoff

draws = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), draws, st.integers(0, 10**9), st.integers(1, 10**6), st.integers(1, 10**8))
def test_a_wait_is_never_negative_never_above_its_ceiling_and_never_before_what_was_asked(
    failures: int, draw: float, asked: int, first: int, longest: int
) -> None:
    backoff = Backoff(first, longest)
    wait = backoff.wait(failures, draw, at_least=asked)
    assert asked <= wait <= asked + min(longest, backoff.ceiling(failures))


@given(st.integers(1, 200))
def test_the_ceiling_doubles_until_it_reaches_the_longest_wait(failures: int) -> None:
    backoff = Backoff(first=1_000, longest=60_000)
    assert backoff.ceiling(failures) == min(60_000, 1_000 * 2 ** (failures - 1))


def test_the_jitter_is_full_so_that_retries_spread_over_the_whole_wait() -> None:
    backoff = Backoff(first=1_000, longest=60_000)
    assert [backoff.wait(3, draw) for draw in (0.0, 0.25, 0.999)] == [0, 1_000, 3_996]
