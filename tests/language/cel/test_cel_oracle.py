"""Generated expressions give the same value, or both an error, in Google's implementation and in ours.

The documented additions are left out here (no int meets a double in arithmetic, no duration in days,
no double is written as text); they have their own tests.
"""

import datetime as dt
import functools
import math
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from cel_expr_python import cel
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelError,
    CelProblem,
    Duration,
    Environment,
    Timestamp,
    TypeValue,
    compile_expression,
    list_of,
    map_of,
    nullable,
    record,
)
from orchestrator.language.cel.compiler import checked_tree, define
from orchestrator.language.cel.generator import Generator
from orchestrator.language.conditions import evaluate

ERROR = "error"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
Texts = st.SearchStrategy[str]

NAMES = {
    "i": INT, "j": INT, "d": DOUBLE, "s": STRING, "b": BOOL, "t": TIMESTAMP, "u": DURATION, "l": list_of(INT),
    "m": map_of(STRING, INT), "w": list_of(STRING), "x": DYN,
}  # fmt: skip
THEIRS = {
    "i": cel.Type.INT, "j": cel.Type.INT, "d": cel.Type.DOUBLE, "s": cel.Type.STRING, "b": cel.Type.BOOL,
    "t": cel.Type.TIMESTAMP, "u": cel.Type.DURATION, "l": cel.Type.LIST, "m": cel.Type.MAP, "w": cel.Type.LIST,
    "x": cel.Type.DYN,
}  # fmt: skip
ORACLE = cel.NewEnv(variables=THEIRS)
TYPED = Environment(NAMES, strict=False)


def any_of(*parts: Any) -> Texts:
    return st.one_of([st.just(part) if isinstance(part, str) else part for part in parts])


def text(template: str, *parts: Texts) -> Texts:
    """Fill `{}` places; every place has its own parentheses, so that precedence is tested apart."""
    return st.tuples(*parts).map(lambda values: template.format(*(f"({value})" for value in values)))


@functools.cache
def integers(depth: int) -> Texts:
    leaf = any_of("0", "1", "-1", "2", "7", "9223372036854775807", "-9223372036854775808", "i", "j", "i", "j")
    if depth == 0:
        return leaf
    inner, op = integers(depth - 1), st.sampled_from("+-*/%")
    return any_of(
        leaf,
        st.tuples(inner, op, inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        text("-{}", inner),
        text("size({})", any_of(strings(depth - 1), lists(depth - 1), "m", "x")),
        text("{} ? {} : {}", bools(depth - 1), inner, inner),
        text("{}[{}]", lists(depth - 1), inner),
        text("m[{}]", strings(depth - 1)),
        any_of("m.a", "m.b", "x.a", "x.b", "x"),
        text("int({})", any_of("s", "w[0]", "'-7'", times(depth - 1), doubles(depth - 1))),
        text("{}.getHours()", any_of(times(depth - 1), spans(depth - 1))),
        text("{}.getDayOfWeek({})", times(depth - 1), any_of("'Europe/Paris'", "'+05:30'", "'UTC'", "s")),
    )


@functools.cache
def doubles(depth: int) -> Texts:
    leaf = any_of("0.0", "-0.0", "1.5", "-2.25", "1e308", "d")
    if depth == 0:
        return leaf
    inner = doubles(depth - 1)
    binary = st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})")
    return any_of(leaf, binary, text("-{}", inner), text("double({})", integers(depth - 1)))


@functools.cache
def strings(depth: int) -> Texts:
    leaf = any_of("''", "'a'", '"b"', "'é😀'", "'12'", "r'\\d'", "s")
    if depth == 0:
        return leaf
    inner = strings(depth - 1)
    return any_of(
        leaf,
        text("{} + {}", inner, inner),
        text("string({})", any_of(integers(depth - 1), bools(depth - 1), times(depth - 1), spans(depth - 1))),
        text("{} ? {} : {}", bools(depth - 1), inner, inner),
        text("w[{}]", integers(depth - 1)),
        "x.s",
    )


@functools.cache
def times(depth: int) -> Texts:
    leaf = any_of("t", "timestamp('2024-02-29T23:59:59.5Z')", "timestamp('0001-01-01T00:00:00Z')", "timestamp(0)")
    if depth == 0:
        return leaf
    return any_of(leaf, text("{} + {}", times(depth - 1), spans(depth - 1)), text("timestamp({})", integers(depth - 1)))


@functools.cache
def spans(depth: int) -> Texts:
    leaf = any_of("u", "duration('1h30m')", "duration('-0.001s')", "duration('300000h')")
    if depth == 0:
        return leaf
    return any_of(
        leaf,
        text("{} - {}", times(depth - 1), times(depth - 1)),
        text("{} + {}", spans(depth - 1), spans(depth - 1)),
        text("duration({})", strings(depth - 1)),
    )


