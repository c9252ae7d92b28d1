"""A JSON body as a model, or every problem that it has."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from orchestrator.gateway.json_input import NotJsonError, bounds_problems, decode_json, field_path
from orchestrator.gateway.refusals import Problem, malformed

Model = TypeVar("Model", bound=BaseModel)


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
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise malformed([Problem(location(one["loc"]), one["msg"]) for one in found]) from None


def location(parts: tuple[int | str, ...]) -> str:
    """A field's place from the body's top, such as `items[0].price`."""
    path = ""
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else field_path(path, part)
    return path
