"""Who says what in a bundle: names as written, names made at run time, and contents that are chosen from all."""

import pytest

from orchestrator.language.bundle import load_bundle
from orchestrator.language.bundle.inventory import Use, grid, inventory
from tests.language.lint.test_lint_cases import GROUND, SCHEMAS

CONTENTS = """
content: ct.lumo.detail
kind: card
variants: {web: {title: Lumo}}
---
content: ct.lumo.overview
kind: card
variants: {web: {title: Lumo}}
---
content: ct.other
variants: {web: {title: Other}}
---
"""


def uses(document: str, content: str) -> list[Use]:
    """Who says a content, beside the ground that all cases stand on."""
    loaded = load_bundle({**GROUND, "it.yaml": (CONTENTS + document).encode()}, SCHEMAS)
    assert loaded.bundle is not None, [str(one) for one in loaded.diagnostics]
    return next(list(item.uses) for item in inventory(loaded.bundle) if item.content.content == content)


def scenario(step: str) -> str:
    return f"scenario: s\nentry: {{on: order_placed}}\nsteps:\n  - {{id: it, {step}}}\n"


def slot(candidate: str, default: str = "none") -> str:
    return f"slot: top\nalso: [other.top]\ncandidates: [{candidate}]\ndefault: {default}\n"


def test_steps_that_send_or_show_it() -> None:
    assert uses(scenario("send: {content: em.receipt, channel: email}"), "em.receipt") == [Use("scenario", "s", "it")]
    shown = scenario("show: {slots: [top], content: ct.other}") + "---\n" + slot("")
    assert uses(shown, "ct.other") == [Use("scenario", "s", "it")]


def test_a_slot_under_two_names_is_one() -> None:
    assert uses(slot("{content: ct.other}", "ct.other"), "ct.other") == [
        Use("slot", "top", "candidate 1"),
        Use("slot", "top", "default"),
    ]


def test_what_takes_the_place_of_another() -> None:
    swap = "content: ct.swapped\ninstead: ct.other\nvariants: {web: {title: Swapped}}\n"
    assert uses(swap, "ct.other") == [Use("content", "ct.swapped", "instead")]


@pytest.mark.parametrize(
    ("content", "may"), [("ct.lumo.detail", True), ("ct.lumo.overview", False), ("ct.other", False)]
)
def test_a_name_that_is_made_at_run_time_begins_and_ends_as_its_expression(content: str, *, may: bool) -> None:
    made = slot("""{content: {is: '"ct." + ask.line + ".detail"'}}""")
    assert uses(made, content) == ([Use("slot", "top", "candidate 1", certain=False)] if may else [])


@pytest.mark.parametrize(("content", "may"), [("ct.lumo.detail", True), ("ct.other", False)])
def test_of_all_contents_those_that_are_not_out_of_the_question(content: str, *, may: bool) -> None:
    chosen = slot("""{from: content, where: 'item.kind == "card" && profile.known'}""")
    assert uses(chosen, content) == ([Use("slot", "top", "candidate 1", certain=False)] if may else [])


def test_without_stages_there_is_no_grid() -> None:
    loaded = load_bundle({**GROUND, "it.yaml": CONTENTS.encode()}, SCHEMAS)
    assert loaded.bundle is not None
    assert grid(inventory(loaded.bundle)) == {}
