"""What a channel is to say to this customer: every field rendered, every link absolute and signed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import msgspec

from orchestrator.delivery.contents import Content
from orchestrator.delivery.outcome import deciding_key
from orchestrator.delivery.render.links import EVERY_HOST, LinkRules, rewrite_html, rewrite_text
from orchestrator.language.liquid.filters import DECIDED_AT, ZONE
from orchestrator.language.liquid.templates import Templates, is_html
from orchestrator.model.effect import PUBLISH, Action
from orchestrator.model.ids import made_id
from orchestrator.model.tokens import Claims, Use, sign

_UNSUBSCRIBE_FOR: Final = 400 * 86_400_000
_BODY: Final = "body"
_TEXTS: Final = frozenset({"text", "say"})
_LINKS: Final = frozenset({"link"})
_IMAGES: Final = frozenset({"image"})


class KeyMissingError(Exception):
    """The channel signs its links, but this tenant has no key to sign with."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where links lead, and who may see a customer's token.

    Attributes:
        base_url: where site-relative links lead, "" to leave them as they are.
        unsubscribe_url: where one click ends marketing mail (RFC 8058); the token is added to it. "" for none.
        parameter: the query parameter that carries the token.
        hosts: the hosts whose links get the token; `*` for every host.
    """

    base_url: str = ""
    unsubscribe_url: str = ""
    parameter: str = "token"
    hosts: tuple[str, ...] = (EVERY_HOST,)


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A rendered message.

    Attributes:
        fields: the variant's fields, ready to be shown.
        html: whether `body` is HTML.
        language: of the texts.
        unsubscribe_url: for this customer; "" where the message needs none.
    """

    fields: Mapping[str, Any]
    html: bool
    language: str
    unsubscribe_url: str = ""


class Renderer:
    """Renders contents for customers. The same action always gives the same message."""

    def __init__(self, templates: Templates, site: Site, keys: Callable[[str], Sequence[bytes]]) -> None:
        """A renderer; `keys` gives a tenant's keys for links, the current one first."""
        self._templates = templates
        self._site = site
        self._keys = keys

    def render(self, action: Action, content: Content) -> Message:
        """The message of an action.

        Raises:
            TemplateError: a template cannot be used with the action's values.
            KeyMissingError: links are to be signed and there is no key.
        """
        body = content.fields.get(_BODY)
        html = isinstance(body, str) and is_html(body)
        unsubscribe_url = self._unsubscribe_url(action)
        values = {
            "language": content.language,
            "unsubscribe_url": unsubscribe_url,
            **action.values,
            ZONE: action.zone,
            DECIDED_AT: action.at,
        }
        links = self._links(action, content, unsubscribe_url)
        fields = {name: self._field(name, field, values, links, html) for name, field in content.fields.items()}
        return Message(fields=fields, html=html, language=content.language, unsubscribe_url=unsubscribe_url)

    def _field(self, name: str, field: Any, values: Mapping[str, Any], links: LinkRules, html: bool) -> Any:
        if isinstance(field, list | tuple):
            return [self._field(name, each, values, links, html) for each in field]
        if not isinstance(field, str):
            return field
        text = self._templates.render(field, values, html=html and name == _BODY)
        if name == _BODY:
            return rewrite_html(text, links.rewrite) if html else rewrite_text(text, links.rewrite)
        if name in _TEXTS:
            return rewrite_text(text, links.rewrite)
        if name in _LINKS:
            return links.rewrite(text.strip())
        return _unsigned(links).rewrite(text.strip()) if name in _IMAGES else text

    def _links(self, action: Action, content: Content, signed: str) -> LinkRules:
        token = ""
        if content.sign_links and action.kind != PUBLISH:  # nobody's token stands where everybody reads
            token = self._token(action, content.token_valid_for, made_id("token", action.id), "link")
        return LinkRules(self._site.base_url, token, self._site.parameter, self._site.hosts, signed)

    def _unsubscribe_url(self, action: Action) -> str:
        if action.class_ != "marketing" or not self._site.unsubscribe_url:
            return ""
        parts = urlsplit(self._site.unsubscribe_url)
        token = self._token(action, _UNSUBSCRIBE_FOR, action.id, "unsubscribe", action.channel)
        added = f"{self._site.parameter}={token}"
        return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))

    def _token(self, action: Action, valid_for: int, token_id: str, use: Use, channel: str = "") -> str:
        keys = self._keys(action.tenant)
        if not keys:
            raise KeyMissingError
        node = deciding_key(action).decode()
        claims = Claims(node, action.at, action.at + valid_for, token_id, use, channel)
        return sign(claims, keys[0])


def _unsigned(links: LinkRules) -> LinkRules:
    return msgspec.structs.replace(links, token="")
