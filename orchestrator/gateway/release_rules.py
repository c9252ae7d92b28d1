"""A release's documents as the gateway's `ReleaseRules`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orchestrator.engine.identity.rules import BadIdentifierError
from orchestrator.engine.program.build import plan_identity
from orchestrator.gateway.declared import Declared, Undeclared
from orchestrator.gateway.fact_keys import FactKeys
from orchestrator.language.bundle import Bundle
from orchestrator.language.cel import DYN
from orchestrator.language.liquid.templates import TemplateError, Templates, may_hold_liquid
from orchestrator.language.spec.ground import EventDeclaration
from orchestrator.model.reason import FALLBACK

UNKNOWN_SLOT: Final = "unknown_slot"
"""What the owner says of a slot that nobody declares: a slip in its name is told whether there was time or not."""
_TEXTS: Final = ("title", "text", "image", "link", "say")
_LOOKED_AT: Final = ("token", "thread", "message", "content", "placement", "task", "in_reply_to")
"""Properties that the product itself looks at, on whatever event they stand."""


class BundleRules:
    """`ReleaseRules` from a checked bundle; identifiers are read by the very rules that the engine resolves by."""

    def __init__(self, bundle: Bundle) -> None:
        self._identity = plan_identity(bundle)
        self._redeem_once = bundle.identity is None or bundle.identity.tokens.redeem == "once"
        self._accounts = frozenset(self._identity.account)
        self._of_brand = _names_of_brand(bundle.events)
        self._declared = Declared(_declared_types(bundle), (*self.identifiers, *self.references, *_LOOKED_AT))
        self._rows = FactKeys(bundle)
        self._bundle = bundle
        self._templates = Templates()

    @property
    def identifiers(self) -> tuple[str, ...]:
        return (*self._identity.order, *self._identity.account)

    @property
    def references(self) -> tuple[str, ...]:
        return tuple(self._identity.references)

    @property
    def naming(self) -> tuple[str, ...]:
        return (*self._identity.order, *self._identity.references)

    @property
    def channels(self) -> frozenset[str]:
        return frozenset(self._bundle.channels)

    @property
    def redeem_once(self) -> bool:
        return self._redeem_once

    def node(self, name: str, value: object) -> str | None:
        if name in self._accounts:
            return f"{name}:{value}"
        try:
            return self._identity.node(name, value)
        except BadIdentifierError:
            return None

    def strongest(self, data: Mapping[str, Any]) -> str | None:
        try:
            named = self._identity.identifiers(data) or self._identity.referred(data)
        except BadIdentifierError:
            return None
        return named[0] if named else None

    def of_customer(self, channel: str, event_type: str) -> bool:
        return f"{channel}.{event_type}" not in self._of_brand

    def unnamed_rows(self, channel: str, event_type: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        return self._rows.problems(channel, event_type, data)

    def undeclared(self, channel: str, event_type: str, data: Mapping[str, Any]) -> tuple[Undeclared, ...]:
        return self._declared.beside(channel, event_type, data)

    def fallback(self, slot: str, channel: str, language: str) -> dict[str, Any]:
        return self._fallback(slot, channel, language, frozenset())

    def _fallback(self, slot: str, channel: str, language: str, around: frozenset[str]) -> dict[str, Any]:
        found = self._bundle.slots.get(slot)
        if found is None:
            return {"content": "", "reason": UNKNOWN_SLOT, "values": {}}
        name = found.default or ""
        answer = {"content": name, "reason": FALLBACK, "values": {}, **self._variant(name, channel, language)}
        if found.items > 1:
            answer["items"] = []
        if found.include:
            around |= {slot}
            answer["include"] = {
                field: self._fallback(other, channel, language, around)
                for field, other in found.include.items()
                if other not in around  # slots that include each other end here
            }
        return answer

    def _rendered(self, text: str | None, language: str) -> str | None:
        """A text of a default; None where it shows a value: here nothing is known of anybody."""
        if text is None or not may_hold_liquid(text):
            return text
        try:
            return self._templates.render(text, {"language": language})
        except TemplateError:
            return None

    def _variant(self, name: str, channel: str, language: str) -> dict[str, Any]:
        """The variant of a content for a channel, as the engine shows it."""
        content = self._bundle.contents.get(name)
        variant = content.variants.get(channel) if content is not None else None
        if variant is None:
            return {"name": name, "fields": {}}
        default = self._bundle.settings.language
        texts = {field: getattr(variant, field) for field in _TEXTS}
        fields: dict[str, Any] = {"data": variant.data} if variant.data else {}
        fields |= {
            field: self._rendered(text.in_language(language or default, default), language or default)
            for field, text in texts.items()
            if text is not None
        }
        if variant.file:
            fields["file"] = variant.file
        return {"name": variant.name or name, "fields": fields}


def _declared_types(bundle: Bundle) -> dict[str, dict[str, frozenset[str] | None]]:
    """Channel -> event type -> the properties that conditions can read of it; None where they can read any.

    What topic files alone declare is there as well: its producers are as they should be, whoever listens.
    """
    known = bundle.event_types
    found: dict[str, dict[str, frozenset[str] | None]] = {}
    for (channel, event_type), properties in known.schemas.properties.items():
        found.setdefault(channel, {})[event_type] = frozenset(properties)
    for one in sorted(known.declared.values(), key=lambda one: one.name != one.type):
        properties, may_have_others = known.properties(one, lambda _event, _name: DYN)
        for channel in one.channels:
            found.setdefault(channel, {})[one.type] = None if may_have_others else frozenset(properties)
    return found


def _names_of_brand(declared: Mapping[str, EventDeclaration]) -> frozenset[str]:
    """`CHANNEL.TYPE` of every event that is the brand's; one declared as `CHANNEL.TYPE` goes before a plain type."""
    whose: dict[str, str] = {}
    for name in sorted(declared, key=lambda name: "." in name):
        channels = declared[name].channel
        names = [name] if "." in name else [f"{channel}.{name}" for channel in channels]
        whose |= dict.fromkeys(names, declared[name].for_)
    return frozenset(name for name, owner in whose.items() if owner == "brand")
