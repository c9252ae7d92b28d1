"""test, lint, eval, explain, replay, kpi, diff and schema, as a marketer meets them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest

from orchestrator.cli import main

if TYPE_CHECKING:
    from pathlib import Path

BUNDLE = """bundle: small
zone: Europe/Paris
---
channels: all
define:
  email: {sends: push, address: email}
  web: {sends: pull}
---
identity: default
namespaces: {email: unique, anonymous_id: shared}
---
events: all
define:
  page_viewed: {channel: [web]}
  order_placed: {channel: [web]}
---
policy: contact
preferred_order: [email]
---
content: em.hello
class: service
variants: {email: {subject: Hello, body: Hello}}
---
content: ct.welcome
variants: {web: {title: Welcome}}
---
slot: web.top
default: none
candidates: [{when: 'live("hello")', content: ct.welcome}, {when: "true", content: em.hello}]
---
scenario: hello
entry: {on: page_viewed, where: 'event.page == "/x"'}
goal: {on: order_placed}
steps:
  - {id: wait, delay: {for: 1h}}
  - {id: mail, send: {content: em.hello}}
"""
TESTS = """test: a visitor is greeted after an hour
start: 2026-03-02T08:15:00+01:00
customers: {amy: {ids: {email: amy@example.com}}}
events:
  - {at: 0s, customer: amy, channel: web, on: page_viewed, with: {page: /x}}
expect:
  - {at: 1h, customer: amy, sent: em.hello}
---
test: a visitor of another page is not
start: 2026-03-02T08:15:00+01:00
customers: {amy: {ids: {email: amy@example.com}}}
events:
  - {at: 0s, customer: amy, channel: web, on: page_viewed, with: {page: /y}}
exactly: []
"""
FAILING = """test: it is sent at once
start: 2026-03-02T08:15:00+01:00
customers: {amy: {ids: {email: amy@example.com}}}
events:
  - {at: 0s, customer: amy, channel: web, on: page_viewed, with: {page: /x}}
expect:
  - {at: 1m, customer: amy, sent: em.hello}
