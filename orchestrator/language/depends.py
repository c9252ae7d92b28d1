"""What an expression depends on in the end: through segments and traits, too, that are computed when they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from orchestrator.language.cel import Expression
    from orchestrator.language.spec.knowledge import Segment
    from orchestrator.language.spec.traits import Trait


FACTS_BY_KEY: Final = {
    "stock": "stock", "stock_places": "stock", "price": "price", "promised": "price", "catalog": "catalog",
}  # fmt: skip
"""Function -> the fact of which it reads a row; its first argument is the row's key."""
OF_FACTS: Final = frozenset({*FACTS_BY_KEY, "rows"})
"""All functions that read facts; `rows` reads every row of the fact that it names."""


class Depends(NamedTuple):
    """Everything that may change what an expression gives.

    Attributes:
        expressions: itself first, then the conditions of segments and the `choose` and `compute` of traits.
        traits: every trait that is read on the way, by its name.
    """

    expressions: tuple[Expression, ...]
    traits: dict[str, Trait]


def depends_on(expression: Expression, traits: Mapping[str, Trait], segments: Mapping[str, Segment]) -> Depends:
    """What `expression` depends on; a circle, which lint refuses, is gone through once."""
    found, read, asked = [expression], dict[str, "Trait"](), set[str]()
    for one in found:
        for name in _traits_read(one, traits):
            if name not in read:
                read[name] = traits[name]
                found += _computed(traits[name])
        for name in _segments_asked(one, segments):
            if name not in asked:
                asked.add(name)
                found.append(segments[name].where)
    return Depends(tuple(found), read)


def _computed(trait: Trait) -> list[Expression]:
    """What is evaluated whenever the trait is read: its `compute`, or the cases of its `choose`."""
    cases = [case.when for case in trait.choose or ()]
    return [*cases, trait.compute] if trait.compute is not None else cases


def _traits_read(expression: Expression, traits: Mapping[str, Trait]) -> Iterator[str]:
    for path in expression.reads:
        if path == ("profile",):
            yield from traits
        elif path[0] == "profile":
            name = path[1] if path[1] in traits else path[1].removesuffix("_label")
            if name in traits:
                yield name


def _segments_asked(expression: Expression, segments: Mapping[str, Segment]) -> Iterator[str]:
    if any(path == ("profile",) or path[:2] == ("profile", "segments") for path in expression.reads):
        yield from segments
    for call in expression.calls:
        if call.name == "in_segment" and call.args[0] in segments:
            yield call.args[0]
