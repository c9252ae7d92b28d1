"""The JSON Schema of topic files: what each keyword refuses, and which schemas cannot be used at all."""

from typing import Any

import pytest

from orchestrator.gateway.schemas import SchemaError, compile_schema


def problems(schema: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    return list(compile_schema(schema)(value, "data"))


@pytest.mark.parametrize(
    ("schema", "good", "bad", "message"),
    [
        ({"type": "string"}, "x", 1, "must be a string, is an integer"),
        ({"type": "integer"}, 1, 1.5, "must be an integer, is a number"),
        ({"type": "integer"}, 2.0, True, "must be an integer, is a boolean"),
        ({"type": "number"}, 1, "1", "must be a number, is a string"),
        ({"type": "number"}, 1.5, True, "must be a number, is a boolean"),
        ({"type": "boolean"}, False, 0, "must be a boolean, is an integer"),
        ({"type": "object"}, {}, [], "must be an object, is a list"),
        ({"type": "array"}, [], {}, "must be an array, is an object"),
        ({"type": ["string", "null"]}, None, 1, "must be a string or null, is an integer"),
        ({"enum": ["a", 1]}, 1, True, "must be one of: a, 1"),
        ({"const": "a"}, "a", "b", "must be one of: a"),
        ({"type": "string", "minLength": 2}, "ab", "a", "must have at least 2 characters"),
        ({"type": "string", "maxLength": 2}, "ab", "abc", "must have at most 2 characters"),
        ({"type": "number", "minimum": 0}, 0, -1, "must be at least 0"),
        ({"type": "number", "maximum": 1}, 1, 1.5, "must be at most 1"),
        ({"type": "array", "minItems": 1}, [1], [], "must have at least 1 items"),
        ({"type": "array", "maxItems": 1}, [1], [1, 2], "must have at most 1 items"),
    ],
)
def test_a_keyword(schema: dict[str, Any], good: Any, bad: Any, message: str) -> None:
    assert problems(schema, good) == []
    assert problems(schema, bad) == [("data", message)]


def test_properties_are_found_at_their_path_and_null_counts_as_absent() -> None:
    schema = {
        "type": "object",
        "required": ["sku"],
        "properties": {
            "sku": {"type": "string"},
            "lines": {"type": "array", "items": {"type": "object", "properties": {"qty": {"type": "integer"}}}},
        },
    }
    assert problems(schema, {"sku": "x", "lines": None, "other": object}) == []
    assert problems(schema, {"sku": None}) == [("data.sku", "is required")]
    assert problems(schema, {"sku": "x", "lines": [{"qty": 1}, {"qty": "2"}]}) == [
        ("data.lines[1].qty", "must be an integer, is a string")
    ]


def test_additional_properties() -> None:
    closed = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    assert problems(closed, {"a": "x"}) == []
    assert problems(closed, {"b": 1, "amy@example.com": 1}) != []
    assert {path for path, _ in problems(closed, {"b": 1, "amy@example.com": 1})} == {"data.b", "data.?"}
    assert problems({**closed, "additionalProperties": True}, {"b": 1}) == []


def test_a_long_enumeration_is_not_recited() -> None:
    [(_, message)] = problems({"enum": [f"value-{number}" for number in range(100)]}, "x")
    assert message == "must be one of: 100 declared values"


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "money"}, "'money' is no JSON type"),
        ({"type": "string", "pattern": "(a+)+$"}, "'pattern' is not checked here"),
        ({"properties": {"a": {"$ref": "#/x"}}}, r"data.a: .*'\$ref'"),
        ({"items": {"oneOf": []}}, r"data\[\]: .*'oneOf'"),
        ({"additionalProperties": {"type": "string"}}, "true or false"),
    ],
)
def test_a_schema_that_would_be_silently_unchecked_is_refused(schema: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        compile_schema(schema)
