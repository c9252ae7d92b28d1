"""`orchestrator explain`: why a customer got this, why not that, and what comes next."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.bundles import sound_bundle
from orchestrator.cli.errors import UserError
from orchestrator.cli.options import Bootstrap, Config, TopicsDir  # noqa: TC001 - typer reads the annotations
from orchestrator.cli.recordings import Events, Keep, Since, Until, moment, recorded_events
from orchestrator.engine.brand import is_brands

if TYPE_CHECKING:
    from datetime import datetime

    from orchestrator.engine.program.plan import Program
    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.explain import Explanation
    from orchestrator.rehearsal.folder import Loaded
    from orchestrator.rehearsal.recorded import EventFile
    from orchestrator.rehearsal.world import World

_HELP = """
Explain a customer: by scenario what matched, what did not and at which condition with which values, what was held back
by which gate with which numbers, and what happens next and when.

CUSTOMER is a name of the test (--test), or an identifier such as email:amy@example.com. Their life is played on the
production engine and a virtual clock: a test of the bundle, what came in on Kafka (--since), or recorded events
(--events, JSON lines as for replay). Of what came before these events nothing is known.

\b
orchestrator explain amy --test "cart left at night"
orchestrator explain amy --test "cart left at night" --scenario cart_rescue
orchestrator explain email:amy@example.com --since 7d
orchestrator explain email:amy@example.com --events yesterday.jsonl
"""


class Format(StrEnum):
    """How the explanation is shown."""

    TEXT = "text"
    JSON = "json"
    MERMAID = "mermaid"


def register(app: typer.Typer) -> None:
    app.command("explain", help=_HELP, short_help="Say why a customer got something, or did not.")(explain_customer)


def explain_customer(
    customer: Annotated[str, typer.Argument(help="A name of the test, or NAMESPACE:VALUE.")],
    bundle: Annotated[Path, typer.Option("--bundle", help="The bundle's folder.")] = Path("scenarios"),
    test: Annotated[
        str | None, typer.Option(help="Play the test whose name this regular expression finds.", show_default=False)
    ] = None,
    events: Events = None,
    since: Since = None,
    until: Until = None,
    keep: Keep = None,
    scenario: Annotated[str | None, typer.Option(help="This scenario alone.", show_default=False)] = None,
    at: Annotated[
        str | None,
        typer.Option(help="How things stood then: 1h30m after the start, or a timestamp.", show_default=False),
    ] = None,
    slot: Annotated[
        str | None, typer.Option(help="Also what this slot would show, and why.", show_default=False)
    ] = None,
    channel: Annotated[str, typer.Option(help="With --slot: the channel that asks.")] = "web",
    moments: Annotated[bool, typer.Option("--moments", help="Show the whole trace, moment by moment.")] = False,
    format_: Annotated[
        Format, typer.Option("--format", help="text, json, or mermaid: the scenario as a graph with the way taken.")
    ] = Format.TEXT,
    bootstrap: Bootstrap = None,
    topics_dir: TopicsDir = None,
    config: Config = None,
) -> None:
    from orchestrator.cli.sources import load_settings  # noqa: PLC0415 - --help does without
    from orchestrator.engine.program.build import build_program  # noqa: PLC0415

    if sum(one is not None for one in (test, events, since)) != 1 or (test and (until or keep)):
        raise UserError("say what to play: --test REGEX, or --events FILE, or --since TIME with --until and --keep")
    settings = load_settings(config, {"kafka.bootstrap": bootstrap, "topics_dir": topics_dir})
    loaded, checked = sound_bundle(bundle, settings.topics_dir)
    if scenario is not None and scenario not in checked.scenarios:
        raise UserError(f"the bundle has no scenario {scenario}; there are {', '.join(sorted(checked.scenarios))}")
    if test is not None:
        found, world, zone = _of_test(loaded, checked, test, customer, scenario, at)
    else:
        program = build_program(checked)
        node = _node(program, customer)
        with recorded_events(settings, events, since, until, keep) as file:
            found, world = _of_events(program, file, node, scenario, at)
        zone = checked.settings.zone
    _show(found, world.program, zone, format_, moments)
    if slot is not None and format_ is Format.TEXT:
        _show_slot(world, found, slot, channel)


def _show(found: Explanation, program: Program, zone: str, format_: Format, moments: bool) -> None:
    from orchestrator.rehearsal import explain_report, journey_graph  # noqa: PLC0415 - --help does without

    if format_ is Format.JSON:
        typer.echo(explain_report.as_json(found), nl=False)
        return
    if format_ is Format.TEXT:
        typer.echo(explain_report.as_text(found, program, moments=moments, zone=zone), nl=False)
        return
    for account in found.scenarios:
        if account.scenario in program.scenarios and (account.reached or len(found.scenarios) == 1):
            typer.echo(journey_graph.mermaid(program.scenarios[account.scenario], account), nl=False)


def _show_slot(world: World, found: Explanation, slot: str, channel: str) -> None:
    from orchestrator.rehearsal import explain_report  # noqa: PLC0415
    from orchestrator.rehearsal.asking import NOBODY, trace_slot  # noqa: PLC0415

    if slot not in world.program.slots:
        raise UserError(f"the bundle has no slot {slot}; there are {', '.join(sorted(world.program.slots)) or 'none'}")
    answer, notes = trace_slot(world, slot, found.node or NOBODY, {"channel": channel})
    typer.echo(explain_report.slot_as_text(slot, answer, notes), nl=False)


def _of_test(
    loaded: Loaded, bundle: Bundle, pattern: str, customer: str, scenario: str | None, at: str | None
) -> tuple[Explanation, World, str]:
    import re  # noqa: PLC0415

    from orchestrator.rehearsal.explain import explain  # noqa: PLC0415
    from orchestrator.rehearsal.played import play_test  # noqa: PLC0415
    from orchestrator.rehearsal.problem import Problem  # noqa: PLC0415
    from orchestrator.rehearsal.suite import chosen, name_of  # noqa: PLC0415

    try:
        stories = chosen(bundle, loaded.part, pattern)
    except re.error as error:
        raise UserError(f"--test {pattern}: this is no regular expression: {error}") from error
    if len(stories) != 1:
        names = "; ".join(name_of(story) for story in stories[:5])
        raise UserError(f"--test {pattern}: {f'finds {len(stories)} tests: {names}' if stories else 'finds no test'}")
    story = stories[0]
    try:
        run = play_test(story, bundle, _moment(at))
        nodes = run.cast.of(customer) if ":" not in customer else [customer]
    except Problem as problem:
        raise UserError(f"{loaded.root / problem.at.file}:{problem.at.line}: {problem.message}") from problem
    if (
        ":" not in customer
        and customer not in story.customers
        and not any(e.customer == customer for e in story.events)
    ):
        raise UserError(
            f"the test has no customer {customer}; there are {', '.join(story.customers) or 'none by name'}"
        )
    found = explain(run.world, nodes, run.world.record.happenings, scenario)
    return found, run.world, story.zone or bundle.settings.zone


def _node(program: Program, customer: str) -> str:
    """The node that is named; `brand:KEY` is that of the brand's stories."""
    if is_brands(customer):
        return customer
    namespace, _, value = customer.partition(":")
    try:
        return program.identity.node(namespace, value)
    except ValueError as error:
        raise UserError(f"{customer}: {error}; write NAMESPACE:VALUE, such as email:amy@example.com") from error


def _of_events(
    program: Program, file: EventFile, node: str, scenario: str | None, at: str | None
) -> tuple[Explanation, World]:
    from orchestrator.rehearsal.explain import explain  # noqa: PLC0415
    from orchestrator.rehearsal.played import play_events  # noqa: PLC0415

    world, happenings = play_events(program, file, node, _moment(at))
    return explain(world, [node], happenings, scenario), world


def _moment(at: str | None) -> int | datetime | None:
    """`--at`: a duration after the start in ms, or a moment.

    Raises:
        UserError: it is neither.
    """
    from orchestrator.language.spec.types import milliseconds  # noqa: PLC0415

    if at is None:
        return None
    length = milliseconds(at)
    return length if length is not None else moment("--at", at)