until: 2h
"""


class Told(NamedTuple):
    code: int
    out: str
    err: str


class Orchestrator(Protocol):
    def __call__(self, *arguments: object) -> Told: ...


@pytest.fixture
def orchestrator(capsys: pytest.CaptureFixture[str]) -> Orchestrator:
    def run(*arguments: object) -> Told:
        with pytest.raises(SystemExit) as ended:
            main.app([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        return Told(int(ended.value.code or 0), shown.out, shown.err)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bundle = tmp_path / "bundle"
    (bundle / "web").mkdir(parents=True)
    (bundle / "all.yaml").write_text(BUNDLE)
    (bundle / "web" / "hello_test.yaml").write_text(TESTS)
    return bundle


@pytest.fixture
def events(tmp_path: Path) -> Path:
    lines = [
        {"id": f"e{n}", "source": "s", "type": "page_viewed", "channel": "web", "time": f"2026-03-02T{8 + n:02}:00:00Z",
         "data": {"email": f"u{n % 2}@example.com", "page": "/x"}}
        for n in range(4)
    ]  # fmt: skip
    record = {
        "topic": "channel.web",
        "timestamp": 1772452800000,
        "value": json.dumps({**lines[0], "id": "e9", "time": "2026-03-02T12:00:00Z"}),
    }
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in [*reversed(lines), record]) + "\nnot an event\n")
    return path


def test_tests_that_hold_exit_with_0_and_say_how_many(orchestrator: Orchestrator, folder: Path) -> None:
    told = orchestrator("test", folder)
    assert (told.code, told.err) == (0, "")
    assert told.out.startswith("2 passed")


def test_a_failing_test_exits_with_1_and_points_at_its_line(orchestrator: Orchestrator, folder: Path) -> None:
    (folder / "web" / "late_test.yaml").write_text(FAILING)
    told = orchestrator("test", folder)
    assert told.code == 1
    assert f"{folder}/web/late_test.yaml:7:5: amy: sent em.hello" in told.out
    assert "instead: em.hello was sent by email to amy@example.com at 1h" in told.out
    assert "2 passed, 1 failed" in told.out


def test_one_file_or_one_name_can_be_run_alone(orchestrator: Orchestrator, folder: Path) -> None:
    (folder / "web" / "late_test.yaml").write_text(FAILING)
    assert orchestrator("test", folder / "web" / "hello_test.yaml").out.startswith("2 passed")
    assert orchestrator("test", folder, "--run", "another page").out.startswith("1 passed")
    none = orchestrator("test", folder, "--run", "nothing like it")
    assert (none.code, none.out) == (2, "")
    assert "there is no test whose name `nothing like it` finds" in none.err
    assert "no regular expression" in orchestrator("test", folder, "--run", "(").err


def test_a_broken_bundle_exits_with_2_and_shows_what_is_wrong(orchestrator: Orchestrator, folder: Path) -> None:
    (folder / "more.yaml").write_text(
        "scenario: x\nentry: {on: page_viewed}\nsteps: [{id: a, sned: {content: em.hello}}]\n"
    )
    told = orchestrator("test", folder)
    assert told.code == 2
    assert "more.yaml:3:" in told.err


def test_coverage_and_junit(orchestrator: Orchestrator, folder: Path, tmp_path: Path) -> None:
    told = orchestrator("test", folder, "--coverage", "--junit", tmp_path / "junit.xml")
    assert "2 of 2 steps and branches reached." in told.out
    assert 'tests="2" failures="0"' in (tmp_path / "junit.xml").read_text()
    partly = orchestrator("test", folder, "--run", "another page", "--coverage", "--fail-under", "50")
    assert (partly.code, partly.err) == (1, "Less than 50% of the steps and branches are reached.\n")
    assert f"{folder}/all.yaml:36:10  hello: mail" in partly.out
    assert orchestrator("test", folder, "--coverage", "--fail-under", "100").code == 0


@pytest.mark.parametrize(
    ("format_", "sign"), [("text", "E-"), ("json", '"code"'), ("github", "::error "), ("sarif", '"runs"')]
)
def test_lint_shows_errors_in_every_format(orchestrator: Orchestrator, folder: Path, format_: str, sign: str) -> None:
    assert orchestrator("lint", folder).code == 0
    (folder / "more.yaml").write_text(
        "scenario: x\nentry: {on: page_vewed}\nsteps: [{id: a, send: {content: em.helo}}]\n"
    )
    told = orchestrator("lint", folder, "--format", format_)
    assert told.code == 1
    assert sign in told.out
    assert "2 errors" in (told.out if format_ == "text" else told.err)
    if format_ in {"json", "sarif"}:
        json.loads(told.out)
    assert orchestrator("lint", folder / "web").code == 0


def test_eval_gives_json_and_says_why_there_is_no_value(orchestrator: Orchestrator, tmp_path: Path) -> None:
    names = tmp_path / "names.json"
    names.write_text('{"cart": {"total": 80.5}, "tags": ["a"]}')
    assert orchestrator("eval", 'cart.total > 50.0 && "a" in tags', "--with", names) == (0, "true\n", "")
    assert orchestrator("eval", "cart.size", "--with", names).code == 1
    broken = orchestrator("eval", "cart.total >", "--with", names)
    assert broken.code == 2
    assert "^" in broken.err
    assert "must hold one object" in orchestrator("eval", "1", "--with", _written(tmp_path, "[1]")).err
    assert "is not JSON" in orchestrator("eval", "1", "--with", _written(tmp_path, "{")).err


def _written(folder: Path, text: str) -> Path:
    path = folder / "written.json"
    path.write_text(text)
    return path


def test_explain_says_what_matched_what_did_not_and_what_comes_next(orchestrator: Orchestrator, folder: Path) -> None:
    told = orchestrator("explain", "amy", "--bundle", folder, "--test", "greeted", "--at", "30m").out
    assert "entered hello" in told
    assert "Mon 2026-03-02 09:15:00  wait goes on" in told
    assert "▶ wait  delay 1h" in told
    assert "○ mail  send em.hello" in told
    other = orchestrator("explain", "amy", "--bundle", folder, "--test", "another page").out
    assert 'not entered hello: `event.page == "/x"` is false (event.page is "/y")' in other


OTHERS = """scenario: a_later
entry: {on: order_placed, re_entry: never}
steps: [{id: wait, delay: {for: 1h}}]
---
scenario: b_each
entry: {on: page_viewed, each: '[event.page].filter(page, page != "/x")', where: 'item == "/red"'}
steps: [{id: over, end: {}}]
---
scenario: c_other
entry: {on: page_viewed, where: 'event.page == "/z"'}
steps: [{id: over, end: {}}]
"""
OTHERS_TEST = """test: three looks
start: 2026-03-02T08:15:00+01:00
customers: {amy: {ids: {email: amy@example.com}}}
events:
  - {at: 0s, customer: amy, channel: web, on: page_viewed, with: {page: /x}}
  - {at: 1m, customer: amy, channel: web, on: page_viewed, with: {page: /y}}
