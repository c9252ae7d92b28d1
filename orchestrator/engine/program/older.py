"""What a program keeps of earlier releases: scenarios that instances finish on, and what those refer to."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orchestrator.engine.program.plan import Program, ScenarioPlan


def keep_older(program: "Program", older: "Iterable[Program]") -> None:
    """Sort the scenarios of earlier releases (all of them, oldest first) by what becomes of their instances.

    With `pin` and `drain` they live on, and with them contents, calendars and segments that are gone from the bundle.
    The others are out of date: their instances follow, or end.
    """
    for earlier in older:
        lives_on = False
        for plan in earlier.scenarios.values():
            newest = program.scenarios.get(plan.name)
            if newest is not None and newest.version == plan.version:
                continue
            if newest is not None and newest.document.in_flight in {"pin", "drain"}:
                program.older[plan.name, plan.version] = plan
                lives_on = True
            else:
                program.outdated[plan.name, plan.version] = plan
        if lives_on:
            _keep_referred(program, earlier)


def _keep_referred(program: "Program", earlier: "Program") -> None:
    program.calendars = {**earlier.calendars, **program.calendars}
    program.known_segments = {**earlier.known_segments, **program.known_segments}
    kept = {name: (content, earlier.release) for name, content in earlier.contents.items()}
    program.kept_contents |= {name: known for name, known in kept.items() if name not in program.contents}


def next_version(program: "Program", name: str, version: int) -> "ScenarioPlan | None":
    """The version that instances of this one go on with, which is another; None where they stay on theirs."""
    newest = program.scenarios.get(name)
    if newest is None or newest.version == version or newest.document.in_flight in {"pin", "drain"}:
        return None
    return None if is_to_come(program, name, version) else newest


def is_to_come(program: "Program", name: str, version: int) -> bool:
    """Whether only a release that is not here yet has this version.

    Partitions change to a release one after the other, and a customer may move from one that has to one that has not.
    """
    newest = program.scenarios.get(name)
    if newest is not None and version <= newest.version:
        return False
    return (name, version) not in program.older and (name, version) not in program.outdated
