"""Our checks of events' properties agree with `jsonschema` on generated schemas and values."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from orchestrator.gateway.schemas import compile_schema

NAMES = st.sampled_from(["sku", "qty", "note"])
SCALARS = st.sampled_from([None, True, False, 0, 1, 2, 1.0, 1.5, -1, "", "a", "ab", "é"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
TYPES = st.sampled_from(["string", "integer", "number", "boolean", "object", "array", "null"])
SMALL = st.integers(0, 2)
SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
            "enum": st.lists(VALUES, min_size=1, max_size=3),
            "const": VALUES,
            "minItems": SMALL,
            "maxItems": SMALL,
            "minLength": SMALL,
            "maxLength": SMALL,
            "minimum": SMALL,
            "maximum": SMALL,
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES,
            "properties": st.dictionaries(NAMES, inner, max_size=3),
            "required": st.lists(NAMES, max_size=2, unique=True),
            "additionalProperties": st.booleans(),
            "items": inner,
        },
    ),
    max_leaves=6,
)


def without_nulls(value: Any, schema: Any) -> Any:
    """A declared property that is null counts as absent: the one rule that JSON Schema does not have."""
    if isinstance(value, list):
        return [without_nulls(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    declared = schema.get("properties", {})
    absent = {name for name in (*declared, *schema.get("required", ())) if value.get(name) is None}
    return {name: without_nulls(item, declared.get(name, {})) for name, item in value.items() if name not in absent}


@settings(max_examples=1_000, deadline=None, print_blob=True)
@given(SCHEMAS, VALUES)
@example({"enum": [1], "const": 2}, 1)
@example({"enum": [1]}, 1.0)
@example({"enum": [[1]]}, [True])
@example({"const": {"qty": 1}}, {"qty": True})
def test_a_value_is_refused_where_json_schema_refuses_it(schema: dict[str, Any], value: Any) -> None:
    refused = list(compile_schema(schema)(value, "data"))
    assert bool(refused) != Draft202012Validator(schema).is_valid(without_nulls(value, schema)), refused
