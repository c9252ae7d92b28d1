"""The canonical layout: what it looks like, and what it never touches."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from orchestrator.language.formatting import format_file, printing
from orchestrator.language.source import read_documents
from orchestrator.language.spec.types import plain_data

CASES = Path(__file__).parent / "cases"
SHIPPED = [path.read_bytes() for path in sorted(Path("scenarios").rglob("*.yaml"))]


def formatted(text: str | bytes) -> str:
    result = format_file("a.yaml", text.encode() if isinstance(text, str) else text)
    assert result.data is not None, (result.diagnostics, result.refusal)
    return result.data.decode()


@pytest.mark.parametrize("case", sorted(path.name.removesuffix(".before.yaml") for path in CASES.glob("*.before.yaml")))
def test_golden_layouts(case: str) -> None:
    out = formatted((CASES / f"{case}.before.yaml").read_bytes())
    golden = CASES / f"{case}.after.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(out)
    assert out == golden.read_text()
    assert formatted(out) == out


def test_keys_follow_the_field_specification_and_free_keys_their_author() -> None:
    out = formatted("scenario: a\nsteps: []\nlabels: {b: 1, a: 2}\nentry: {where: 'true', on: x}\nversion: 2\n")
    assert out == "scenario: a\nversion: 2\nlabels: {b: 1, a: 2}\nentry: {on: x, where: 'true'}\nsteps: []\n"


def test_rows_of_a_fact_keep_their_order() -> None:
    assert formatted("b: {qty: 1, key: 2}\na: {key: 1,qty: 2}\n") == "b: {qty: 1, key: 2}\na: {key: 1, qty: 2}\n"


def test_brackets_stay_as_long_as_their_line_is_not_too_long() -> None:
    word = "x" * (printing.WIDTH - len("labels: {a: , b: y}"))
    fits = f"scenario: a\nlabels: {{a: {word}, b: y}}\n"
    assert formatted(fits) == fits
    assert formatted(fits.replace("b: y", "b: yy")) == f"scenario: a\nlabels:\n  a: {word}\n  b: yy\n"


def test_a_block_stays_a_block_however_short() -> None:
    text = "scenario: a\nentry:\n  on: x\n"
    assert formatted(text) == text


def test_line_breaks_of_other_systems_and_a_byte_order_mark_go() -> None:
    assert formatted(b"\xef\xbb\xbfscenario:  a\r\nversion: 1\r\n") == "scenario: a\nversion: 1\n"


def test_nothing_stays_nothing_and_comments_alone_stay() -> None:
    assert formatted("") == ""
    assert formatted("\n\n") == ""
    assert formatted("\n# only this\n\n\n# and that\n") == "# only this\n\n# and that\n"


def test_a_file_that_is_no_yaml_is_refused_with_its_diagnostic() -> None:
    result = format_file("a.yaml", b"scenario: a\nscenario: b\n")
    assert result.data is None
    assert [(one.code, str(one.position)) for one in result.diagnostics] == [("E-YAML", "a.yaml:2:1")]


def test_a_key_over_several_lines_is_refused() -> None:
    assert format_file("a.yaml", b"? |-\n  a\n  b\n: 1\n").refusal == "a key goes over several lines"


def test_a_layout_that_would_change_the_meaning_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(_: object) -> str:
        return "scenario: b\n"

    monkeypatch.setattr("orchestrator.language.formatting.format.print_sheets", damaged)
    assert format_file("a.yaml", b"scenario: a\n").refusal == "formatting would change what line 1 means"
    assert format_file("a.yaml", b"scenario: b # why\n").refusal == "formatting would lose a comment"
    assert format_file("a.yaml", b"a: 1\n---\nb: 2\n").refusal == "formatting would change the number of its documents"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_comments_and_blank_lines_anywhere_in_the_shipped_bundle_survive(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(SHIPPED), label="file").decode()
    seed = data.draw(st.integers(0, 2**32), label="seed")
    text, comments = _sprinkled(source, random.Random(seed))
    assume(not read_documents("a.yaml", text.encode())[1])
    out = formatted(text)
    assert formatted(out) == out
    for comment in comments:
        assert out.count(comment) == 1


def _sprinkled(text: str, draw: random.Random) -> tuple[str, list[str]]:
    """A text with comments at the ends of some lines and between some, and with blank lines."""
    lines: list[str] = []
    comments: list[str] = []
    for line in text.splitlines():
        kind = draw.random()
        comment = f"# note {len(comments)}."
        if kind < 0.02:
            lines += [" " * draw.randrange(10) + comment, line]
        elif kind < 0.04 and line and line != "---":
            lines.append(f"{line} {comment}")
        elif kind < 0.06 and ", " in line:
            before, _, after = line.partition(", ")
            lines += [f"{before}, {comment}", " " * (len(line) - len(line.lstrip()) + 4) + after]
        elif kind < 0.08:
            lines += ["", "", line]
        else:
            lines.append(line)
        if comment in lines[-1] or (len(lines) > 1 and comment in lines[-2]):
            comments.append(comment)
    return "\n".join(lines) + "\n", comments


_words = st.text(st.sampled_from(" ab#:-,{}[]'\"\\\n\té"), max_size=12)
_keys = st.text(st.sampled_from(" ab#:-,{}[]'\"\\té"), max_size=12)
_trees = st.recursive(
    st.one_of(_words, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_keys, inner, max_size=3)),
    max_leaves=8,
)


@given(
    tree=st.lists(_trees, min_size=1, max_size=3),
    flow=st.sampled_from([True, False, None]),
    style=st.sampled_from([None, "'", '"', "|", ">"]),
    indent=st.integers(2, 6),
    width=st.integers(10, 90),
)
@settings(max_examples=400, deadline=None)
def test_any_yaml_means_the_same_afterwards(
    tree: list[object], flow: bool | None, style: str | None, indent: int, width: int
) -> None:
    text = yaml.safe_dump_all(
        tree, default_flow_style=flow, default_style=style, indent=indent, width=width, allow_unicode=True
    )
    documents, found = read_documents("a.yaml", text.encode())
    assume(not found)
    assume(format_file("a.yaml", text.encode()).refusal != "a key goes over several lines")
    out = formatted(text)
    after, found = read_documents("a.yaml", out.encode())
    assert not found
    assert [plain_data(one.root) for one in after] == [plain_data(one.root) for one in documents]
    assert formatted(out) == out
