"""What the README and the guide show works: their scenarios, their requests, their links."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orchestrator.gateway.events import EventCheck, Ready
from orchestrator.gateway.models import DecideBody
from orchestrator.gateway.release_rules import BundleRules
from orchestrator.gateway.schemas import compile_schema
from orchestrator.rehearsal.folder import load_folder
from orchestrator.stream.topics import load_declarations

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
COMMAND = [sys.executable, "-m", "orchestrator"]


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def requests() -> Iterator[tuple[str, Any]]:
    """The route and the body of every curl that posts."""
    for page in PAGES:
        for block in blocks(page, "sh"):
            for route, body in re.findall(r"curl localhost:8080(/\S+) .*?-d '(.*?)'", block, re.DOTALL):
                yield route, json.loads(body)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=named)
def test_the_scenarios_of_a_page_join_the_shipped_bundle_and_pass_their_tests(page: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "scenarios"
    shutil.copytree(ROOT / "scenarios", bundle)
    written = bundle / "hello" / "page.yaml"
    written.parent.mkdir()
    written.write_text("---\n".join(blocks(page, "yaml")), "utf-8")
    for command in ("lint", "test"):
        done = subprocess.run(  # noqa: S603 - our own command
            [*COMMAND, command, str(written)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert re.match(r"[1-9]\d* passed", done.stdout)


def test_the_requests_of_the_pages_are_taken() -> None:
    bundle = load_folder(ROOT / "scenarios", ROOT / "topics").result.bundle
    assert bundle is not None
    channels = {
        declared.topic.removeprefix("channel."): {
            kind: compile_schema(schema) for kind, schema in declared.events.items()
        }
        for declared in load_declarations(ROOT / "topics")
        if declared.topic.startswith("channel.")
    }
    check = EventCheck(channels, tokens=None)  # type: ignore[arg-type]  # no page shows a token
    found = list(requests())
    assert {route for route, _ in found} == {"/v1/events", "/v1/decide"}
    for route, body in found:
        events = body if isinstance(body, list) else [body]
        if route == "/v1/decide":
            asked = DecideBody.model_validate(body)
            events = [{"channel": asked.channel, **asked.event}] if asked.event else []
            assert set(asked.slots) <= set(bundle.slots)
        for event in events:
            judged = check.check(json.dumps(event).encode(), "default", BundleRules(bundle), now=1_772_439_600_000)
            assert isinstance(judged, Ready), (event, judged)
            assert judged.undeclared == (), event


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_a_page_points_at_is_there(page: Path) -> None:
    targets = [target for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    shown = set(re.findall(r"^(?:\w+=\S+ )*orchestrator ([a-z]+)", "\n".join(blocks(page, "sh")), re.MULTILINE))
    told = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    assert shown <= set(re.findall(r"^  ([a-z]+) ", told, re.MULTILINE))