@functools.cache
def lists(depth: int) -> Texts:
    leaf = any_of("[]", "[1, 2, 3]", "l", "[0]")
    if depth == 0:
        return leaf
    inner = lists(depth - 1)
    return any_of(
        leaf,
        text("[{}, {}]", integers(depth - 1), integers(depth - 1)),
        text("{} + {}", inner, inner),
        text("{}.map(e, {} + e)", inner, integers(depth - 1)),
        text("{}.map(e, {}, e)", inner, bools(depth - 1)),
        text("{}.filter(e, e > {})", inner, integers(depth - 1)),
        "x.l",
    )


@functools.cache
def anything(depth: int) -> Texts:
    return any_of(
        integers(depth), doubles(depth), strings(depth), bools(depth), lists(depth), times(depth), spans(depth),
        "null", "x", "x.a", "x.nope", "m", "w",
    )  # fmt: skip


@functools.cache
def bools(depth: int) -> Texts:
    leaf = any_of("true", "false", "b", "has(x.a)", "has(m.zz)", "x.b")
    if depth == 0:
        return leaf
    inner, less = bools(depth - 1), st.sampled_from(["<", "<=", ">", ">=", "==", "!="])

    def compared(one: Texts, other: Texts) -> Texts:
        return st.tuples(one, less, other).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})")

    same: list[Callable[[int], Texts]] = [integers, doubles, strings, times, spans, bools]
    return any_of(
        leaf,
        text("{} && {}", inner, inner),
        text("{} || {}", inner, inner),
        text("!{}", inner),
        *(compared(kind(depth - 1), kind(depth - 1)) for kind in same),
        compared(anything(depth - 1), anything(depth - 1)),
        text("{} in {}", anything(depth - 1), any_of(lists(depth - 1), "m", "w", "x")),
        text("{} in ['a', 'b', '12']", strings(depth - 1)),
        text("{}.all(e, {} / e > {})", lists(depth - 1), integers(depth - 1), integers(depth - 1)),
        text("{}.exists(e, {} / e > {})", lists(depth - 1), integers(depth - 1), integers(depth - 1)),
        text("{}.exists_one(e, e == {})", lists(depth - 1), integers(depth - 1)),
        text("{}.startsWith({})", strings(depth - 1), strings(depth - 1)),
        text("{}.contains({})", strings(depth - 1), strings(depth - 1)),
        text("{}.matches({})", strings(depth - 1), any_of("'^a'", "'[0-9]+'", "'('", strings(depth - 1))),
        text("type({}) == type({})", anything(depth - 1), anything(depth - 1)),
    )


SMALL = st.integers(-9, 9) | st.sampled_from([2**63 - 1, -(2**63), 10**15])
SCALARS = SMALL | st.booleans() | st.none() | st.sampled_from(["", "a", "12", "é"])
CONTEXTS = st.fixed_dictionaries(
    {
        "i": SMALL,
        "j": SMALL,
        "d": st.sampled_from([0.0, 0.5, -3.75, 1e100, math.inf]),
        "s": st.sampled_from(["", "a", "ab", "12", "é😀", "1h", "Europe/Paris"]),
        "b": st.booleans(),
        "t": st.integers(-(10**12), 10**13).map(Timestamp.of_ms),
        "u": st.integers(-(10**12), 10**12).map(Duration.of_ms),
        "l": st.lists(SMALL, max_size=4),
        "w": st.lists(st.sampled_from(["", "a", "b"]), max_size=3),
        "m": st.dictionaries(st.sampled_from(["a", "b", ""]), SMALL, max_size=3),
        "x": st.dictionaries(st.sampled_from(["a", "b", "s", "l"]), SCALARS | st.lists(SCALARS, max_size=3)) | SCALARS,
    },
)


def plain(value: Any) -> Any:
    """Either side's value as something to compare: types apart, times in microseconds, all not-a-numbers alike."""
    if isinstance(value, Timestamp):
        return EPOCH + dt.timedelta(microseconds=value.ns // 1000)
    if isinstance(value, Duration):
        return dt.timedelta(microseconds=math.trunc(value.ns / 1000))
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, TypeValue | cel.Type):
        return "a type"
    if isinstance(value, float) and math.isnan(value):
        return "not a number"
    return value if isinstance(value, dt.datetime | dt.timedelta) else (type(value).__name__, value)


def their_answer(source: str, names: dict[str, Any]) -> Any:
    try:
        value = ORACLE.compile(source, disable_check=True).eval(data={k: _theirs(v) for k, v in names.items()})
    except Exception:  # noqa: BLE001 - the library has no error type of its own
        return ERROR
    return ERROR if value.type() == cel.Type.ERROR else plain(value.plain_value())


def _theirs(value: Any) -> Any:
    if isinstance(value, Timestamp):
        return plain(value)
    return plain(value) if isinstance(value, Duration) else value


def our_answer(call: Callable[[], Any]) -> Any:
    try:
        return plain(call())
    except (CelError, CelProblem):
        return ERROR


