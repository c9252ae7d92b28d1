from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from orchestrator.language.bundle.binding import Bound
    from orchestrator.language.bundle.bundle import Bundle
    from orchestrator.language.bundle.draft import Draft, Drafts
    from orchestrator.language.bundle.names import Names
    from orchestrator.language.bundle.typing import Typing
    from orchestrator.language.source.diagnostic import Diagnostic
    from orchestrator.language.spec.ground import Channel
    from orchestrator.language.spec.policy import Policy

    Check = Callable[["Context"], Iterable[Diagnostic]]


@dataclass(frozen=True)
class Context:
    """What a check may look at.

    Attributes:
        drafts: All documents. Those that are not `sound` have been complained of already.
        names: Declared names.
        typing: Types, and the events of the bundle.
        bound: Every compiled condition with its place.
        texts: Liquid and other text files by path.
        rows: Fact → key → row, from files.
        previous: The live bundle, where there is one.
    """

    drafts: Drafts
    names: Names
    typing: Typing
    bound: tuple[Bound, ...]
    texts: Mapping[str, str]
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    previous: Bundle | None

    def sound(self, kind: str) -> list[Draft]:
        """The documents of a kind that were read without a problem."""
        return [draft for draft in self.drafts.of(kind) if draft.sound]

    @cached_property
    def channels(self) -> dict[str, Channel]:
        return _defined(self.drafts.of("channels"))

    @cached_property
    def policy(self) -> Policy | None:
        return next((draft.element for draft in self.drafts.of("policy")), None)


def _defined(drafts: Iterable[Draft]) -> dict[str, Any]:
    return {name: element for draft in drafts for name, element in draft.element.define.items()}
