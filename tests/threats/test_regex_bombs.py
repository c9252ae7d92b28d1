"""Patterns that take a backtracking engine hours take this product microseconds, wherever a bundle may write one.

The patterns come from whoever writes the bundle, the texts from customers: neither may keep a partition busy.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from orchestrator.engine.program.build import plan_intents
from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.language.conditions import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.language.bundle import LoadResult

LONGEST = 256
LIMIT = 0.010
"""Seconds of the processor's time for one text."""
EVIL = {
    "nested repetition": (r"(a+)+$", "a" * 28 + "!"),
    "nested stars": (r"(a*)*$", "a" * 28 + "!"),
    "two ways to say the same": (r"(a|aa)+$", "a" * 40 + "!"),
    "overlapping classes": (r"(\w+\s?)+$", "word " * 12 + "!"),
    "an address": (r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@)", "a" * 30 + "!"),
    "many optional": ("(a?)" + "a?" * 27 + "a" * 28 + "$", "a" * 27 + "b"),
    "three stars": (r"(.*)a(.*)b(.*)c$", "ab" * 2_000),
    "long text": (r"(x+x+)+y", "x" * 20_000),
}


def intents(pattern: str) -> LoadResult:
    written = pattern.replace("'", "''")
    text = f"bundle: b\n---\nintents: i\ndefine:\n  size: {{any: [room], find: {{rooms: '{written}'}}}}\n"
    return load_bundle({"b.yaml": text.encode()}, EventSchemas())


def seconds(work: Callable[[], object]) -> float:
    """The fastest of a few turns: a machine under load is no finding."""

    def once() -> float:
        began = time.process_time()
        work()
        return time.process_time() - began

    return min(once() for _ in range(3))


@pytest.mark.timeout(20)
@pytest.mark.parametrize("case", EVIL)
def test_a_condition_answers_at_once(case: str) -> None:
    pattern, text = EVIL[case]
    names = {"text": text, "pattern": pattern}
    assert evaluate("text.matches(pattern)", names) in (True, False)
    assert seconds(lambda: evaluate("text.matches(pattern)", names)) < LIMIT


@pytest.mark.timeout(20)
@pytest.mark.parametrize("case", EVIL)
def test_an_intent_that_looks_for_something_answers_at_once(case: str) -> None:
    pattern, text = EVIL[case]
    inner = pattern.replace("(", "(?:")
    bundle = intents(f"({inner})").bundle
    assert bundle is not None
    wanted = plan_intents(bundle)
    assert seconds(lambda: wanted.extract(text, "rooms")) < LIMIT


@pytest.mark.parametrize("extra", [0, 1])
def test_a_pattern_has_an_end(extra: int) -> None:
    pattern = f"({'a' * (LONGEST - 2 + extra)})"
    problems = [one.message for one in intents(pattern).diagnostics if one.code == "E-TYPE"]
    assert problems == (["the pattern of `rooms` is longer than 256 characters"] if extra else [])
