"""The demo itself: played whole as anybody would, and what it says when something is not as it should be."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from demo import stage as staging
from demo.acts import tell
from demo.checks import BrokenOffError, Checks, Seen
from demo.people import AMY, BEN
from demo.stage import Stage, StageError
from demo.timeline import Timeline
from demo.watch import Watch

ROOT = Path(__file__).parents[2]


def left_of(folder: Path) -> list[str]:
    """Processes that still mention a folder in their command line."""
    lines = (" ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(folder) in line]


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Expectations that do not hold are given up soon."""
    monkeypatch.setattr("demo.checks.WITHIN", 0.05)


@pytest.mark.e2e
@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_the_whole_story_holds_and_every_process_ends(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "demo", "--folder", str(folder), "--pace", "0"],
        cwd=ROOT, capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    [(held, of)] = re.findall(r"(\d+) of (\d+) expectations held", done.stdout)
    assert held == of
    assert int(of) > 50
    assert "✗" not in done.stdout
    mails = sorted(path.name.split("-")[1] for path in (folder / "mailbox").iterdir())
    assert mails == [*["amy@example.com"] * 6, "ben@example.com", "eva@example.com", "gus@example.com"]
    assert left_of(folder) == []


@pytest.mark.e2e
@pytest.mark.kafka
@pytest.mark.timeout(300)
async def test_a_bundle_that_cannot_be_published_is_told_and_nothing_is_left_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "demo_files", lambda *_: {"s.yaml": b"scenario: s\nentry: {on: nothing_known}\n"})
    told: list[str] = []
    with pytest.raises(StageError, match="was not published") as refused:
        async with Stage(tmp_path / "demo", 25, told.append):
            pytest.fail("the stage must not open on a bundle with errors")
    assert str(tmp_path / "demo" / "orchestrator.log") in str(refused.value)
    assert told[-1] == "Ending every process"
    assert left_of(tmp_path / "demo") == []


async def test_an_expectation_that_does_not_hold_says_what_was_seen_instead(
    in_a_hurry: None, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = Checks(Timeline())
    await checks.soon(AMY, "she gets her answer", lambda: Seen(holds=False, what="no mail for her"))
    [failed] = checks.failed
    assert (failed.customer, failed.text, failed.seen) == ("Amy", "she gets her answer", "no mail for her")
    assert re.search(r"✗ she gets her answer +no mail for her", capsys.readouterr().out)


async def test_an_expectation_is_looked_at_until_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    checks = Checks(Timeline())
    looks = iter([Seen(holds=False, what="not yet"), Seen(holds=True, what="there", value=7)])
    assert await checks.soon(BEN, "it comes", lambda: next(looks)) == 7
    assert checks.failed == []
    assert "✓ it comes" in capsys.readouterr().out


async def test_a_story_that_cannot_be_watched_any_more_breaks_off_at_once() -> None:
    async def unreadable() -> None:
        raise ValueError("a record that the demo cannot read")

    async def over_kafka(*_: object) -> None:
        await asyncio.Event().wait()

    timeline = Timeline()
    watch = Watch("", timeline)
    watch._task = asyncio.create_task(unreadable())
    play: Any = SimpleNamespace(timeline=timeline, over_kafka=over_kafka)
    expect: Any = SimpleNamespace(watch=watch, checks=Checks(timeline))
    with pytest.raises(ValueError, match="cannot read"):
        await asyncio.wait_for(tell(play, expect), 10)


async def test_what_the_story_cannot_go_on_without_ends_it(in_a_hurry: None) -> None:
    checks = Checks(Timeline())
    with pytest.raises(BrokenOffError, match="a mail to follow"):
        await checks.soon(AMY, "a mail to follow", lambda: Seen(holds=False, what="none"), needed=True)
    assert [result.holds for result in checks.results] == [False]
