"""`orchestrator test`: the tests of a bundle, on the production engine and a virtual clock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.bundles import sound_bundle
from orchestrator.cli.errors import UserError
from orchestrator.cli.options import TopicsDir  # noqa: TC001 - typer reads the annotations

if TYPE_CHECKING:
    from orchestrator.language.bundle import Bundle
    from orchestrator.rehearsal.coverage import Coverage
    from orchestrator.rehearsal.folder import Loaded
    from orchestrator.rehearsal.suite import Outcome

_HELP = """
Run the tests of a bundle (the `test` documents, usually in *_test.yaml) on the production engine and a virtual clock.

PATH is the bundle's folder, or one file or folder inside it. A failure names the line of the test, and shows the trace
that explains it: what was sent, held or suppressed instead, by which gate, with which numbers.

Exit status 0: all hold. 1: some failed, or coverage is less than --fail-under. 2: the bundle has errors, or there is
no such test.
"""


def register(app: typer.Typer) -> None:
    app.command("test", help=_HELP, short_help="Run a bundle's tests on a virtual clock.")(run_tests)


def run_tests(
    path: Annotated[Path, typer.Argument(help="The bundle's folder, or a file or folder inside it.")] = Path(
        "scenarios"
    ),
    run: Annotated[
        str | None, typer.Option(help="Only tests whose name this regular expression finds.", show_default=False)
    ] = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="Name steps and branches that no test reaches.")] = False,
    fail_under: Annotated[
        int, typer.Option(help="With --coverage: fail where less than so many percent are reached.", min=0, max=100)
    ] = 0,
    junit: Annotated[Path | None, typer.Option(help="Also write JUnit XML here.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Of the orders that `shuffle` tries.")] = 0,
    topics_dir: TopicsDir = None,
) -> None:
    import time  # noqa: PLC0415 - --help does without

    from orchestrator.rehearsal import report  # noqa: PLC0415
    from orchestrator.rehearsal.coverage import Coverage  # noqa: PLC0415

    loaded, bundle = sound_bundle(path, topics_dir)
    covered = Coverage(bundle) if coverage else None
    began = time.perf_counter()
    outcomes = _play(loaded, bundle, run, seed, covered)
    if junit is not None:
        junit.write_text(report.junit(outcomes, str(loaded.root)), "utf-8")
    if covered is not None:
        typer.echo(report.coverage(covered.scenarios(), str(loaded.root)))
    if any(outcome.story.shuffle for outcome in outcomes):
        typer.echo(f"Shuffled with --seed {seed}.")
    typer.echo(report.summary(outcomes, time.perf_counter() - began))
    missed = covered is not None and report.percent(list(covered.scenarios())) < fail_under
    if missed:
        typer.echo(f"Less than {fail_under}% of the steps and branches are reached.", err=True)
    if missed or any(outcome.failures for outcome in outcomes):
        raise typer.Exit(1)


def _play(loaded: Loaded, bundle: Bundle, pattern: str | None, seed: int, covered: Coverage | None) -> list[Outcome]:
    import re  # noqa: PLC0415

    from orchestrator.rehearsal import report, suite  # noqa: PLC0415

    try:
        stories = suite.chosen(bundle, loaded.part, pattern)
    except re.error as error:
        raise UserError(f"--run {pattern}: this is no regular expression: {error}") from error
    if not stories:
        named = f" whose name `{pattern}` finds" if pattern is not None else ""
        raise UserError(
            f"{loaded.root / loaded.part}: there is no test{named}; tests are `test` documents, in *_test.yaml"
        )
    outcomes = []
    for outcome in suite.play(bundle, stories, seed=seed, coverage=covered):
        outcomes.append(outcome)
        if outcome.failures:
            typer.echo(report.failed(outcome, loaded.result.lines, str(loaded.root)))
    return outcomes
