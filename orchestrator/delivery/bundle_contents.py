"""Contents out of the published bundles: the variant of a channel, in the customer's language or the default one."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of
from typing import Any, Final

from orchestrator.delivery.contents import Content, ContentError, Limit, NotYetKnownError, Quiet
from orchestrator.engine.gates.hours import quiet_at
from orchestrator.engine.local_time import zone
from orchestrator.language.bundle import Bundle, EventSchemas, load_bundle
from orchestrator.language.spec.content import Content as ContentSpec
from orchestrator.language.spec.content import Variant
from orchestrator.language.spec.values import Text, nearest_language
from orchestrator.model.effect import PUBLISH, Action
from orchestrator.stream.releases import Releases

_KEPT_BUNDLES: Final = 16
_PLAIN: Final = ("hashtags", "data")
_FILES: Final[Mapping[str, str]] = {"body_file": "body", "file": "text"}

Load = Callable[[Mapping[str, bytes]], Bundle | None]


class BundleContents:
    """Answers delivery's questions from the bundles of `releases`.

    A release is loaded once, outside the event loop, when it becomes the current one or the first action of it
    comes; the newest used ones are kept.
    """

    def __init__(self, releases: Releases, load: Load) -> None:
        """Contents of these releases; `load` makes a bundle of files, None where they have errors."""
        self._releases = releases
        self._load = load
        self._bundles: OrderedDict[tuple[str, str], asyncio.Task[Bundle | None]] = OrderedDict()
        self._current: dict[str, Bundle] = {}
        self._edition = 0

    @property
    def edition(self) -> int:
        return self._edition

    def follows(self, tenant: str) -> bool:
        """Whether a release of this tenant has been taken."""
        return tenant in self._current

    async def take(self, tenant: str, release: str) -> bool:
        """A tenant's release counts now: load it, and follow its limits from here on.

        Returns:
            Whether it could be loaded; if not, the limits of the one before stay in force.
        """
        try:
            bundle = await self._bundle(tenant, release)
        except (NotYetKnownError, ContentError):
            return False
        self._current[tenant] = bundle
        self._edition += 1
        return True

    def scenarios(self, tenant: str) -> int:
        """How many scenarios a tenant's current release has; what tells releases apart in a log."""
        bundle = self._current.get(tenant)
        return len(bundle.scenarios) if bundle else 0

    def signed_channels(self, tenant: str) -> tuple[str, ...]:
        """The channels whose messages carry signed links in a tenant's current release."""
        bundle = self._current.get(tenant)
        channels = bundle.channels if bundle else {}
        return tuple(name for name, each in channels.items() if each.sign_links and not each.public)

    async def content(self, tenant: str, release: str, name: str, channel: str, language: str) -> Content:
        """See `orchestrator.delivery.contents.Contents`."""
        bundle = await self._bundle(tenant, release)
        spec = bundle.contents.get(name)
        if spec is None:
            raise ContentError("content_unknown")
        variant = spec.variants.get(channel)
        if variant is None:
            raise ContentError("variant_unknown")
        texts = _texts(bundle, variant)
        chosen = _language(spec, texts, language, bundle.settings.language)
        declared = bundle.channels.get(channel)
        tokens = {} if bundle.identity is None else {"token_valid_for": bundle.identity.tokens.valid_for}
        return Content(
            fields={**_plain(variant), **_in_language(texts, chosen, bundle.settings.language)},
            language=chosen,
            sign_links=declared is not None and declared.sign_links,
            **tokens,
        )

    def namespace(self, tenant: str, release: str, channel: str) -> str | None:
        """See `orchestrator.delivery.contents.Contents`. A release that is not loaded answers as the current one."""
        task = self._bundles.get((tenant, release))
        loaded = task.result() if task and task.done() and not task.cancelled() else None
        bundle = loaded or self._current.get(tenant)
        declared = bundle.channels.get(channel) if bundle else None
        return declared.address if declared else None

    def rate_limit(self, tenant: str, channel: str) -> Limit | None:
        """See `orchestrator.delivery.contents.Contents`."""
        bundle = self._current.get(tenant)
        limit = bundle.policy.rate_limit.get(channel) if bundle else None
        return Limit(limit.limit, limit.per) if limit else None

    def quiet(self, action: Action, now: int) -> Quiet | None:
        """See `orchestrator.delivery.contents.Contents`."""
        bundle = self._current.get(action.tenant)
        if bundle is None or action.kind == PUBLISH or bundle.policy.frees(action.class_, "quiet_hours"):
            return None
        where = zone(action.zone, bundle.settings.zone)
        found = quiet_at(bundle.policy, action.class_, action.channel, now, where)
        return Quiet(found.until, found.rule.on_hit == "skip") if found else None

    async def _bundle(self, tenant: str, release: str) -> Bundle:
        key = (tenant, release)
        task = self._bundles.get(key)
        if task is None:
            files = self._releases.files(tenant, release)
            if files is None:
                raise NotYetKnownError
            task = self._bundles[key] = asyncio.create_task(asyncio.to_thread(self._load, files))
            if len(self._bundles) > _KEPT_BUNDLES:
                self._bundles.popitem(last=False)
        self._bundles.move_to_end(key)
        bundle = await asyncio.shield(task)
        if bundle is None:
            raise ContentError("release_refused")
        return bundle


def loader(schemas: EventSchemas) -> Load:
    """How bundles are loaded, with these event schemas."""
    return lambda files: load_bundle(files, schemas).bundle


def _texts(bundle: Bundle, variant: Variant) -> dict[str, Mapping[str, str]]:
    """The variant's texts by field and language; what stands in a file of the bundle is under the field it fills."""
    found: dict[str, Mapping[str, str]] = {}
    for field in fields_of(variant):
        value = getattr(variant, field.name)
        if isinstance(value, Text):
            found[field.name] = value.by_language
        elif field.name in _FILES and value:
            found[_FILES[field.name]] = bundle.texts_of(value, variant.at.file)
    return found


def _plain(variant: Variant) -> dict[str, Any]:
    """The fields that are no texts."""
    return {name: value for name in _PLAIN if (value := getattr(variant, name))}


def _language(spec: ContentSpec, texts: Mapping[str, Mapping[str, str]], wanted: str, default: str) -> str:
    """The language in which it is said.

    Raises:
        ContentError: the content is not to be said in another than the customer's, or has neither.
    """
    spoken = {language for by_language in texts.values() for language in by_language if language}
    if not spoken:
        return ""
    near = nearest_language(wanted, spoken)
    if near is not None:
        return near
    if spec.language_missing == "default" and default in spoken:
        return default
    raise ContentError("language_missing")


def _in_language(texts: Mapping[str, Mapping[str, str]], language: str, default: str) -> dict[str, str]:
    """Each text in the chosen language, else in the default one, else as it stands for all."""
    chosen = {name: Text(by_language).in_language(language, default) or "" for name, by_language in texts.items()}
    return {name: text for name, text in chosen.items() if text}
