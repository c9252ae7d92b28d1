"""One file a fault: `NAME.bad.yaml` beside the text that lint answers, `NAME.golden.txt`.

`UPDATE_GOLDEN=1 pytest tests/language/lint` writes the answers anew; read the difference before you commit it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.language.bundle import EventSchemas, load_bundle
from orchestrator.language.source.codes import CODES
from orchestrator.language.source.rendering import as_text

CASES = Path(__file__).parent / "cases"
BAD = sorted(path.name.removesuffix(".bad.yaml") for path in CASES.glob("*.bad.yaml"))
TEXT = {"type": "string"}
ORDER = {"order": TEXT, "total": {"type": "number"}, "items": {"type": "array", "items": TEXT}, "cart": TEXT}
TOPICS: list[dict[str, Any]] = [
    {
        "topic": "channel.web",
        "events": {
            "order_placed": {"properties": {**ORDER, "first": {"type": "boolean"}}, "required": ["order", "total"]},
            "product_viewed": {"properties": {"sku": TEXT, "device": TEXT}, "required": ["sku"]},
            "cart_item_added": {"properties": {"sku": TEXT, "cart": TEXT}, "required": ["sku"]},
            "quote_requested": {"properties": {"quote": TEXT}},
        },
    },
    {"topic": "channel.email", "events": {"opened": {"properties": {"message": TEXT}}}},
    {"topic": "channel.push", "events": {"opened": {"properties": {"message": TEXT}}}},
    {
        "topic": "channel.stock",
        "events": {"price_changed": {"properties": {"sku": TEXT, "price": {"type": "number"}}, "required": ["sku"]}},
    },
]
OWN = {
    **dict.fromkeys(("w-expires", "w-unused-rules", "e-type-window", "e-field-everything"), b"policy"),
    "e-type-region": b"identity",
}
"""Cases that have the one document of a kind of the bundle."""
SCHEMAS = EventSchemas.from_topics(TOPICS)
GROUND = {
    "_ground.yaml": (CASES / "_ground.yaml").read_bytes(),
    "catalog.csv": b"sku,name,family\nlumo-1,Lumo,air\n",
    "campaigns.yaml": b"spring: {name: spring, key_message: Breathe deep, until: 2026-03-31}\n",
    "hello.liquid": b"Hello",
}


def found_in(case: str) -> tuple[str, set[str]]:
    """What lint says of a case, and the codes in it."""
    bad = f"{case}.bad.yaml"
    before = CASES / f"{case}.before.yaml"
    ground = dict(GROUND)
    if case.startswith("w-unused"):
        ground["_ground.yaml"] = ground["_ground.yaml"].replace(b"accept: [{code: W-UNUSED", b"accept: [{code: W-GAP")
    if case in OWN:
        ground["_ground.yaml"] = re.sub(rb"(?ms)^%s: .*?^---\n" % OWN[case], b"", ground["_ground.yaml"])
    previous = load_bundle({**ground, bad: before.read_bytes()}, SCHEMAS).bundle if before.exists() else None
    assert (previous is None) == (not before.exists()), "the bundle before must be sound"
    result = load_bundle({**ground, bad: (CASES / bad).read_bytes()}, SCHEMAS, previous)
    diagnostics = [one for one in result.diagnostics if one.position.file == bad]
    return as_text(diagnostics, result.lines), {one.code for one in diagnostics}


@pytest.mark.parametrize("case", BAD)
def test_fault_is_answered_with_place_excerpt_and_hint(case: str) -> None:
    golden = CASES / f"{case}.golden.txt"
    said, _ = found_in(case)
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(said)
    assert said == golden.read_text()


@pytest.mark.parametrize("case", BAD)
def test_fault_has_the_code_it_is_named_by_and_no_other(case: str) -> None:
    _, codes = found_in(case)
    (code,) = codes
    assert case.upper().startswith(code)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_case(code: str) -> None:
    assert [case for case in BAD if case.upper().startswith(code)], f"no case shows {code}"


def test_every_code_of_a_case_is_told_in_the_table() -> None:
    assert {code for case in BAD for code in found_in(case)[1]} == set(CODES)


def test_the_ground_itself_has_no_problem() -> None:
    result = load_bundle(GROUND, SCHEMAS)
    assert result.diagnostics == ()
    assert result.bundle is not None
