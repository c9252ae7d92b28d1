"""What the language has words for and this release does not run, with what to write instead.

Lint refuses it, so that no bundle waits for what never comes; the reference says so beside each.
"""

from __future__ import annotations

from typing import Final

STEPS_NOT_RUN: Final[dict[str, str]] = {
    "reserve": "let the system that has the places count them, and `wait_until` its event",
}
"""Step word → what to write instead."""

EVENTS_NOT_RUN: Final[dict[str, str]] = {
    "task_accepted": "let the system of those who work on tasks send an event of its own, and name that",
}
"""Event that the engine is to make → what to name instead."""

BRAND_EVENTS: Final = (
    "wait for the fact that it changes, as in `wait_until: {when: 'stock(entry.sku) > 0', timeout: 30d}`, or tell the "
    "story to the brand: `for: brand`"
)
"""What to write where an event `for: brand` is to enter, move or end a story."""
