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
from functools import partial
from pathlib import Path

import httpx
from aiokafka import AIOKafkaProducer

from demo.acts import tell
from demo.bundle import WaitError
from demo.checks import Checks
from demo.decisions import Decisions
from demo.expect import Expect
from demo.mailbox import Mailbox
from demo.play import Play, show_mail
from demo.producer import Producer
from demo.stage import Stage, StageError
from demo.story import ADDRESS
from demo.timeline import Timeline
from demo.visitor import DEADLINE_MS, Browser
from demo.watch import Watch
from orchestrator.stream.broker import BrokerError

ABOUT = """
Plays Amy's story on the real product, all on this machine: an embedded Apache Kafka, the orchestrator's worker,
delivery and gateway as processes, and a mail server that keeps what it gets. Some events are written to Kafka, some
posted over HTTP, as producers would. What happens is printed as it happens, with the reason, and every expectation is
checked. Takes about a minute and a half; the first run on a machine fetches 45 MB.

Exit status: 0 if every expectation held, 1 if one did not, 2 if a part could not be started.
"""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> int:
    """Run the demo; gives the exit status."""
    options = _options()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="orchestrator-demo-"))
    timeline = Timeline()
    status = 2
    try:
        status = asyncio.run(_run(options, folder, timeline))
    except (StageError, BrokerError, WaitError) as error:
        timeline.say(f"error: {error}", "bold red")
    except asyncio.CancelledError:
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
    parser.add_argument(
        "--pace", type=float, default=0.6, metavar="SECONDS", help="a pause before each step, to read along (0.6)"
    )
    options = parser.parse_args()
    if options.folder is not None and options.folder.exists() and any(options.folder.iterdir()):
        parser.error(f"--folder {options.folder} is not empty: an earlier run would count as part of this one")
    return options


async def _run(options: argparse.Namespace, folder: Path, timeline: Timeline) -> int:
    _end_on_signals(timeline)
    checks = Checks(timeline)
    began = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        mailbox = await stack.enter_async_context(Mailbox(folder / "mailbox", partial(show_mail, timeline)))
        stage = await stack.enter_async_context(Stage(folder, mailbox.port, lambda text: timeline.say(f"{text} ...")))
        timeline.say(f"Everything runs, after {time.monotonic() - began:.0f} s.")
        timeout = httpx.Timeout(DEADLINE_MS / 1000 + 20)
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=stage.gateway, timeout=timeout))
        kafka = await stack.enter_async_context(AIOKafkaProducer(bootstrap_servers=stage.bootstrap, acks="all"))
        watch = await stack.enter_async_context(Watch(stage.bootstrap, timeline))
        producer = Producer(kafka, http)
        browser = Browser(http, producer)
        play = Play(timeline, producer, browser, options.pace)
        began = time.monotonic()
        await tell(play, Expect(checks, Decisions(timeline), browser, watch, mailbox))
        _summary(checks, play, len(mailbox.mails), time.monotonic() - began, stage)
        if options.stay:
            await _stay(timeline, stage, mailbox)
    return 1 if checks.failed else 0


def _end_on_signals(timeline: Timeline) -> None:
    """The first Ctrl-C or SIGTERM ends the story; later ones do not break off the tidying up."""
    loop, story = asyncio.get_running_loop(), asyncio.current_task()

    def end() -> None:
        for number in SIGNALS:
            loop.add_signal_handler(number, timeline.say, "Every process is being ended; a moment, please.")
        if story is not None:
            story.cancel()

    for number in SIGNALS:
        loop.add_signal_handler(number, end)


def _summary(checks: Checks, play: Play, mails: int, took: float, stage: Stage) -> None:
    timeline = checks.timeline
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
        ("What is known of Amy", f"{stage.gateway}/v1/customers/{ADDRESS}/context"),
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
    task = asyncio.current_task()
    try:
        await stage.ended()
    except asyncio.CancelledError:  # the Ctrl-C that was asked for: an end like any other
        if task is not None:
            task.uncancel()


if __name__ == "__main__":
    sys.exit(main())
