"""Reads a list of steps: `id`, one step word, and the branches that word knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.source.nodes import Mapping, Node, Scalar, Sequence
from orchestrator.language.spec.fields import Element, fields_of
from orchestrator.language.spec.foreign import OUR_WORDS
from orchestrator.language.spec.naming import NAME, not_a_name
from orchestrator.language.spec.reader import INVALID, Reader
from orchestrator.language.spec.reading import Strays, read_element, unknown_field
from orchestrator.language.spec.types import JSON, Type

if TYPE_CHECKING:
    from orchestrator.language.spec.steps import Body, Step


@dataclass(frozen=True)
class Steps(Type):
    """A list of steps."""

    words = "steps"

    def read(self, node: Node, reader: Reader) -> Any:
        if not isinstance(node, Sequence):
            return reader.wrong_type("a list of steps", node, "begin each with `- id: ...`")
        steps = (read_step(item, reader) for item in node.items)
        return tuple(step for step in steps if step is not None)

    def schema(self) -> JSON:
        return {"type": "array", "items": {"$ref": "#/$defs/step"}}

    def empty(self) -> Any:
        return ()


@dataclass(frozen=True, slots=True)
class StepWord:
    """A word that a step may be.

    Attributes:
        word: As written.
        body: The struct of what it is given.
        holds: The field of the struct that the word's value is itself (`split`, `parallel`), or None.
        beside: Fields beside the word that hold branches.
    """

    word: str
    body: type[Element]
    holds: str | None = None
    beside: tuple[str, ...] = ()


def step_words() -> dict[str, StepWord]:
    """Every step word, in the order of the reference."""
    from orchestrator.language.spec import step_words as words  # noqa: PLC0415 - steps hold steps

    return words.STEP_WORDS


def read_step(node: Node, reader: Reader) -> Step | None:
    """A step, or None when it cannot be told which."""
    if not isinstance(node, Mapping):
        reader.wrong_type("a step: `id` and one step word", node)
        return None
    words = step_words()
    found = [(key, value) for key, value in node.entries if key.text in words]
    if len(found) != 1:
        _report_words(node, [key for key, _ in found], reader)
        return None
    key, value = found[0]
    word = words[key.text]
    known = ("id", word.word, *word.beside)
    of_word = {spec.name for spec in fields_of(word.body)} if word.holds is None else set()
    for other, _ in node.entries:
        if other.text not in known:
            elsewhere = f"it belongs into `{word.word}: {{...}}`" if other.text in of_word else None
            unknown_field(node, other, known, reader, elsewhere)
    return _step(node, word, value, reader)


def _report_words(node: Mapping, found: list[Scalar], reader: Reader) -> None:
    words = step_words()
    if found:
        names = " and ".join(f"`{key.text}`" for key in found)
        reader.report("E-FIELD", f"a step has one step word, found {names}", found[1], "make it two steps")
        return
    strange = [key for key, _ in node.entries if key.text not in {"id", "then", "on_timeout", "else"}]
    if not strange:
        listed = "one of " + " ".join(f"`{word}`" for word in words)
        reader.report("E-FIELD", "a step needs a step word", node, listed)
        return
    text = strange[0].text
    hint = did_you_mean(text, words)
    if text in OUR_WORDS:
        hint = f"here that is {OUR_WORDS[text]}"
    reader.report("E-FIELD", f"unknown step word `{text}`", strange[0], hint or "one of " + " ".join(words))


def _step(node: Mapping, word: StepWord, value: Node, reader: Reader) -> Step | None:
    from orchestrator.language.spec.steps import Step  # noqa: PLC0415 - steps hold steps

    body = _body(word, node, value, reader)
    beside = {name: _branch(node, name, reader) for name in word.beside}
    identifier = node.get("id")
    id_text = _identifier(node, identifier, reader)
    if body is INVALID:
        return None
    return Step(
        at=node.at,
        places={key.text: branch.at for key, branch in node.entries},
        id=id_text,
        kind=word.word,
        body=body,
        branches=_branches(body, beside),
        then=beside.get("then", ()),
        on_timeout=beside.get("on_timeout", ()),
        else_=beside.get("else", ()),
        id_at=identifier.at if identifier is not None else node.at,
    )


def _identifier(node: Mapping, identifier: Node | None, reader: Reader) -> str:
    if identifier is None:
        hint = "an id survives edits: reports, tests and `steps.ID` know the step by it"
        reader.report("E-FIELD", "`id` is missing", node.entries[0][0], hint)
        return ""
    if not isinstance(identifier, Scalar):
        reader.wrong_type("a name", identifier)
        return ""
    if not NAME.fullmatch(identifier.text):
        not_a_name(identifier, reader)
        return ""
    return identifier.text


def _body(word: StepWord, node: Mapping, value: Node, reader: Reader) -> Any:
    if word.holds is None:
        inside = dict.fromkeys(word.beside, f"it stands beside `{word.word}`, not in it")
        outside = frozenset(key.text for key, _ in node.entries)
        return read_element(word.body, value, reader, strays=Strays(inside, outside))
    (spec,) = (spec for spec in fields_of(word.body) if spec.name == word.holds)
    read = spec.type.read(value, reader)
    if read is INVALID:
        return INVALID
    return word.body(at=value.at, places={word.holds: value.at}, **{spec.attribute: read})


def _branch(node: Mapping, name: str, reader: Reader) -> tuple[Step, ...]:
    value = node.get(name)
    if value is None:
        return ()
    read = Steps().read(value, reader)
    return () if read is INVALID else read


def _branches(body: Body, beside: dict[str, tuple[Step, ...]]) -> tuple[tuple[str, tuple[Step, ...]], ...]:
    from orchestrator.language.spec import steps as kinds  # noqa: PLC0415 - steps hold steps

    inside: list[tuple[str, tuple[Step, ...]]] = []
    if isinstance(body, kinds.Split):
        inside = [(str(number), case.then) for number, case in enumerate(body.cases, 1)]
    elif isinstance(body, kinds.WaitUntil):
        inside = [(awaited.name, awaited.then) for awaited in body.any]
    elif isinstance(body, kinds.Experiment):
        inside = [(arm.name, arm.then) for arm in body.variants]
    elif isinstance(body, kinds.Parallel):
        inside = [(track.name, track.steps) for track in body.tracks]
    return (*inside, *((name, steps) for name, steps in beside.items() if steps))
