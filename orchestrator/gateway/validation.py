"""A JSON body as a model, or every problem that it has, in the words that problems of events have."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from orchestrator.gateway.json_input import NotJsonError, bounds_problems, decode_json, field_path
from orchestrator.gateway.refusals import Problem, malformed
from orchestrator.language.source.nearest import nearest

Model = TypeVar("Model", bound=BaseModel)

_WORDS: Final = {
    "missing": "is required",
    "extra_forbidden": "is not known",
    "string_type": "must be a string",
    "list_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be an integer",
    "int_parsing": "must be an integer",
    "int_from_float": "must be an integer",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
}
"""Kind of fault -> what is said of it. Limits are the model's own; what was sent is never quoted."""


def validated(model: type[Model], raw: bytes) -> Model:
    """The model of a body.

    Raises:
        Malformed: with everything that is wrong with it.
    """
    try:
        value = decode_json(raw)
    except NotJsonError as error:
        raise malformed([Problem("", str(error))]) from None
    problems = [Problem(path, message) for path, message in bounds_problems(value)]
    if problems:
        raise malformed(problems)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        raise malformed([Problem(location(one["loc"]), message_of(one, model)) for one in found]) from None


def message_of(fault: Mapping[str, Any], model: type[BaseModel] | None = None) -> str:
    """A fault in plain words; with the field that was perhaps meant, where one is not known."""
    words = _WORDS.get(fault["type"])
    if words is None:
        return str(fault["msg"])
    said = words.format_map(fault.get("ctx", {}))
    near = None
    if model is not None and fault["type"] == "extra_forbidden":
        near = nearest(str(fault["loc"][-1]), model.model_fields)
    return f"{said}; did you mean {near!r}?" if near is not None else said


def location(parts: tuple[int | str, ...]) -> str:
    """A field's place from the body's top, such as `items[0].price`."""
    path = ""
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else field_path(path, part)
    return path
