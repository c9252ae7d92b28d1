"""The one function for bare expressions, and where its language goes beyond CEL."""

import math

import pytest

from orchestrator.language.cel import CelError, CelSyntaxError, Duration, Timestamp, TypeValue, UInt
from orchestrator.language.conditions import evaluate

ANNA = {
    "event": {"price": 72.5, "product": "lumo-1", "tags": ["lamp", "desk"]},
    "profile": {"stage": {"lumo-1": "decide"}, "name": "Zoé  DUPONT"},
    "now": Timestamp.of_ms(1_000_000),
}


def test_a_condition_over_names() -> None:
    assert evaluate('event.price >= 50.0 && profile.stage[event.product] == "decide"', ANNA) is True
    assert evaluate('event.tags.filter(t, t != "desk")', ANNA) == ["lamp"]


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("72 + 0.5", 72.5),
        ("2 * 1.5 - 1", 2.0),
        ("5 / 2.0", 2.5),
        ("1 / 0.0", math.inf),
        ("event.price + 1", 73.5),
        ('duration("7d")', Duration.of_ms(7 * 86_400_000)),
        ('duration("1w2d3h")', Duration.of_ms((9 * 24 + 3) * 3_600_000)),
        ("fold(profile.name)", "zoe dupont"),
        ("fold(' Crème\\tBRÛLÉE ') == fold('creme brulee')", True),
        ("string(1500000.0) + string(0.25) + string(2.0) + string(1e21)", "15000000.2521e+21"),
        ("string(123456789012345678.0)", "123456789012345680"),
    ],
)
def test_additions(source: str, value: object) -> None:
    found = evaluate(source, ANNA)

    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("source", ["1 + 1u", "1u + 1.0", "5 % 2.0", "'a' + 1", "fold(1)", 'duration("7 d")'])
def test_what_the_additions_do_not_add(source: str) -> None:
    with pytest.raises(CelError):
        evaluate(source, ANNA)


def test_a_name_may_have_dots_and_the_longest_wins() -> None:
    assert evaluate("a.b.c", {"a": {"b": {"c": 1}}, "a.b": {"c": 2}}) == 2
    assert evaluate("a.b.c", {"a.b": {"c": 2}, "a.b.c": 3}) == 3
    assert evaluate("[{'b': 1}].exists(a, a.b == 1) && .a.b == 2", {"a.b": 2}) is True


def test_a_name_may_be_a_word_of_python() -> None:
    assert evaluate("class + lambda", {"class": 1, "lambda": 2}) == 3


def test_an_unknown_name_or_function_is_an_error_where_it_is_evaluated() -> None:
    assert evaluate("x || true", {}) is True
    assert evaluate("f(17) || true", {}) is True
    with pytest.raises(CelError, match=r"unknown name `evnt` \(did you mean `event`\?\)"):
        evaluate("evnt.price > 1", ANNA)
    with pytest.raises(CelError, match=r"unknown function `math\.sqroot`"):
        evaluate("math.sqroot(4.0)", ANNA)


def test_what_does_not_parse_is_refused_with_its_place() -> None:
    with pytest.raises(CelSyntaxError) as caught:
        evaluate("event.price >=\n  && true", ANNA)

    assert (caught.value.line, caught.value.column, caught.value.message) == (2, 3, "unexpected `&&`")


def test_values_of_every_kind_go_in_and_out() -> None:
    values = {
        "n": None, "b": True, "i": -1, "u": UInt(7), "d": 1.5, "s": "é", "y": b"\xff", "l": [1, (2, 3)],
        "m": {"a": {1: "x"}}, "t": Timestamp(1), "g": Duration(-1),
    }  # fmt: skip

    for name, value in values.items():
        found = evaluate(name, values)
        assert found is value
    assert evaluate("type(u)", values) == TypeValue("uint")
    assert evaluate("l[1][0] + i", values) == 1
    assert evaluate("m.a[1] + s", values) == "xé"
