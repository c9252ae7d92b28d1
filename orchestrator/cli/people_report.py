"""A person and conflicts, for people: a tree, a table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text
from rich.tree import Tree

if TYPE_CHECKING:
    from orchestrator.cli.people import Conflict, Identifier, Person

PLACES = {
    "home": "home",
    "settled": "points home",
    "moving": "moving, still keeps its history",
    "unknown": "on its way, or never seen by itself",
}
WHY_LEFT = {
    "moved": "seen with somebody else since",
    "evicted": "the longest unseen, when there were too many",
    "idle": "not seen with them for 13 months",
    "reset": "logged out, or replaced",
    "split": "split off by an operator",
    "erased": "erased",
}


def clock(at: int) -> str:
    """A time (ms) in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def person_tree(person: Person, asked: str) -> Tree:
    """The person as a tree. Values are shown as they are: nothing in them is taken for markup."""
    tree = Tree(Text.assemble(("person ", "bold"), person.person or "(no event yet)"))
    for earlier in person.earlier:
        tree.add(Text(f"earlier id {earlier}, which leads here"))
    tree.add(Text(f"lives at {person.home}, epoch {person.epoch}" + (" (asked for)" if person.home == asked else "")))
    if person.born:
        tree.add(Text(f"first event {clock(person.born)}"))
    if person.moving_to:
        tree.add(Text(f"moving to {person.moving_to} right now: ask again"))
    branch = tree.add(Text(f"identifiers ({len(person.identifiers)})", "bold"))
    for one in person.identifiers:
        _identifier(branch, one, one.node == asked)
    _lines(tree, "left", [_left(*one) for one in person.gone])
    _lines(
        tree, "kept apart from",
        [f"{name}, {'for good' if until is None else f'until {clock(until)}'}" for name, until in person.rivals],
    )  # fmt: skip
    _lines(
        tree, "conflicts",
        [
            f"{clock(at)}: {' and '.join(step.nodes)}: {why_conflict(step.why)}"
            + (f" ({step.type} {step.event})" if step.event else "")
            for at, step in person.conflicts
        ],
    )  # fmt: skip
    _lines(tree, "erased", [f"{name}: events up to {clock(time)} are refused" for name, time in person.erased])
    return tree


def _identifier(branch: Tree, one: Identifier, asked: bool) -> None:
    leaf = branch.add(Text.assemble((one.node, "bold"), f"  {one.kind}, {PLACES[one.place]}", " ←" if asked else ""))
    if one.joined_at:
        leaf.add(Text(f"joined {clock(one.joined_at)}"))
        leaf.add(Text(f"evidence: {' and '.join(one.by)} in {one.event or 'an event'} at {clock(one.time)}"))
    if one.since and one.kind == "shared":
        leaf.add(Text(f"newest evidence {clock(one.since)}"))
    leaf.add(Text(f"epoch {one.epoch}, {one.window} events remembered"))


def _left(name: str, at: int, why: str) -> str:
    when = f", {clock(at)}" if at else ""
    return f"{name}{when}" + (f": {WHY_LEFT.get(why, why)}" if why else "")


def _lines(tree: Tree, title: str, lines: list[str]) -> None:
    if lines:
        branch = tree.add(Text(f"{title} ({len(lines)})", "bold"))
        for line in lines:
            branch.add(Text(line))


def why_conflict(why: str) -> str:
    """Why two were not made one, in words."""
    if why == "rival":
        return "kept apart since an earlier refusal or split"
    return f"one person may not have so many {why}"


def conflict_table(conflicts: list[Conflict]) -> Table | Text:
    """Conflicts, newest first; one sentence where there are none."""
    if not conflicts:
        return Text("No identifiers are kept apart.")
    table = Table(title=f"Conflicts ({len(conflicts)})", title_justify="left")
    for column in ("when", "seen together", "why they stay apart", "event"):
        table.add_column(column, overflow="fold")
    for one in conflicts:
        table.add_row(*map(Text, (clock(one.at), "\n".join(one.pair), why_conflict(one.why), one.event)))
    return table
