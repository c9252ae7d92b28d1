"""E-NAME W-PROPERTY: what a test says is known, and the bundle does not: traits, and fields of facts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.source.position import Position
    from orchestrator.language.spec.story import Story

_FIRST: Final = re.compile(r"[^.\[]*")


def story_values(context: Context) -> Iterator[Diagnostic]:
    """Look up the traits that tests give and expect, and the fields of the rows that they give."""
    for draft in context.sound("test"):
        story: Story = draft.element
        yield from _traits(story, context)
        for fact, rows in story.facts.items():
            for key, row in rows.items():
                yield from _row(fact, key, row, story.place("facts"), context)


def _traits(story: Story, context: Context) -> Iterator[Diagnostic]:
    known = context.typing.owner("profile").fields
    given = [(name, one.place("profile")) for one in story.customers.values() for name in one.profile]
    expected = [
        (_FIRST.match(path)[0], one.place("profile"))  # type: ignore[index]  # of any text, if only of nothing
        for one in (*story.expect, *story.never)
        for path in one.profile
    ]
    for name, at in (*given, *expected):
        if name not in known:
            hint = did_you_mean(name, known) or "declare it in a `traits` document"
            yield diagnostic("E-NAME", f"no trait `{name}` is declared", at, hint=hint)


def _row(fact: str, key: str, row: Iterable[str], at: Position, context: Context) -> Iterator[Diagnostic]:
    if fact not in context.typing.facts:
        return
    known = context.typing.row(fact)
    for name in row:
        if not known.open and name not in known.fields:
            hint = did_you_mean(name, known.fields) or "known here: " + " ".join(f"`{one}`" for one in known.fields)
            yield diagnostic("W-PROPERTY", f"a row of the fact `{fact}` has no field `{name}` ({key})", at, hint=hint)
