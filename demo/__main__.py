"""`python -m demo`: sets the stage, plays the story, says whether every expectation held."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from aiokafka import AIOKafkaProducer

from demo import beside, story
from demo.checks import BrokenOffError, Checks
from demo.expect import Expect
from demo.mailbox import Mail, Mailbox
from demo.people import CAST, HOUSE
from demo.play import Play
from demo.producer import Producer
from demo.stage import Stage, StageError
from demo.timeline import Timeline
from demo.visitor import DEADLINE_MS, Browser
from demo.watch import Watch
from orchestrator.stream.broker import BrokerError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ABOUT = """
Plays Amy's story on the real product, all on this machine: an embedded Apache Kafka, the orchestrator's worker,
delivery and gateway as processes, and a mail server that keeps what it gets. Some events are written to Kafka, some
posted over HTTP, as producers would. What happens is printed as it happens, with the reason, and every expectation is
checked. Takes about two minutes; the first run on a machine fetches 45 MB.

Exit status: 0 if every expectation held, 1 if one did not, 2 if a part could not be started.
"""
STORY_WITHIN = 420.0


def main() -> int:
    """Run the demo; gives the exit status."""
    options = _options()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="orchestrator-demo-"))
    timeline = Timeline()
    status = 2
    try:
        status = asyncio.run(_run(folder, timeline, stay=options.stay))
    except (StageError, BrokerError) as error:
        timeline.say(f"error: {error}", "bold red")
    except (KeyboardInterrupt, asyncio.CancelledError):
        timeline.say("Interrupted; every process has ended.", "bold")
        status = 130
    if status == 0 and options.folder is None:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        timeline.say(f"Logs, mails and the bundle are kept in {folder}")
    return status


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    stay = os.environ.get("STAY", "") not in {"", "0", "no", "false"}
    parser.add_argument(
        "--stay", action="store_true", default=stay, help="stay up afterwards and say which URLs to open (or STAY=1)"
    )
    parser.add_argument(
        "--folder", type=Path, help="keep data, logs, mails and the bundle here (default: a temporary folder)"
    )
    return parser.parse_args()


async def _run(folder: Path, timeline: Timeline, *, stay: bool) -> int:
    _end_on_sigterm()
    checks = Checks(timeline)
    began = time.monotonic()
    play: Play | None = None

    def told(mail: Mail) -> None:
        if play is not None:
            play.arrived(next((one for one in CAST if one.email == mail.to), HOUSE), mail)

    async with contextlib.AsyncExitStack() as stack:
        mailbox = await stack.enter_async_context(Mailbox(folder / "mailbox", told))
        stage = await stack.enter_async_context(Stage(folder, mailbox.port, lambda text: timeline.say(f"{text} ...")))
        timeline.say(f"Everything runs, after {time.monotonic() - began:.0f} s.")
        timeout = httpx.Timeout(DEADLINE_MS / 1000 + 20)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=stage.gateway, timeout=timeout))
        kafka = await stack.enter_async_context(AIOKafkaProducer(bootstrap_servers=stage.bootstrap, acks="all"))
        watch = await stack.enter_async_context(Watch(stage.bootstrap, timeline))
        producer = Producer(kafka, http)
        browser = Browser(http, producer)
        play = Play(timeline, producer, browser)
        began = time.monotonic()
        await _tell(play, Expect(checks, timeline, browser, watch, mailbox))
        _summary(timeline, checks, play, len(mailbox.mails), time.monotonic() - began, stage)
        if stay:
            await _stay(timeline, stage, mailbox)
    return 1 if checks.failed else 0


def _end_on_sigterm() -> None:
    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _tell(play: Play, expect: Expect) -> None:
    """Amy's story, and the three carts beside it, at the same time."""
    parts = (story.amy, beside.ben, beside.eva, beside.gus)
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(_part(part, play, expect))


async def _part(part: Callable[[Play, Expect], Awaitable[None]], play: Play, expect: Expect) -> None:
    """One customer's part, to its end or to where it cannot go on; the others go on in any case."""
    try:
        async with asyncio.timeout(STORY_WITHIN):
            await part(play, expect)
    except BrokenOffError as error:
        play.timeline.say(f"This part of the story ends here, without: {error}", "bold red")


def _summary(timeline: Timeline, checks: Checks, play: Play, mails: int, took: float, stage: Stage) -> None:
    timeline.console.print()
    timeline.console.rule(align="left")
    held = len(checks.results) - len(checks.failed)
    style = "bold red" if checks.failed else "bold green"
    timeline.say(f"{held} of {len(checks.results)} expectations held.", style)
    timeline.say(f"{play.events} events, {mails} mails, {took:.0f} s.")
    for result in checks.failed:
        timeline.say(f"✗ {result.customer}: {result.text}", "bold red")
        timeline.say(f"  seen instead: {result.seen}")
    if checks.failed:
        timeline.say(f"Logs: {stage.log} (orchestrator), {stage.kafka_log} (Kafka)")


async def _stay(timeline: Timeline, stage: Stage, mailbox: Mailbox) -> None:
    ports = stage.ports
    for what, where in (
        ("What the gateway takes", f"{stage.gateway}/docs"),
        ("What is known of Amy", f"{stage.gateway}/v1/customers/{story.ADDRESS}/context"),
        ("Metrics of the worker", f"http://127.0.0.1:{ports.worker_metrics}/metrics"),
        ("Metrics of delivery", f"http://127.0.0.1:{ports.delivery_metrics}/metrics"),
        ("Metrics of the gateway", f"{stage.gateway}/metrics"),
        ("The mails", str(mailbox.folder)),
        ("The scenarios", str(stage.bundle)),
        ("The log", str(stage.log)),
        ("Kafka, for clients", stage.bootstrap),
    ):
        timeline.say(f"{what:>24}  {where}")
    timeline.say("Ctrl-C ends everything.", "bold")
    await stage.ended()


if __name__ == "__main__":
    sys.exit(main())