def exactly(source: str) -> Callable[[Any], Any]:
    return define(Generator(NAMES).program(checked_tree(source, TYPED), None), {})


_BEYOND_DOUBLES = str(2**63 - 1)
_A_DOUBLE = re.compile(r"\bd\b|\bdouble\(|\d\.\d|\de\d")


def compares_beyond_doubles(source: str, names: dict[str, Any]) -> bool:
    """Whether an int that no double is may meet a double: the oracle then compares what the int is rounded to."""
    return _BEYOND_DOUBLES in f"{source} {names}" and _A_DOUBLE.search(source) is not None


@pytest.mark.parametrize(
    "source",
    [
        "9223372036854775807 < 9223372036854775808.0",
        "9007199254740993 > 9007199254740992.0",
        "9007199254740993 != 9007199254740992.0",
        "!(9007199254740993 in [9007199254740992.0])",
        "-9223372036854775808 == -9223372036854775808.0",
    ],
)
def test_ints_and_doubles_stand_on_one_number_line(source: str) -> None:
    """The specification compares them as numbers, whatever their types; Google's rounds the int, and says otherwise."""
    assert evaluate(source, {}) is True
    assert compile_expression(source, TYPED).evaluate(SimpleNamespace()) is True
    assert exactly(source)(SimpleNamespace()) is True


@settings(max_examples=600, deadline=None, print_blob=True)
@given(source=anything(3), names=CONTEXTS)
def test_same_as_the_oracle(source: str, names: dict[str, Any]) -> None:
    assume(not compares_beyond_doubles(source, names))
    theirs = their_answer(source, names)

    untyped = our_answer(lambda: evaluate(source, names))
    typed = our_answer(lambda: compile_expression(source, TYPED).evaluate(SimpleNamespace(**names)))
    exact = our_answer(lambda: exactly(source)(SimpleNamespace(**names)))

    assert untyped == theirs, "names of unknown type"
    assert typed == theirs, "names of declared types"
    assert exact == theirs, "without the fast path"


@settings(max_examples=300, deadline=None, print_blob=True)
@given(
    operands=st.lists(any_of("1 / i > 0", "i > 0", "b", "j == 0", "x.a == 1", "true", "false"), min_size=2, max_size=7),
    operators=st.lists(st.sampled_from(["&&", "||", "==", "!="]), min_size=6, max_size=6),
    names=CONTEXTS,
)
def test_precedence_and_absorbed_errors(operands: list[str], operators: list[str], names: dict[str, Any]) -> None:
    source = operands[0] + "".join(f" {op} {one}" for op, one in zip(operators, operands[1:], strict=False))

    assert our_answer(lambda: evaluate(source, names)) == their_answer(source, names)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(
    numbers=st.lists(st.sampled_from(["i", "j", "2", "-3", "--j", "7"]), min_size=2, max_size=12),
    operators=st.lists(st.sampled_from("+-*/%"), min_size=11, max_size=11),
    names=CONTEXTS,
)
def test_arithmetic_chains(numbers: list[str], operators: list[str], names: dict[str, Any]) -> None:
    source = numbers[0] + "".join(f" {op} {one}" for op, one in zip(operators, numbers[1:], strict=False))

    assert our_answer(lambda: evaluate(source, names)) == their_answer(source, names)
    typed = compile_expression(source, TYPED)
    assert our_answer(lambda: typed.evaluate(SimpleNamespace(**names))) == their_answer(source, names)


EVENT = record("event", {"n": nullable(INT), "s": nullable(STRING), "b": nullable(BOOL), "t": nullable(TIMESTAMP)})


@pytest.mark.parametrize("place", ["n", "s", "b", "t"])
@settings(max_examples=150, deadline=None, print_blob=True)
@given(
    template=st.sampled_from(
        ["{} == {o}", "{} != {o}", "{} < {o}", "{o} >= {}", "{} in [{o}]", "{} == null", "{} != null", "!{}",
         "{} && b", "b || {}", "{} + {o}", "size({}) > 0", "{}.startsWith('a')", "[{}, {o}] == [{o}, null]",
         "{} ? 1 : 2", "has(event.s) || {} == {o}", "string({}) == ''", "t - {} < u", "l[{}] == 1", "-{} < 0"],
    ),
    other=st.sampled_from(["1", "'a'", "true", "t", "u", "x", "i", "s"]),
    names=CONTEXTS,
)  # fmt: skip
def test_an_absent_property_is_null_in_every_place(
    place: str, template: str, other: str, names: dict[str, Any]
) -> None:
    """A declared property that is absent acts as CEL's null would in its place."""
    environment = Environment({**NAMES, "event": EVENT}, strict=False)
    declared = compile_expression(template.format(f"event.{place}", o=other), environment)
    spelled_out = template.format("null", o=other).replace("has(event.s)", "false")

    found = our_answer(lambda: declared.evaluate(SimpleNamespace(**names, event={})))

    assert found == their_answer(spelled_out, names)
