"""What a bundle has to say, and who says it: every content with the scenarios and slots that use it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orchestrator.language.cel import CelError
from orchestrator.language.spec.steps import Send, Show
from orchestrator.language.spec.walk import all_steps

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.bundle.bundle import Bundle
    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.content import Candidate, Content
    from orchestrator.language.spec.values import NameOr

_TEXT: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_END: Final = re.compile(r"\+\s*(?:'([^']*)'|\"([^\"]*)\")$")


class Use(NamedTuple):
    """One place that says a content.

    Attributes:
        kind: `scenario`, `slot` or `content` (as its `instead`).
        name: of that document.
        place: in it: the id of a step, `candidate 2`, `default`, `instead`.
        certain: the place names it; otherwise a name made at run time may be this one, or `from: content` may find it.
    """

    kind: str
    name: str
    place: str
    certain: bool = True


class Item(NamedTuple):
    """A content with all that may say it; nobody does where `uses` is empty."""

    content: Content
    uses: tuple[Use, ...]

    @property
    def scenarios(self) -> tuple[str, ...]:
        """The scenarios that use it, each once."""
        return tuple(dict.fromkeys(use.name for use in self.uses if use.kind == "scenario"))


def inventory(bundle: Bundle) -> tuple[Item, ...]:
    """Every content of the bundle by name, with its uses in the order of scenarios, slots and contents."""
    uses = list(_uses(bundle))
    return tuple(
        Item(content, tuple(use for use, fits in uses if fits(content)))
        for _, content in sorted(bundle.contents.items())
    )


def beginnings(source: str) -> set[str]:
    """The texts in an expression: a name that it makes at run time begins with one of them."""
    return {text for match in _TEXT.finditer(source) if (text := match[1] or match[2])}


ANY: Final = "any stage"


def grid(items: tuple[Item, ...]) -> dict[str, dict[str, int]]:
    """Stage -> channel -> how many contents; those without a stage, which suit all, under `ANY`.

    Of the channels that contents with a stage are told on; empty where none has one.
    """
    staged = [item.content for item in items if item.content.stage]
    channels = sorted({channel for content in staged for channel in content.variants})
    stages = dict.fromkeys(stage for content in staged for stage in content.stage)
    found = {stage: dict.fromkeys(channels, 0) for stage in (*stages, ANY)} if staged else {}
    for item in items:
        for stage in item.content.stage or (ANY,):
            for channel in item.content.variants:
                if channel in channels:
                    found[stage][channel] += 1
    return found


class _Named:
    """Whether a content is what a `name*` names; where an expression makes the name, by how that begins and ends."""

    def __init__(self, name: NameOr) -> None:
        self._name = name
        source = name.expr.source.strip() if name.expr is not None else ""
        self._beginnings = tuple(beginnings(source))
        end = _END.search(source)
        self._end = (end[1] or end[2] or "") if end is not None else ""

    @property
    def certain(self) -> bool:
        return self._name.expr is None

    def __call__(self, content: Content) -> bool:
        name = content.content
        return (
            name == self._name.name if self.certain else name.startswith(self._beginnings) and name.endswith(self._end)
        )


class _Found:
    """Whether a content may be found by `from: content`: its `where` is not false for sure."""

    def __init__(self, where: Expression | None) -> None:
        self._where = where

    def __call__(self, content: Content) -> bool:
        try:
            return self._where is None or self._where.evaluate(_OnlyItem(content.as_item())) is not False
        except CelError:
            return True


class _OnlyItem:
    """A scope in which nothing is known but the content that is looked at: all else depends on the customer."""

    def __init__(self, item: dict[str, Any]) -> None:
        self.item = item

    def __getattr__(self, name: str) -> Any:
        raise CelError(f"{name} is not known here")


def _uses(bundle: Bundle) -> Iterator[tuple[Use, Any]]:
    """Each place, and a test for what it says."""
    for scenario in bundle.scenarios.values():
        for step in all_steps(scenario.steps):
            if isinstance(step.body, Send | Show) and step.body.content is not None:
                named = _Named(step.body.content)
                yield Use("scenario", scenario.scenario, step.id, named.certain), named
    for name, slot in bundle.slots.items():
        if name != slot.slot:
            continue
        for number, candidate in enumerate(slot.candidates, 1):
            yield from _of_candidate(slot.slot, number, candidate)
        if slot.default is not None:
            yield Use("slot", slot.slot, "default"), _is(slot.default)
    for content in bundle.contents.values():
        if content.instead is not None:
            yield Use("content", content.content, "instead"), _is(content.instead)


def _of_candidate(slot: str, number: int, candidate: Candidate) -> Iterator[tuple[Use, Any]]:
    place = f"candidate {number}"
    if candidate.content is not None:
        named = _Named(candidate.content)
        yield Use("slot", slot, place, named.certain), named
    elif candidate.from_ == "content":
        yield Use("slot", slot, place, certain=False), _Found(candidate.where)


def _is(name: str) -> Any:
    return lambda content: content.content == name
