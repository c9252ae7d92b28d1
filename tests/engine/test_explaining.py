"""Why a condition was not true: its parts, what each gave, and what they read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.engine.explaining import explained, explained_list
from orchestrator.language.cel import (
    DYN,
    INT,
    STRING,
    CelError,
    Environment,
    compile_expression,
    map_of,
    nullable,
    record,
)
from orchestrator.language.spec.scope import functions

ENVIRONMENT = Environment({"event": DYN, "profile": DYN}, functions(DYN))


class Scope(SimpleNamespace):
    def stock(self, sku: str) -> int:
        return {"x1": 3}.get(sku, 0)

    def last(self, type_: str) -> Any:
        raise CelError(f"there was no {type_}")


SCOPE = Scope(event={"price": 40, "sku": "x1", "tags": ["a"]}, profile={"cart": {"total": 20.0}, "views": 2})


def explain(source: str) -> dict[str, Any]:
    return explained(compile_expression(source, ENVIRONMENT), SCOPE)  # type: ignore[arg-type]


def test_only_the_parts_that_are_not_true_are_named_with_what_they_read() -> None:
    assert explain("event.price > 10 && profile.cart.total >= 50.0 && profile.views == 2") == {
        "condition": "event.price > 10 && profile.cart.total >= 50.0 && profile.views == 2",
        "parts": {"profile.cart.total >= 50.0": "false"},
        "values": {"profile.cart.total": 20.0},
    }


@pytest.mark.parametrize(
    ("source", "part", "said", "values"),
    [
        ('stock("x1") > 5', 'stock("x1") > 5', "false", {"stock('x1')": 3}),
        ("event.lost == 1", "event.lost == 1", "unknown: no such key: `event.lost`", {"event.lost": None}),
        ('last("order").price > 1', 'last("order").price > 1', "unknown: there was no order", {"last('order')": None}),
        ("(event.price > 50 || false) && true", "event.price > 50 || false", "false", {"event.price": 40}),
        ('event.sku in ["x2", "x3"]', 'event.sku in ["x2", "x3"]', "false", {"event.sku": "x1"}),
    ],
)  # fmt: skip
def test_what_a_part_gave(source: str, part: str, said: str, values: dict[str, Any]) -> None:
    found = explain(source)
    assert found["parts"] == {part: said}
    assert found["values"] == values


def test_what_is_null_where_it_is_declared_is_not_there_for_the_explanation_either() -> None:
    row = record("catalog", {"name": STRING, "life": nullable(INT)}, open=False)
    environment = Environment({"facts": record("facts", {"catalog": map_of(STRING, row)}, open=False)}, functions(row))
    scope = Scope(facts={"catalog": {"x1": {"name": "X", "life": None}}})
    condition = compile_expression('"x1" in facts.catalog && has(facts.catalog["x1"].life)', environment)
    assert condition.evaluate(scope) is False
    assert explained(condition, scope)["parts"] == {'has(facts.catalog["x1"].life)': "false"}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "said", "values"),
    [
        ('event.tags.filter(tag, tag != "a")', "empty", {}),
        ("event.lost", "unknown: no such key: `event.lost`", {"event.lost": None}),
    ],
)
def test_why_a_list_has_no_element(source: str, said: str, values: dict[str, Any]) -> None:
    found = explained_list(compile_expression(source, ENVIRONMENT), SCOPE)  # type: ignore[arg-type]
    assert found == {"condition": source, "parts": {source: said}, "values": values}


def test_without_a_condition_there_is_nothing_to_explain() -> None:
    assert explained(None, SCOPE) == {}  # type: ignore[arg-type]
