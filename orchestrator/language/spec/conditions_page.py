"""The reference page of conditions: names, functions, macros and operators, from what they are declared as. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.cel import DYN
from orchestrator.language.cel.overloads import declared_ways, way
from orchestrator.language.cel.signatures import STANDARD as SIGNATURES
from orchestrator.language.conditions import evaluate
from orchestrator.language.spec import meanings, scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orchestrator.language.cel import Function, Type
    from orchestrator.language.spec.meanings import Told

RECORDS: Final[dict[str, tuple[str, Mapping[str, Type]]]] = {
    "profile": ("`profile`, beside the traits", {**scope.PROFILE, "consent": DYN, "ids": DYN}),
    "event.meta": ("`event.meta`, `entry.meta`", scope.META.fields),
    "ask": ("`ask`", scope.ASK.fields),
    "offer": ("`offer`, one of `profile.offers`", scope.OFFER.fields),
    "thread": ("a conversation: `thread(...)`, `profile.threads`", scope.THREAD.fields),
    "turn": ("a turn of it: `thread(...).last`", scope.TURN.fields),
    "message": ("`message(...)`", scope.MESSAGE.fields),
    "local": ("`local(...)`", scope.LOCAL.fields),
    "place": ("one of `stock_places(...)`", scope.PLACE.fields),
    "basket": ("a trait of the kind `basket`", scope.BASKET.fields),
}
"""Record → what it is, and its fields with their types."""

_INTRO: Final = """\
Conditions and values are [CEL](https://cel.dev). Inside of `{ }` in YAML one with a comma, a bracket, a double quote or
`: ` goes in single quotes: `where: 'event.stars >= 4 && event.sku in ["lumo-1", "lumo-2"]'`. `orchestrator eval` tries
one out; lint knows all names and types, and what is unknown at run time is told in
[moment](moment.md#what-is-unknown).

Types are `bool`, `int`, `double` (a number with decimals), `string`, `timestamp`, `duration`, `list(T)`, `map(K, V)`,
and `dyn`: any. Whole numbers and decimals compare and mix. "or null" means that it may be missing: ask with `has(...)`.
Which properties an event has is declared in the [topic files](README.md#what-is-declared-where).
"""


def conditions_page(generated: str) -> str:
    """The page; `generated` is the remark on top of every generated page."""
    parts = [
        "# Conditions",
        generated,
        _INTRO.strip(),
        "## Names",
        _roots(),
        *(part for name in RECORDS for part in _record(name)),
        "### What a step gives",
        "`steps.ID.outcome` (string) and `steps.ID.at` (timestamp), and beside them:",
        _outputs(),
        "## Functions of the bundle",
        _ours(),
        "## Functions of CEL",
        'A function that stands behind a dot is written there: `event.page.startsWith("/lp")`.',
        _standard(),
        "## Going through lists and maps",
        _table(("macro", "gives", "example", "is"), _valued(meanings.MACROS)),
        "## Operators",
        _table(("operator", "gives", "example", "is"), _valued(meanings.OPERATORS)),
    ]
    return "\n\n".join(parts) + "\n"


def our_functions() -> tuple[Function, ...]:
    """The functions that the context of an evaluation answers."""
    return scope.functions(DYN)


def _roots() -> str:
    rows = [(f"`{name}`", root.where, root.meaning) for name, root in meanings.ROOTS.items()]
    return _table(("name", "where", "what it is"), rows)


def _record(name: str) -> list[str]:
    title, fields = RECORDS[name]
    told = meanings.FIELDS[name]
    rows = [(f"`{field}`", _type_of(name, field, type_), told[field]) for field, type_ in fields.items()]
    return [f"### {title[0].upper()}{title[1:]}", _table(("field", "type", "meaning"), rows)]


def _type_of(record: str, field: str, type_: Type) -> str:
    if record == "profile" and field in {"consent", "ids"}:
        return "map"
    return str(type_)


def _outputs() -> str:
    rows = [
        (f"`{word}`", ", ".join(f"`{name}` ({type_})" for name, type_ in fields.items()))
        for word, fields in scope.STEP_OUTPUTS.items()
    ]
    rows.append(("`wait_until` with `on` or `any`", "`event` (the event that matched, or null)"))
    return _table(("step", "gives"), rows)


def _ours() -> str:
    rows = []
    for function in our_functions():
        told = meanings.FUNCTIONS[function.name]
        calls = "<br>".join(f"`{one}`" for one in declared_ways(function))
        rows.append((calls, str(function.overloads[0].result), told.meaning, f"`{told.example}`"))
    return _table(("call", "gives", "meaning", "example"), rows)


def _standard() -> str:
    rows = []
    for name, signatures in SIGNATURES.items():
        ways = dict.fromkeys(way(name, one.parameters, one.method and not one.plain) for one in signatures)
        told = meanings.STANDARD[name]
        rows.append(
            ("<br>".join(f"`{one}`" for one in ways), told.meaning, f"`{told.example}`", value_of(told.example))
        )
    return _table(("call", "gives", "example", "is"), rows)


def _valued(told: Mapping[str, Told]) -> list[tuple[str, ...]]:
    return [(f"`{name}`", one.meaning, f"`{one.example}`", value_of(one.example)) for name, one in told.items()]


def value_of(example: str) -> str:
    """What an expression without names is, as the page shows it."""
    value: Any = evaluate(example, {})
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _table(titles: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [titles, tuple("---" for _ in titles), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines).replace("| --- ", "|---").replace("|--- |", "|---|")
