from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from orchestrator.language.bundle.event_types import EventTypes
    from orchestrator.language.source.diagnostic import Diagnostic
    from orchestrator.language.spec.content import Content, Offer, Slot
    from orchestrator.language.spec.ground import (
        Calendar,
        Channel,
        Consent,
        EventDeclaration,
        Identity,
        Settings,
    )
    from orchestrator.language.spec.knowledge import Conversation, Facts, Intent, Segment
    from orchestrator.language.spec.kpi import Kpi
    from orchestrator.language.spec.policy import Policy
    from orchestrator.language.spec.scenario import Scenario
    from orchestrator.language.spec.story import Story
    from orchestrator.language.spec.traits import Trait


@dataclass(frozen=True, slots=True)
class Bundle:
    """All documents of a folder, checked: every name is declared, every condition is compiled.

    Attributes:
        settings: The document `bundle`, or its defaults.
        scenarios: By name, in the order of files; so all maps below.
        slots: By name and by every name in `also`.
        traits: Customer traits of all `traits` documents.
        account_traits: The same for accounts.
        intents: Of all `intents` documents, in order.
        events: Declarations as written (`TYPE` or `CHANNEL.TYPE`).
        event_types: What a name after `on:` means.
        policy: The document `policy`, or one that holds back nothing.
        rows: Fact → key → row, from files.
        texts: Path → text of Liquid and other text files.
        release: Hash over the contents of all files, hex.
        files: Path → hash of the content of each file, hex.
        meanings: Scenario → hash of what it means: its file but for text, for telling versions apart.
    """

    settings: Settings
    scenarios: Mapping[str, Scenario]
    contents: Mapping[str, Content]
    slots: Mapping[str, Slot]
    offers: Mapping[str, Offer]
    segments: Mapping[str, Segment]
    traits: Mapping[str, Trait]
    account_traits: Mapping[str, Trait]
    conversation: Conversation | None
    intents: Mapping[str, Intent]
    facts: Mapping[str, Facts]
    events: Mapping[str, EventDeclaration]
    event_types: EventTypes
    channels: Mapping[str, Channel]
    identity: Identity | None
    consent: Consent | None
    calendars: Mapping[str, Calendar]
    policy: Policy
    kpis: Mapping[str, Kpi]
    tests: tuple[Story, ...]
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]]
    texts: Mapping[str, str]
    release: str
    files: Mapping[str, str]
    meanings: Mapping[str, str]

    def texts_of(self, file: str, beside: str) -> dict[str, str]:
        """The texts that `body_file` or `file` names, by language; "" where the name has no `{language}`.

        Args:
            file: As written in the variant.
            beside: Path of the file that the variant stands in (`variant.at.file`).
        """
        from orchestrator.language.bundle.texts import texts_named  # noqa: PLC0415 - texts know bundles

        return texts_named(file, beside, self.texts)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What came of loading.

    Attributes:
        bundle: None when there is an error.
        diagnostics: All that was found, by file and line.
        lines: The lines of every text file, for excerpts.
    """

    bundle: Bundle | None
    diagnostics: tuple[Diagnostic, ...]
    lines: Mapping[str, list[str]]
