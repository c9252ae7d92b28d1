"""From the bytes of a bundle's files to a checked bundle, or to all that is wrong with it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from orchestrator.language.bundle.binding import Binder
from orchestrator.language.bundle.bundle import Bundle, LoadResult
from orchestrator.language.bundle.consequences import without_consequences
from orchestrator.language.bundle.draft import Draft, Drafts, read_drafts
from orchestrator.language.bundle.event_types import EventTypes
from orchestrator.language.bundle.keys import keyed_rows
from orchestrator.language.bundle.meaning import meaning_of
from orchestrator.language.bundle.names import declared_names
from orchestrator.language.bundle.rows import FactRows, read_rows
from orchestrator.language.bundle.scopes import Places
from orchestrator.language.bundle.texts import read_texts
from orchestrator.language.bundle.typing import Typing
from orchestrator.language.lint.checks import CHECKS
from orchestrator.language.lint.context import Context
from orchestrator.language.source.diagnostic import Diagnostic, Severity
from orchestrator.language.spec.ground import Settings
from orchestrator.language.spec.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from orchestrator.language.bundle.schemas import EventSchemas


def load_bundle(files: Mapping[str, bytes], schemas: EventSchemas, previous: Bundle | None = None) -> LoadResult:
    """Read, type and check a bundle. All problems are found at once.

    Args:
        files: Path relative to the bundle's folder → bytes: YAML, CSV and Liquid files.
        schemas: The properties of events, from the topic declarations.
        previous: The bundle that is live, for the checks of versions and moved steps.
    """
    drafts = read_drafts(files)
    names = declared_names(drafts)
    rows = read_rows(drafts, files)
    typing = _typing(drafts, rows, schemas)
    binder = Binder(typing)
    places = Places(typing)
    for draft in drafts.documents:
        binder.bind(draft, places.of(draft))
    keyed = keyed_rows(drafts, rows)
    texts = read_texts(files)
    context = Context(drafts, names, typing, tuple(binder.bound), texts, keyed, previous)
    found = [*drafts.diagnostics, *names.diagnostics, *binder.diagnostics]
    for check in CHECKS:
        found.extend(check(context))
    diagnostics = _ordered(_by_settings(without_consequences(found, drafts), _settings(drafts)))
    refused = any(one.severity is Severity.ERROR for one in diagnostics)
    bundle = None if refused else _bundle(drafts, typing, keyed, texts, files)
    return LoadResult(bundle, diagnostics, drafts.lines)


def _typing(drafts: Drafts, rows: FactRows, schemas: EventSchemas) -> Typing:
    declarations = _defined(drafts.of("events"))
    channels = _defined(drafts.of("channels"))
    identities = [draft.element for draft in drafts.of("identity")]
    namespaces = tuple(name for identity in identities for name in identity.namespaces)
    events = EventTypes(declarations, channels, schemas, namespaces)
    traits = drafts.of("traits")
    return Typing(
        events,
        _defined(draft for draft in traits if draft.element.of == "customer"),
        _defined(draft for draft in traits if draft.element.of == "account"),
        _named(drafts, "facts"),
        rows,
        namespaces,
    )


def _defined(drafts: Iterable[Draft]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for draft in drafts:
        for name, element in draft.element.define.items():
            found.setdefault(name, element)
    return found


def _named(drafts: Drafts, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for draft in drafts.of(kind):
        found.setdefault(draft.name, draft.element)
    return found


def _single(drafts: Drafts, kind: str) -> Any:
    return next((draft.element for draft in drafts.of(kind)), None)


def _settings(drafts: Drafts) -> Settings:
    return _single(drafts, "bundle") or Settings(bundle="default")


def _by_settings(found: list[Diagnostic], settings: Settings) -> list[Diagnostic]:
    """Leave out accepted warnings; where the bundle is strict, warnings refuse it."""
    accepted = {accepted.code for accepted in settings.accept}
    kept = [one for one in found if one.severity is Severity.ERROR or one.code not in accepted]
    if not settings.strict:
        return kept
    return [msgspec.structs.replace(one, severity=Severity.ERROR) for one in kept]


def _ordered(found: list[Diagnostic]) -> tuple[Diagnostic, ...]:
    unique = {(one.code, one.position, one.message): one for one in found}
    return tuple(sorted(unique.values(), key=lambda one: (one.position, one.code, one.message)))


def _bundle(
    drafts: Drafts,
    typing: Typing,
    rows: Mapping[str, Mapping[str, Mapping[str, Any]]],
    texts: Mapping[str, str],
    files: Mapping[str, bytes],
) -> Bundle:
    hashes = {path: hashlib.sha256(files[path]).hexdigest() for path in sorted(files)}
    slots = _named(drafts, "slot")
    channels = _defined(drafts.of("channels"))
    push = tuple(name for name, channel in channels.items() if channel.sends == "push" and not channel.public)
    return Bundle(
        settings=_settings(drafts),
        scenarios=_named(drafts, "scenario"),
        contents=_named(drafts, "content"),
        slots={**slots, **{other: slot for slot in slots.values() for other in slot.also}},
        offers=_named(drafts, "offer"),
        segments=_named(drafts, "segment"),
        traits=dict(typing.traits["profile"]),
        account_traits=dict(typing.traits["account"]),
        conversation=_single(drafts, "conversation"),
        intents=_defined(drafts.of("intents")),
        facts=_named(drafts, "facts"),
        events=_defined(drafts.of("events")),
        event_types=typing.events,
        channels=channels,
        identity=_single(drafts, "identity"),
        consent=_single(drafts, "consent"),
        calendars=_named(drafts, "calendar"),
        policy=_single(drafts, "policy") or Policy(policy="default", preferred_order=push),
        kpis=_named(drafts, "kpi"),
        tests=tuple(draft.element for draft in drafts.of("test")),
        rows=rows,
        texts=texts,
        release=release_of(hashes),
        files=hashes,
        meanings={draft.name: meaning_of(draft.root) for draft in drafts.of("scenario")},
    )


def release_of(hashes: Mapping[str, str]) -> str:
    """The name of a release: a hash over the paths and content hashes of its files."""
    digest = hashlib.sha256()
    for path in sorted(hashes):
        digest.update(f"{path}\0{hashes[path]}\n".encode())
    return digest.hexdigest()
