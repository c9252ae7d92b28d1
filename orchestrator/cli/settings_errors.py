"""What is wrong with the value of a setting, in words for who set it. Values are never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS: Final = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be shorter than {min_length} characters",
    "string_too_long": "must not be longer than {max_length} characters",
    "missing": "is needed",
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float"), "must be a whole number"),
    **dict.fromkeys(("float_parsing", "float_type"), "must be a number"),
    **dict.fromkeys(("bool_parsing", "bool_type"), "must be true or false"),
    **dict.fromkeys(("string_type", "path_type"), "must be a text"),
    **dict.fromkeys(("tuple_type", "list_type"), 'must be a list, as ["a", "b"]'),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type"),
        "is a section: set what stands in it, each by itself, or give it as a JSON object",
    ),
}
_FORMS: Final = {"^https?://": "must begin with http:// or https://"}


def in_words(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors as a person would say it; its own words where it is of no kind known here."""
    context = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        return _FORMS.get(context["pattern"], f"must have the form {context['pattern']}")
    text = _WORDS.get(error["type"])
    return str(error["msg"]).removeprefix("Value error, ") if text is None else text.format_map(context)