until: 30m
"""


def test_explain_begins_with_what_is_under_way_and_ends_with_what_has_nothing_to_do_with_it(
    orchestrator: Orchestrator, folder: Path
) -> None:
    (folder / "others.yaml").write_text(OTHERS)
    (folder / "others_test.yaml").write_text(OTHERS_TEST)
    told = orchestrator("explain", "amy", "--bundle", folder, "--test", "three looks").out
    blocks = [block.partition("\n")[0] for block in told.split("\n\n")[1:]]
    assert blocks == ["hello", "b_each", "c_other", "nothing happened in"]
    assert told.endswith("nothing happened in\n  a_later  it starts on order_placed\n")


def test_explain_says_which_elements_did_not_enter_and_that_there_were_none(
    orchestrator: Orchestrator, folder: Path
) -> None:
    (folder / "others.yaml").write_text(OTHERS)
    (folder / "others_test.yaml").write_text(OTHERS_TEST)
    told = orchestrator("explain", "amy", "--bundle", folder, "--test", "three looks", "--scenario", "b_each").out
    assert 'not entered b_each: `[event.page].filter(page, page != "/x")` is empty (event.page is "/x")' in told
    assert 'not entered b_each: `item == "/red"` is false (item is "/y")' in told


def test_explain_says_what_a_slot_shows_and_why_not_the_rest(orchestrator: Orchestrator, folder: Path) -> None:
    told = orchestrator("explain", "amy", "--bundle", folder, "--test", "greeted", "--at", "30m", "--slot", "web.top")
    assert "slot web.top shows ct.welcome\n  not em.hello: no variant for web\n" in told.out
    later = orchestrator("explain", "amy", "--bundle", folder, "--test", "greeted", "--slot", "web.top").out
    assert "slot web.top shows nothing (fallback)" in later
    assert """not ct.welcome: when: `live("hello")` is false (live('hello') is false)""" in later
    unknown = orchestrator("explain", "amy", "--bundle", folder, "--test", "greeted", "--slot", "web.tip")
    assert (unknown.code, unknown.err) == (2, "error: the bundle has no slot web.tip; there are web.top\n")


def test_explain_as_json_and_as_a_graph(orchestrator: Orchestrator, folder: Path) -> None:
    plain = json.loads(orchestrator("explain", "amy", "--bundle", folder, "--test", "greeted", "--format", "json").out)
    (account,) = plain["scenarios"]
    assert (plain["node"], account["reached"]) == (
        "email:amy@example.com",
        ["mail", "mail.sent", "wait", "wait.passed"],
    )
    assert account["messages"][0]["detail"]["to"] == "amy@example.com"
    graph = orchestrator("explain", "amy", "--bundle", folder, "--test", "greeted", "--format", "mermaid").out
    assert graph.startswith("flowchart TD\n")
    assert "class s0,s1 reached" in graph


def test_explain_reads_recorded_events(orchestrator: Orchestrator, folder: Path, events: Path) -> None:
    told = orchestrator("explain", "email:u0@example.com", "--bundle", folder, "--events", events, "--moments")
    assert told.code == 0
    assert told.out.count("sent em.hello by email to u0@example.com") == 2 * 2  # as a moment, and as a message
    assert "u1@example.com" not in told.out
    nobody = orchestrator("explain", "email:who@example.com", "--bundle", folder, "--events", events)
    assert nobody.out == "Nothing is known of this customer by then.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("amy",), "say what to play"),
        (("amy", "--test", "greeted", "--since", "1d"), "say what to play"),
        (("amy", "--test", "greeted", "--keep", "a.jsonl"), "say what to play"),
        (("amy", "--test", "visitor"), "finds 2 tests"),
        (("eva", "--test", "greeted"), "the test has no customer eva; there are amy"),
        (("amy", "--test", "greeted", "--scenario", "hallo"), "no scenario hallo; there are hello"),
        (("amy", "--test", "greeted", "--at", "noon"), "write a duration such as 1h30m"),
    ],
)
def test_explain_says_what_to_write(
    orchestrator: Orchestrator, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    told = orchestrator("explain", *arguments, "--bundle", folder)
    assert told.code == 2
    assert message in told.err


def test_replay_compares_a_candidate_with_the_live_bundle(
    orchestrator: Orchestrator, folder: Path, events: Path, tmp_path: Path
) -> None:
    candidate = tmp_path / "candidate"
    candidate.mkdir()
    (candidate / "all.yaml").write_text(
        BUNDLE.replace("for: 1h", "for: 45m").replace('"/x"', '"/x" && event.email != "u1@example.com"')
    )
    command = ("replay", candidate, "--against", folder, "--events", events, "--for", "1d")
    told = orchestrator(*command)
    assert told.code == 0
    assert "line 6: " in told.err
    assert "5 events: 5 actions under the live bundle, 3 under the candidate." in told.out
    assert "hello: 2 removed, 3 moved" in told.out
    assert "sent em.hello by email, 15m earlier" in told.out
    assert orchestrator(*command).out == told.out
    assert orchestrator(*command, "--exit-code").code == 1
    assert len(json.loads(orchestrator(*command, "--format", "json").out)["differences"]) == 5
    same = orchestrator("replay", folder, "--against", folder, "--events", events)
    assert "No action differs." in same.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say which events: --events FILE, or --since TIME"),
        (("--events", "a.jsonl", "--since", "1d"), "say which events: --events FILE, or --since TIME"),
        (("--events", "a.jsonl"), "a.jsonl: cannot be read: No such file or directory"),
        (("--events", "a.jsonl", "--keep", "b.jsonl"), "--since TIME with --until and --keep"),
        (("--since", "yesterday"), "--since yesterday: write a duration such as 1h30m, or a time such as 2026-"),
        (("--since", "2026-03-02T08:15:00"), "say in which zone, such as 2026-03-02T08:15:00Z"),
        (("--since", "1d", "--until", "2d"), "--since 1d is not before --until 2d"),
        (("--since", "1d", "--bootstrap", "127.0.0.1:1"), "cannot use Kafka"),
        (("--since", "1d", "--keep", "/nowhere/b.jsonl"), "/nowhere/b.jsonl: cannot be written: No such file"),
    ],
)
def test_replay_says_what_to_write(
    orchestrator: Orchestrator, folder: Path, arguments: tuple[str, ...], message: str
) -> None:
    told = orchestrator("replay", folder, "--against", folder, *arguments)
    assert told.code == 2
    assert message in told.err


FIGURES = """kpi: greeted
of: {count: persons, on: order_placed, within: 7d}
over: {count: persons, on: contact_sent}
by: [channels_reached]
versus: "1"
---
kpi: took
of: {time: {from: contact_sent, to: order_placed}}
percentiles: [50]
"""


def recording(lines: list[dict[str, Any]]) -> str:
    """A file of events from the website."""
    events = ({"id": str(n), "source": "shop", "channel": "web", **one} for n, one in enumerate(lines))
    return "".join(json.dumps(event) + "\n" for event in events)


def test_kpi_counts_the_figures_of_a_bundle(orchestrator: Orchestrator, folder: Path, tmp_path: Path) -> None:
    (folder / "kpis.yaml").write_text(FIGURES)
    events = tmp_path / "some.jsonl"
    lines = [
        {"type": "page_viewed", "time": "2026-03-02T08:00:00Z", "data": {"email": "amy@example.com", "page": "/x"}},
        {"type": "page_viewed", "time": "2026-03-02T08:00:01Z", "data": {"email": "ben@example.com", "page": "/x"}},
        {"type": "page_viewed", "time": "2026-03-02T08:00:02Z", "data": {"page": "/x"}},
        {"type": "order_placed", "time": "2026-03-02T11:00:00Z", "data": {"email": "amy@example.com"}},
    ]
    events.write_text(recording(lines))
    found = orchestrator("kpi", folder, "--events", events)
    assert found.code == 0
    assert "greeted" in found.out
    assert ["1", "1", "2", "50.00%"] in [line.split() for line in found.out.splitlines()]
    assert ["1", "2h", "2h"] in [line.split() for line in found.out.splitlines()]
    assert "Counted over 4 events. 1 of them could not be taken in" in " ".join(found.out.split())

    one = json.loads(orchestrator("kpi", folder, "--events", events, "--only", "greeted", "--format", "json").out)
    assert one["figures"] == [
        {"kpi": "greeted", "kind": "share", "by": ["channels_reached"],
         "rows": [{"group": ["1"], "of": 1.0, "over": 2.0, "value": 0.5}]}
    ]  # fmt: skip
    later = json.loads(
        orchestrator(
            "kpi", folder, "--events", events, "--counted-since", "2026-03-02T10:00:00Z", "--format", "json"
        ).out
    )
    assert [figure["rows"] for figure in later["figures"]] == [[], []]


def test_kpi_says_what_to_write(orchestrator: Orchestrator, folder: Path, events: Path) -> None:
    none = orchestrator("kpi", folder, "--events", events)
    assert (none.code, "declares no figure: write a `kpi` document" in none.err) == (2, True)
    (folder / "kpis.yaml").write_text(FIGURES)
    other = orchestrator("kpi", folder, "--events", events, "--only", "greted")
    assert (other.code, "declares no figure greted; it declares greeted, took" in other.err) == (2, True)
    bad = orchestrator("kpi", folder, "--events", events, "--counted-since", "lately")
    assert (bad.code, "--counted-since lately: write a duration" in bad.err) == (2, True)


MORE_CONTENTS = """
content: em.idle
class: service
variants: {email: {subject: Idle, body: Idle}}
---
content: ct.first
stage: [discover]
variants: {web: {title: First}, email: {subject: First, body: First}}
---
content: ct.then
stage: [decide]
kind: card
variants: {web: {title: Then}}
---
slot: web.side
default: none
candidates:
  - {from: content, where: 'item.kind == "card" && profile.known'}
  - {content: {is: '"ct." + ask.which'}}
