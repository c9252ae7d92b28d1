"""The wall clock, as times stand everywhere in the product."""

import time


def wall_clock() -> int:
    """Ms since the epoch, UTC."""
    return time.time_ns() // 1_000_000
