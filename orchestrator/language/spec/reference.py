"""The reference pages of the language, as Markdown, from the field specification. Pure: path to text."""

from __future__ import annotations

import dataclasses
import typing
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.source.codes import CODES
from orchestrator.language.spec.conditions_page import conditions_page
from orchestrator.language.spec.documents import KINDS
from orchestrator.language.spec.fields import Element, FieldSpec, fields_of
from orchestrator.language.spec.foreign import OUR_WORDS
from orchestrator.language.spec.not_run import EVENTS_NOT_RUN, STEPS_NOT_RUN
from orchestrator.language.spec.scope import ENGINE_EVENTS, STEP_OUTPUTS
from orchestrator.language.spec.step_words import ACTING, WAITING
from orchestrator.language.spec.types import Type
from orchestrator.language.spec.values_page import values_page

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.language.spec.step_list import StepWord

RULES: Final = {
    "moment": "one event through one customer, step by step",
    "time": "when timers act, what arrives late, waits, silences, sequences, schedules",
    "sending": "the gates that a message passes, in order, and what each refuses",
    "showing": "what a slot shows: candidates, what `show` places, in which order, for how long",
    "offering": "what an offer promises: who has it, at which terms, for how long, and what closes it",
    "brand": "stories of the brand: what begins them, where they live, what they may do",
    "releases": "what a new version means to whom is under way",
}
"""Pages written by hand, which stand beside the generated ones: name → what it tells."""

_HEADER: Final = "| field | type | default | meaning |\n|---|---|---|---|\n"
_GENERATED: Final = (
    "\n\n<!-- Generated from the field specification in orchestrator/language/spec: change it there. -->\n"
)
_DECLARED: Final = """\
- **Events** are named in [`events`](events.md): which there are, and from which channels they come.
- **Their properties** are declared in the topic files, `topics/channel.NAME.yaml` (`--topics-dir`), as JSON Schema:
  what producers must send. Lint and conditions take names and types from there; a property under `required` is always
  there, any other may be missing. Of an event without a schema everything may be asked for, and nothing is checked.
- **Channels, identifiers, traits, facts, segments, contents** are declared in documents of the bundle.
- **Events the engine makes** (`contact_sent`, `exited`, `task_closed` ...) are always there: [steps](steps.md).\
"""


def reference_pages() -> dict[str, str]:
    """File name → Markdown: one page a kind of document, the steps, and the words of other tools."""
    pages = {f"{kind}.md": _page(kind, cls) for kind, cls in KINDS.items()}
    pages["steps.md"] = _steps_page()
    pages["values.md"] = values_page(_GENERATED.strip())
    pages["conditions.md"] = conditions_page(_GENERATED.strip())
    pages["words.md"] = _words_page()
    pages["checks.md"] = _checks_page()
    pages["README.md"] = _contents()
    return pages


def _contents() -> str:
    lines = [f"- [`{kind}`]({kind}.md): {summary(cls)}" for kind, cls in KINDS.items()]
    more = [
        "- [steps](steps.md): every step word",
        "- [values](values.md): how values are written: durations, percents, times, names, texts",
        "- [conditions](conditions.md): the names, functions and operators that a condition may use",
        "- [words](words.md): the words of other tools, and ours",
        "- [checks](checks.md): what lint finds, by code",
    ]
    rules = [f"- [{name}]({name}.md): {what}" for name, what in RULES.items()]
    fields = "\n".join([*lines, *more])
    parts = [
        "# The documents of a bundle",
        _GENERATED.strip(),
        fields,
        "## What is declared where",
        _DECLARED,
        "## How they play together",
        "\n".join(rules),
    ]
    return "\n\n".join(parts) + "\n"