---
scenario: later
entry: {on: page_viewed, where: 'event.page == "/y"'}
goal: {on: order_placed}
steps:
  - {id: card, show: {slots: [web.side], content: ct.first}}
"""


def test_contents_says_who_uses_what_and_where_there_is_nothing(orchestrator: Orchestrator, folder: Path) -> None:
    (folder / "more.yaml").write_text(MORE_CONTENTS)
    told = orchestrator("contents", folder)
    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    assert told.code == 0
    assert lines[lines.index("em.hello service email hello") + 1] == "slot web.top"
    assert lines[lines.index("ct.first marketing web email later discover") + 1] == "slot web.side?"
    assert "em.idle service email nothing" in lines
    assert "5 contents, 1 of them used by nothing." in lines
    assert lines[lines.index("contents by stage") + 1 :] == [
        "stage email web", "discover 1 1", "decide - 1", "any stage 2 1",
    ]  # fmt: skip
    idle = orchestrator("contents", folder, "--unused").out
    assert "em.idle" in idle
    assert "em.hello" not in idle


def test_contents_says_how_often_each_was_said(orchestrator: Orchestrator, folder: Path, tmp_path: Path) -> None:
    (folder / "more.yaml").write_text(MORE_CONTENTS)
    events = tmp_path / "some.jsonl"
    lines = [
        {"type": "page_viewed", "time": "2026-03-02T08:00:00Z", "data": {"email": "amy@example.com", "page": "/x"}},
        {"type": "page_viewed", "time": "2026-03-02T09:30:00Z", "data": {"email": "ben@example.com", "page": "/"}},
    ]
    events.write_text(recording(lines))
    found = json.loads(orchestrator("contents", folder, "--events", events, "--format", "json").out)
    said = {one["content"]: (one["sent"], one["placed"]) for one in found["contents"]}
    assert said == {"ct.first": (0, 0), "ct.then": (0, 0), "ct.welcome": (0, 0), "em.hello": (1, 0), "em.idle": (0, 0)}
    never = orchestrator("contents", folder, "--events", events, "--unused").out
    counted = "5 contents, 1 of them used by nothing; 1 that scenarios use and nobody was to get."
    assert counted in " ".join(never.split())
    assert "ct.first" in never
    assert "em.hello" not in never


def test_diff_tells_bundles_apart_in_words(orchestrator: Orchestrator, folder: Path, tmp_path: Path) -> None:
    assert orchestrator("diff", folder, folder).out == "They mean the same.\n"
    other = tmp_path / "other"
    other.mkdir()
    (other / "moved.yaml").write_text(BUNDLE.replace("for: 1h", "for: 45m"))
    told = orchestrator("diff", folder, other, "--exit-code")
    assert told.code == 1
    assert "scenario hello: wait delay for: 1h -> 45m" in told.out


def test_schema_is_json_schema_with_every_kind_of_document(orchestrator: Orchestrator, tmp_path: Path) -> None:
    assert orchestrator("schema", "--output", tmp_path / "editor" / "schema.json").code == 0
    schema = json.loads((tmp_path / "editor" / "schema.json").read_text())
    assert {"scenario", "content", "test"} <= schema["$defs"].keys()
