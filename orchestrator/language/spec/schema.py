"""JSON Schema of bundle files, for editors: completion, hover texts, red underlines while typing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.spec.documents import KINDS
from orchestrator.language.spec.fields import fields_of
from orchestrator.language.spec.not_run import STEPS_NOT_RUN
from orchestrator.language.spec.parts import part_schema
from orchestrator.language.spec.step_list import Steps, StepWord, step_words

if TYPE_CHECKING:
    from orchestrator.language.spec.types import JSON

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_ROWS: Final = "rows"


def bundle_schema() -> JSON:
    """The schema of one document of a bundle file: the first key says which kind.

    It knows what this release runs: an editor offers no word that lint refuses.
    """
    kinds = dict(KINDS)
    steps = [word for word in step_words().values() if word.word not in STEPS_NOT_RUN]
    return {
        "$schema": _DIALECT,
        "title": "A document of a scenario bundle",
        "anyOf": [{"$ref": f"#/$defs/{kind}"} for kind in (*kinds, _ROWS)],
        "$defs": {
            **{kind: {**part_schema(cls), "description": _summary(cls)} for kind, cls in kinds.items()},
            "step": {"anyOf": [_step(word) for word in steps]},
            _ROWS: _rows(),
        },
    }


def _rows() -> JSON:
    """A file that `facts` name stands in the same folder: no row of it is a problem, nor taken for a document."""
    row = {"type": "object"}
    by_key = {"type": "object", "propertyNames": {"not": {"enum": list(KINDS)}}, "additionalProperties": row}
    listed = {"type": "array", "items": row}
    return {"description": "rows of a fact: a map by key, or a list", "anyOf": [by_key, listed]}


def _step(word: StepWord) -> JSON:
    """One step word with its id and the branches beside it."""
    branches = {name: {**Steps().schema(), "description": "a branch"} for name in word.beside}
    return {
        "type": "object",
        "description": _summary(word.body),
        "properties": {"id": {"type": "string", "description": "survives edits"}, word.word: _body(word), **branches},
        "required": ["id", word.word],
        "additionalProperties": False,
    }


def _body(word: StepWord) -> JSON:
    if word.holds is None:
        return part_schema(word.body)
    (held,) = (spec for spec in fields_of(word.body) if spec.name == word.holds)
    return {**held.type.schema(), "description": held.meaning}


def _summary(cls: type[Any]) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]