def _checks_page() -> str:
    rows = [f"| `{code}` | {what} |" for code, what in CODES.items()]
    intro = (
        "What `orchestrator lint` finds. An `E-...` refuses the bundle, and the live one stays. A `W-...` is shown; it "
        "refuses the bundle where that says `strict: true`, and is silent where it is accepted with a reason."
    )
    head = f"# Checks\n\n{_GENERATED.strip()}\n\n{intro}\n\n| code | found |\n|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _page(kind: str, cls: type[Element]) -> str:
    parts = [f"# {kind}", _GENERATED.strip(), docstring(cls), table(cls)]
    for part in _parts(cls):
        parts += [f"## {_heading(part)}", docstring(part), table(part)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _steps_page() -> str:
    parts = ["# Steps", _GENERATED.strip(), "A step is `id`, one step word, and the branches that word knows."]
    for title, words in (("Waiting", WAITING), ("Acting", ACTING)):
        parts.append(f"## {title}")
        for word in words:
            parts += _step(word)
    parts += ["## Events the engine makes", _engine_events()]
    return "\n\n".join(part for part in parts if part) + "\n"


def _step(word: StepWord) -> Iterator[str]:
    yield f"### {word.word}"
    yield docstring(word.body)
    yield _refused(word.word, STEPS_NOT_RUN)
    yield table(word.body)
    if word.beside:
        yield "Beside it: " + ", ".join(f"`{name}` (steps)" for name in word.beside) + "."
    outputs = ["outcome", "at", *STEP_OUTPUTS.get(word.word, {})]
    if word.word == "wait_until":
        outputs.append("event")
    yield "Gives `steps.ID` with " + ", ".join(f"`{name}`" for name in outputs) + "."
    for part in _parts(word.body):
        yield f"**{_heading(part)}.** {docstring(part)}"
        yield table(part)


def _engine_events() -> str:
    rows = [
        f"| `{name}`{' (E-NOT-RUN)' if name in EVENTS_NOT_RUN else ''} | {', '.join(f'`{one}`' for one in fields)} |"
        for name, fields in ENGINE_EVENTS.items()
    ]
    return "| event | properties |\n|---|---|\n" + "\n".join(rows)


def _words_page() -> str:
    rows = [f"| `{word}` | {ours} |" for word, ours in OUR_WORDS.items()]
    header = "| word | here |\n|---|---|\n"
    return "# Words of other tools" + _GENERATED + "\n" + header + "\n".join(rows) + "\n"


def _refused(word: str, instead: Mapping[str, str]) -> str:
    """A note on what lint refuses; empty for what this release runs."""
    if word not in instead:
        return ""
    return f"**This release does not run `{word}`**: lint refuses it (E-NOT-RUN). Instead: {instead[word]}."


def table(cls: type[Element]) -> str:
    """The fields of an element, and below them what must hold between them."""
    rows = "\n".join(_row(spec) for spec in fields_of(cls))
    rules = " ".join(rule.words() for rule in cls.constraints)
    return _HEADER + rows + (f"\n\n{rules}" if rules else "")


def _row(spec: FieldSpec) -> str:
    cells = (f"`{spec.name}`", spec.type.words, _default(spec), spec.meaning)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(spec: FieldSpec) -> str:
    literal = spec.default not in {"–", "none"} and " " not in spec.default  # noqa: RUF001 - as in the tables
    return f"`{spec.default}`" if literal and "`" not in spec.default else spec.default


def docstring(cls: type[Any]) -> str:
    """An element's explanation: its docstring without the lists of attributes."""
    text = (cls.__doc__ or "").partition("\n\n    Attributes:")[0].partition("\n    Attributes:")[0]
    return " ".join(line.strip() for line in text.strip().splitlines() if line.strip())


def summary(cls: type[Any]) -> str:
    return docstring(cls).partition(". ")[0].rstrip(".") + "."


def _heading(cls: type[Any]) -> str:
    """The name of a part in words: `QuietHours` is "quiet hours"."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in cls.__name__).strip()


def _parts(cls: type[Element]) -> list[type[Element]]:
    """The parts that the fields of an element hold, in order, each once, with their own parts; steps excepted."""
    found: list[type[Element]] = []
    for spec in fields_of(cls):
        for part in _held(spec.type):
            for one in (part, *_parts(part)):
                if one not in found:
                    found.append(one)
    return found


def _held(type_: Type) -> list[type[Element]]:
    held: list[type[Element]] = []
    for field in dataclasses.fields(typing.cast("Any", type_)):
        value = getattr(type_, field.name)
        if isinstance(value, type) and issubclass(value, Element):
            held.append(value)
        elif isinstance(value, Type):
            held.extend(_held(value))
    return held
