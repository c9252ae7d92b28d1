"""A hostile or runaway expression is refused, or stops with CelError, quickly."""

import contextlib
import time
from types import SimpleNamespace

import pytest

from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    CelError,
    CelProblem,
    Environment,
    Function,
    Overload,
    compile_expression,
    list_of,
    nullable,
)
from orchestrator.language.cel.compiler import checked_tree, define
from orchestrator.language.cel.generator import Generator
from orchestrator.language.conditions import evaluate

DEADLINE = 2.0  # seconds of the processor; the slowest takes about 0.3


def nested(depth: int) -> list[object]:
    found: list[object] = []
    for _ in range(depth):
        found = [found]
    return found


NAMES = {
    "numbers": list(range(10_000)),
    "text": "a" * 60_000,
    "huge": "a" * 2_000_000,
    "table": [["a" * 100] * 100] * 100,
    "deep": nested(5_000),
}


def doubling(start: str, step: str, end: str) -> str:
    """Each name is made of the one before it, twice."""
    binds = [f"cel.bind(x{i}, {step.replace('x', f'x{i - 1}')}, " for i in range(1, 40)]
    return f"cel.bind(x0, {start}, " + "".join(binds) + end.replace("x", "x39") + ")" * 40


HOSTILE = {
    "parentheses": "(" * 5_000 + "1" + ")" * 5_000,
    "open parentheses": "(" * 16_000,
    "lists in lists": "[" * 5_000 + "]" * 5_000,
    "conditionals": "true ? 1 : " * 1_200 + "2",
    "selections": "text" + ".a" * 5_000,
    "indexes": "numbers" + "[0]" * 3_000,
    "calls": "string(" * 1_000 + "1" + ")" * 1_000,
    "long source": "1 + " * 10_000 + "1",
    "long number": "1" * 16_000,
    "long duration": f'duration("{"9" * 60}s")',
    "long pattern": f"text.matches('{'a' * 257}')",
    "repeated repetition": "text.matches('((((a{100}){100}){100}){100})')",
    "loops in loops": "numbers.all(a, numbers.all(b, numbers.all(c, a + b + c >= 0)))",
    "loops that stop early": "numbers.exists(a, numbers.exists(b, false))",
    "texts in loops": "numbers.map(a, text + string(a))",
    "long texts": " + ".join(["text"] * 1_000),
    "lists of lists in loops": f"numbers.map(a, [{', '.join(['a'] * 4_000)}])",
    "comparison in loops": "numbers.all(a, numbers == numbers)",
    "search in loops": "numbers.all(a, a in numbers)",
    "deep comparison in loops": "numbers.all(a, table == table)",
    "scan in loops": "numbers.all(a, huge.contains('b') || true)",
    "fold in loops": "numbers.all(a, fold(text) != '')",
    "doubled text": doubling("'aaaaaaaa'", "x + x", "x"),
    "doubled list": doubling("[1, 2]", "x + x", "x"),
    "shared lists": doubling("[1, 2]", "[x, x]", "x"),
    "shared lists compared": doubling("[1, 2]", "[x, x]", "x == x"),
    "deep values": "deep == deep",
    "blown up by replace": "text.replace('', text)",
    "blown up by join": "numbers.map(i, 'abcdefgh').join(text)",
    "too many parts": "huge.split('')",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_expression_ends_in_time(kind: str) -> None:
    began = time.process_time()

    with pytest.raises((CelProblem, CelError)):
        evaluate(HOSTILE[kind], NAMES)

    assert time.process_time() - began < DEADLINE


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("(" * 60 + "1" + ")" * 60, 1),
        ("[" * 60 + "]" * 60 + ".size()", 1),
        ("!" * 9_999 + "false", True),
        ("-" * 9_999 + "1", -1),
        (" && ".join(["true"] * 1_500), True),
        (" || ".join(["1 / 0 > 1"] * 1_000) + " || true", True),
        (" + ".join(["1"] * 4_000), 4_000),
        (" + ".join(["numbers[1]"] * 1_000), 1_000),
        ("true ? 1 : " * 60 + "2", 1),
        ("(" * 40 + "1" + " + 1)" * 40, 41),
        ("size([" + ", ".join(["1"] * 4_000) + "])", 4_000),
        ("text.matches('(a|aa)+$')", True),
        ("text.matches('(x+x+)+y')", False),
        ("numbers.filter(n, n % 100 == 0).map(n, n * n).size()", 100),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_large_but_honest_is_evaluated(source: str, expected: object) -> None:
    assert evaluate(source, NAMES) == expected


def test_the_work_limit_is_absorbed_by_nothing() -> None:
    with pytest.raises(CelError, match="too much work"):
        evaluate("true && numbers.all(a, numbers.all(b, true)) || true == false || !false && numbers == []", NAMES)


NESTS = {
    "sums": "(@ + n + n + n + n)",
    "sums of doubles": "(@ + d + d)",
    "calls": "f(@)",
    "calls of open type": "g(@)",
    "elements": "[@].map(a, a + x)",
    "bodies": "[1].map(a, @)",
    "exists": "[1].exists(a, @)",
    "and": "(@ && maybe && b)",
    "or": "(@ || maybe || x == 1)",
    "branches": "(b ? @ : x)",
    "conditions": "(@ ? x : x)",
    "indexes": "l[@]",
    "texts": "(s + s).replace(s, string(@))",
    "lists": "[@, 1]",
    "maps": "{'a': @}.a",
    "equalities": "(@ == x == x == x)",
    "order": "(@ < x)",
    "membership": "(@ in x)",
    "bindings": "cel.bind(a, x, @)",
    "minus": "-(@)",
    "not": "!(@)",
    "everything": "(g([@ + n + n].map(a, a + x + x)[0]) + d)",
}


class Answers(SimpleNamespace):
    def f(self, value: str) -> str:
        return value

    def g(self, value: object) -> object:
        return value


@pytest.mark.parametrize("form", NESTS.values(), ids=NESTS)
@pytest.mark.parametrize("depth", [7, 8, 9, 31, 62])
def test_every_construct_nests_to_the_limit(form: str, depth: int) -> None:
    """Neither CPython's limit of parentheses nor time that doubles with each level."""
    types = {
        "s": STRING,
        "n": nullable(INT),
        "d": DOUBLE,
        "x": DYN,
        "b": BOOL,
        "maybe": nullable(BOOL),
        "l": list_of(INT),
    }
    functions = [Function("f", (Overload((STRING,), STRING),)), Function("g", (Overload((DYN,), DYN),))]
    environment = Environment(types, functions, strict=False)
    context = Answers(s="a", n=None, d=1, x=1, b=True, maybe=None, l=[1, 2])
    source = "x"
    for _ in range(depth):
        source = form.replace("@", source)
    began = time.process_time()

    with contextlib.suppress(CelProblem):
        exact = define(Generator(types).program(checked_tree(source, environment), None), {})
        for evaluate_ in (compile_expression(source, environment).evaluate, exact):
            with contextlib.suppress(CelError):
                evaluate_(context)

    assert time.process_time() - began < DEADLINE
