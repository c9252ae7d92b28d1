"""The pages about conditions and values tell all there is, and their examples hold."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.language.bundle.scopes import Scopes
from orchestrator.language.cel import DYN, Environment, compile_expression, record
from orchestrator.language.cel.macros import _KINDS as MACROS
from orchestrator.language.cel.signatures import STANDARD
from orchestrator.language.source import read_documents
from orchestrator.language.spec import meanings, scope
from orchestrator.language.spec.conditions_page import RECORDS, our_functions
from orchestrator.language.spec.documents import KINDS
from orchestrator.language.spec.fields import Element, fields_of
from orchestrator.language.spec.reader import Reader
from orchestrator.language.spec.step_words import STEP_WORDS
from orchestrator.language.spec.values_page import WRITTEN

EVERY_PLACE = """
events: all
define: {seen: {channel: web, derive: {page: '"x"'}}, bought: {channel: web}}
---
channels: all
define: {web: {sends: pull}, email: {sends: push, address: email}}
---
traits: all
define:
  of_page: {per: event.page, last: now, on: seen}
  tags: {each: event.tags, set: item, on: seen}
  twice: {per: key_of(of_page), compute: key}
---
facts: price
key: event.sku
set: {price: event.price}
---
scenario: story
entry:
  within: 1d
  sequence: [{as: looked, on: seen}, {as: had, on: bought, where: looked.page == "x"}]
goal: {on: bought, where: entry.looked.page == event.page}
steps:
  - {id: mark, set: {vars: {a: "1"}}}
  - {id: wait, wait_until: {when: steps.mark.outcome == "done" && vars.a == 1, timeout: 1d}}
---
content: hello
suits: entry.page == "x"
variants: {web: {title: Hello}}
---
slot: hero
default: none
candidates: [{from: content, where: ask.known && item.kind == "x"}]
---
offer: ten
when: offer.state == "none"
redeemed: [{on: bought}]
"""


def test_every_name_that_is_in_scope_anywhere_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    found: set[str] = set()
    real = Scopes.roots

    def noted(self: Scopes, adds: tuple[str, ...]) -> Any:
        roots = real(self, adds)
        found.update(roots)
        return roots

    monkeypatch.setattr(Scopes, "roots", noted)
    load_bundle({"all.yaml": EVERY_PLACE.encode()}, EventSchemas.from_topics([]))
    assert found - {"looked", "had"} == set(meanings.ROOTS)


def test_every_field_of_what_is_always_known_is_told() -> None:
    assert set(RECORDS) == set(meanings.FIELDS)
    for name, (_, fields) in RECORDS.items():
        assert set(fields) == set(meanings.FIELDS[name]), name
    results = {overload.result for function in our_functions() for overload in function.overloads}
    plain = {one.parameters[0] if one.kind == "list" else one for one in results}
    assert {one.name for one in plain if one.kind == "record"} - {"event"} <= set(RECORDS)


def test_every_function_and_macro_is_told() -> None:
    assert {function.name for function in our_functions()} == set(meanings.FUNCTIONS)
    assert set(meanings.STANDARD) == set(STANDARD)
    assert set(meanings.MACROS) == {*(name for name in MACROS if name != "existsOne"), "has", "cel.bind"}


def test_the_arguments_of_our_functions_have_names() -> None:
    for function in our_functions():
        assert len(function.names) == max(len(overload.parameters) for overload in function.overloads), function.name


@pytest.mark.parametrize("name", sorted(meanings.FUNCTIONS))
def test_the_example_of_a_function_compiles(name: str) -> None:
    roots = {"now": scope.META.fields["time"], "event": scope.ANY_EVENT, "profile": record("profile", {}, open=True)}
    example = meanings.FUNCTIONS[name].example
    assert f"{name}(" in example
    assert compile_expression(example, Environment({**roots, "facts": DYN}, our_functions())).calls


@pytest.mark.parametrize("one", [one for one in WRITTEN if one.type is not None], ids=lambda one: one.word)
def test_the_examples_of_a_way_to_write_are_read(one: Any) -> None:
    assert one.examples
    for example in one.examples:
        (document,), problems = read_documents("a.yaml", f"given: {example}\n".encode())
        reader = Reader()
        node: Any = document.root
        one.type.read(node.entries[0][1], reader)
        assert [*problems, *reader.diagnostics] == [], example


def test_every_type_of_the_tables_is_told() -> None:
    told = {one.word for one in WRITTEN} | {"cel", "data"}
    of_themselves = {"event id", "reason", "address", "key", "is", "variant", "RE2 pattern with one group", "map"}
    for words in _all_types():
        rest = re.sub(r"^(?:list of |map [^→]+→ )+", "", words)
        rest = re.sub(r"`[^`]*`", "", rest)
        rest = re.sub(r"\bname of an? .*|\bnames of .*|\bnames$", "name", rest)
        rest = re.sub(r",? or (?:list)?(?: of)?\s*$|^\s*or list$", "", rest).strip(" ,")
        rest = re.sub(r"^cel → \w+$", "cel → bool", re.sub(r"^\d+–\d+$", "0–100", rest))  # noqa: RUF001
        assert rest in told | of_themselves | {""}, words


def _all_types() -> set[str]:
    found: set[str] = set()
    known: list[Any] = []
    waiting: list[Any] = [*KINDS.values(), *(word.body for word in STEP_WORDS.values())]
    while waiting:
        one = waiting.pop()
        if isinstance(one, type) and issubclass(one, Element):
            if one not in known:
                known.append(one)
                found.update(spec.type.words for spec in fields_of(one))
                waiting.extend(spec.type for spec in fields_of(one))
        elif dataclasses.is_dataclass(one):
            waiting.extend(getattr(one, field.name) for field in dataclasses.fields(one))
    return found
