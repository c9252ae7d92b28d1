"""What came of tests, for people and for CI."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from orchestrator.rehearsal.trace import trace_lines
from orchestrator.rehearsal.wording import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from orchestrator.rehearsal.coverage import Covered
    from orchestrator.rehearsal.run import Failure, Run
    from orchestrator.rehearsal.suite import Outcome


def place_of(root: str, failure: Failure) -> str:
    """`file:line:column`, with the folder in front so that a terminal can open it."""
    at = failure.at
    folder = "" if root in {"", "."} else f"{root}/"
    return f"{folder}{at.file}:{at.line}:{at.column}"


def failed(outcome: Outcome, lines: Mapping[str, Sequence[str]], root: str) -> str:
    """A failed test: each expectation at its place, with what was there instead, and the trace that explains it."""
    parts = [f"FAILED {outcome.name}"]
    for failure in outcome.failures:
        parts.append(f"\n{place_of(root, failure)}: {failure.message}")
        parts += _excerpt(failure, lines)
        if failure.found:
            parts.append(f"    instead: {failure.found}")
    if outcome.run is not None:
        for customer in _concerned(outcome):
            parts.append(f"\n  What happened{f' to {customer}' if customer else ''}{_from(outcome.run)}:")
            shown = trace_lines(outcome.run, customer)
            parts += [f"  {line}" for line in shown] or ["    nothing"]
    return "\n".join(parts) + "\n"


def _from(run: Run) -> str:
    return f", counted from {clock(run.start, run.story.zone or run.stage.bundle.settings.zone)}"


def _concerned(outcome: Outcome) -> list[str]:
    """The customers whose trace explains the failures; everybody's where a failure names none."""
    named = dict.fromkeys(failure.customer for failure in outcome.failures)
    return [""] if "" in named or not named else list(named)


def _excerpt(failure: Failure, lines: Mapping[str, Sequence[str]]) -> list[str]:
    text = lines.get(failure.at.file, ())
    if not 1 <= failure.at.line <= len(text):
        return []
    margin = f"  {failure.at.line} | "
    return [margin + text[failure.at.line - 1].rstrip(), " " * (len(margin) + failure.at.column - 1) + "^"]


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """One line: how many hold."""
    failed_ones = sum(1 for outcome in outcomes if outcome.failures)
    held = len(outcomes) - failed_ones
    speed = f" in {seconds:.2f} s" if seconds >= 0.01 else ""
    if not outcomes:
        return "No tests."
    return f"{held} passed, {failed_ones} failed{speed}." if failed_ones else f"{held} passed{speed}."


def coverage(found: Iterable[Covered], root: str) -> str:
    """A line a scenario, then every step and branch that no test reaches, at its place."""
    rows = list(found)
    width = max((len(row.scenario) for row in rows), default=0)
    lines = ["Coverage of steps and branches"]
    lines += [f"  {row.scenario:<{width}}  {row.reached:>3} of {row.total:<3}  {_percent(row):>4}" for row in rows]
    folder = "" if root in {"", "."} else f"{root}/"
    missing = [(row.scenario, one) for row in rows for one in row.missing]
    if missing:
        lines.append("Not reached by any test")
        lines += [f"  {folder}{one.at}  {scenario}: {one.name}" for scenario, one in missing]
    reached, total = sum(row.reached for row in rows), sum(row.total for row in rows)
    lines.append(
        f"{reached} of {total} steps and branches reached" + (f", {len(missing)} missing." if missing else ".")
    )
    return "\n".join(lines)


def percent(found: Sequence[Covered]) -> float:
    """How much of all steps and branches was reached, 0 to 100; 100 where there is none."""
    total = sum(row.total for row in found)
    return 100 * sum(row.reached for row in found) / total if total else 100.0


def _percent(row: Covered) -> str:
    return "100%" if row.reached == row.total else f"{min(99, 100 * row.reached // max(1, row.total))}%"


def junit(outcomes: Sequence[Outcome], root: str) -> str:
    """JUnit XML, one test case for each test, as CI systems read it."""
    suites = ET.Element("testsuites")
    by_file: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_file.setdefault(outcome.story.at.file, []).append(outcome)
    for file, those in by_file.items():
        suite = ET.SubElement(
            suites, "testsuite", name=file, tests=str(len(those)),
            failures=str(sum(1 for one in those if one.failures)), time=f"{sum(one.seconds for one in those):.4f}",
        )  # fmt: skip
        for outcome in those:
            _case(suite, outcome, root)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, outcome: Outcome, root: str) -> None:
    at = outcome.story.at
    case = ET.SubElement(
        suite, "testcase", name=outcome.name, classname=at.file.rpartition(".")[0].replace("/", "."),
        file=at.file, line=str(at.line), time=f"{outcome.seconds:.4f}",
    )  # fmt: skip
    if outcome.failures:
        first = outcome.failures[0]
        failure = ET.SubElement(case, "failure", message=_legible(f"{place_of(root, first)}: {first.message}"))
        failure.text = _legible(failed(outcome, {}, root))


def _legible(text: str) -> str:
    """Without the control characters that XML cannot hold."""
    return "".join(char for char in text if char in "\t\n\r" or char >= " ")
