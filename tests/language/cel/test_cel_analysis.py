"""What is known of an expression without evaluating it: reads, calls, equalities, constants."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.language.cel import (
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UNKNOWN,
    CelError,
    Duration,
    Environment,
    Expression,
    Function,
    Overload,
    compile_expression,
    list_of,
    map_of,
    record,
)

ENVIRONMENT = Environment(
    {"event": DYN, "first": DYN, "profile": map_of(STRING, DYN), "now": TIMESTAMP, "a.b": DYN},
    [
        Function("catalog", (Overload((STRING,), DYN),)),
        Function("count", (Overload((STRING, DURATION), INT), Overload((STRING, STRING), INT))),
        Function("intent", (Overload((STRING, list_of(STRING)), STRING),)),
    ],
)


def compiled(source: str) -> Expression:
    return compile_expression(source, ENVIRONMENT)


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("event.price >= 50.0 && now > event.meta.time", {"event.price", "now", "event.meta.time"}),
        ('profile["cart"].total', {"profile.cart.total"}),
        ("profile.stage[event.product]", {"profile.stage", "event.product"}),
        ("profile.lines[0].sku", {"profile.lines"}),
        ("has(event.campaign)", {"event.campaign"}),
        ("catalog(event.sku).family", {"event.sku"}),
        ("profile.lines.exists(l, l.sku == event.sku)", {"profile.lines", "event.sku"}),
        ("[{'sku': 1}].exists(event, event.sku == 1) || first.x", {"first.x"}),
        ("profile.lines.map(event, event.qty)", {"profile.lines"}),
        ("cel.bind(x, event.a, x.b + event.c)", {"event.a", "event.c"}),
        ("event", {"event"}),
        ("a.b.c + a.b.d", {"a.b|c", "a.b|d"}),
        ("1 + 2 == 3 || type(1) == int", set()),
    ],
)
def test_reads(source: str, reads: set[str]) -> None:
    expected = {tuple(path.split("|")) if "|" in path else tuple(path.split(".")) for path in reads}

    assert compiled(source).reads == expected


def test_calls_have_literal_arguments_as_values() -> None:
    expression = compiled('count("order", duration("7d")) + count(event.kind, "1h") > size(catalog("a" + "b").x)')

    week = Duration.of_ms(7 * 86_400_000)
    assert [(call.name, call.args) for call in expression.calls] == [
        ("count", ("order", week)),
        ("count", (UNKNOWN, "1h")),
        ("catalog", (UNKNOWN,)),
    ]


def test_calls_know_their_places() -> None:
    source = 'intent(event.text, ["yes", "no"]) == "yes"'
    (call,) = compiled(source).calls

    assert call.args == (UNKNOWN, ["yes", "no"])
    assert [source[at : at + length] for at, length in call.places] == ["event.text", '["yes", "no"]']
    assert source[call.offset :].startswith("intent")


@pytest.mark.parametrize(
    ("source", "equalities"),
    [
        ('event.stage == "decide"', [("event.stage", {"decide"})]),
        ('"decide" == event.stage', [("event.stage", {"decide"})]),
        ('event.kind in ["a", "b"] && event.n == 3 && true', [("event.kind", {"a", "b"}), ("event.n", {3})]),
        ("(event.a == 1 && event.b == 2) && event.c > 3", [("event.a", {1}), ("event.b", {2})]),
        ('event.a == "x" || event.b == "y"', []),
        ('!(event.a == "x")', []),
        ('event.a != "x"', []),
        ("event.a == null", []),
        ("event.a == event.b", []),
        ("event.a in event.b", []),
        ('event.a == "x" == true', []),
        ('event.list[0] == "x"', []),
        ("[1].all(event, event == 2)", []),
        ("event.a in []", [("event.a", set())]),
    ],
)
def test_equalities(source: str, equalities: list[tuple[str, set[Any]]]) -> None:
    expected = tuple((tuple(path.split(".")), frozenset(literals)) for path, literals in equalities)

    assert compiled(source).equalities == expected


PARTS = st.sampled_from(
    [
        "event.a == 1",
        "event.b in ['x', 'y']",
        "event.a in [1, 2u, 3.0]",
        "true == event.c",
        "event.b != 'x'",
        "event.c",
    ],
)


@settings(max_examples=300, deadline=None, print_blob=True)
@given(
    parts=st.lists(PARTS, min_size=1, max_size=4),
    operators=st.lists(st.sampled_from(["&&", "&&", "||"]), min_size=3, max_size=3),
    event=st.dictionaries(st.sampled_from("abc"), st.sampled_from([0, 1, 1.0, 2, 3, True, False, "x", "y", "z", None])),
)
def test_an_index_by_equalities_skips_only_what_cannot_match(
    parts: list[str], operators: list[str], event: dict[str, Any],
) -> None:  # fmt: skip
    source = parts[0] + "".join(f" {op} {part}" for op, part in zip(operators, parts[1:], strict=False))
    expression = compiled(source)
    skipped = any(event.get(path[1]) not in literals for path, literals in expression.equalities)

    try:
        matches = expression.evaluate(SimpleNamespace(event=event)) is True
    except CelError:
        matches = False

    assert not (skipped and matches)


@pytest.mark.parametrize(
    ("source", "constant"),
    [
        ("true", (True, True)),
        ("1 + 2 * 3", (True, 7)),
        ('duration("1h")', (True, Duration.of_ms(3_600_000))),
        ("[1, 2].map(x, x + 1)", (True, [2, 3])),
        ("1 / 0", None),
        ("event.a || true", None),
        ('count("a", "1h")', None),
        ("now", None),
    ],
)
def test_constants(source: str, constant: tuple[bool, Any] | None) -> None:
    assert compiled(source).constant == constant


def test_the_same_text_is_one_expression() -> None:
    assert compiled("event.a == 1") is compiled("event.a == 1")
    assert compiled("event.a == 1") is not compile_expression("event.a == 1", ENVIRONMENT, DOUBLE if False else DYN)


def test_equal_code_is_shared_between_environments() -> None:
    one = Environment({"event": record("event", {"a": INT, "b": INT})})
    other = Environment({"event": record("event", {"a": INT}), "now": TIMESTAMP})

    first, second = (compile_expression("event.a == 1", environment) for environment in (one, other))

    assert first.evaluate is second.evaluate
