"""Links of a message: made absolute, signed for this customer, and rid of what is no link.

Pure text work. HTML is changed only inside the `href` of its links; every other character stays as it was.
"""

import re
from collections.abc import Callable
from html import escape, unescape
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

import msgspec

Rewrite = Callable[[str], str]

EVERY_HOST: Final = "*"
_LINK_TAGS: Final = frozenset({"a", "area"})
_SCHEMES: Final = frozenset({"http", "https"})
_HARMLESS_SCHEMES: Final = _SCHEMES | {"", "mailto", "tel", "sms"}
_IGNORED_BY_BROWSERS: Final = re.compile(r"[\x00-\x20]+")
_ATTRIBUTE: Final = re.compile(r"""([^\s"'<>/=]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s>"']+)""")
_URL_IN_TEXT: Final = re.compile(
    r"""https?://[^\s<>"']+|(?:(?<=\s)|(?<=\()|^)/\w[^\s<>"']*""", re.IGNORECASE | re.MULTILINE
)
_AFTER_A_URL: Final = ".,;:!?)]}»"


class LinkRules(msgspec.Struct, frozen=True):
    """How the links of one message are made.

    Attributes:
        base_url: where site-relative links lead.
        token: this customer's signed token, "" where links are not signed.
        parameter: the query parameter that carries the token.
        hosts: the hosts whose links get the token, `*` for every host; the base URL's always does.
        signed: the one link that carries a token of its own already (one-click unsubscribe), "" for none.
    """

    base_url: str
    token: str = ""
    parameter: str = "token"
    hosts: tuple[str, ...] = (EVERY_HOST,)
    signed: str = ""

    def rewrite(self, url: str) -> str:
        """The link as it goes out: absolute, with the token where it gets one; anything else as it was."""
        if not url or url.startswith("#") or (self.signed and url == self.signed):
            return url
        if url.startswith("/") and not url.startswith("//") and self.base_url:
            url = urljoin(self.base_url, url)
        try:
            parts = urlsplit(url)
            signed = bool(self.token) and parts.scheme.lower() in _SCHEMES and self._trusts(parts.hostname or "")
        except ValueError:
            return url  # not a URL that anyone could follow; it gets no token
        if not signed:
            return url
        query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True)]
        if any(name == self.parameter for name, _ in query):
            kept = urlencode([pair for pair in query if pair[0] != self.parameter], quote_via=quote)
            parts = parts._replace(query=kept)
        added = f"{quote(self.parameter)}={quote(self.token, safe='.-_~')}"
        return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))

    def _trusts(self, host: str) -> bool:
        own = urlsplit(self.base_url).hostname if self.base_url else None
        return EVERY_HOST in self.hosts or host == own or host in self.hosts


def rewrite_html(body: str, rewrite: Rewrite) -> str:
    """The same HTML with every link's `href` rewritten, and emptied where it is a script or the like."""
    finder = _LinkTags()
    finder.feed(body)
    finder.close()
    lines = _line_starts(body)
    written, done = [], 0
    for line, column, tag in finder.found:
        start = lines[line - 1] + column
        written += [body[done:start], _ATTRIBUTE.sub(lambda given: _href(given, rewrite), tag)]
        done = start + len(tag)
    return "".join([*written, body[done:]])


def rewrite_text(body: str, rewrite: Rewrite) -> str:
    """The same text with every http(s) link, and every path that stands by itself, rewritten."""

    def replaced(found: re.Match[str]) -> str:
        url = found.group()
        bare = url.rstrip(_AFTER_A_URL)
        if "(" in bare and url[len(bare) : len(bare) + 1] == ")":
            bare += ")"  # a closing bracket that belongs to the URL
        return rewrite(bare) + url[len(bare) :]

    return _URL_IN_TEXT.sub(replaced, body)


def _href(found: re.Match[str], rewrite: Rewrite) -> str:
    name, equals, raw = found.groups()
    if name.lower() != "href":
        return found.group()
    url = unescape(raw[1:-1] if raw[0] in "\"'" else raw).strip()
    scheme = _IGNORED_BY_BROWSERS.sub("", url).partition(":")[0].lower() if _has_scheme(url) else ""
    return f'{name}{equals}"{escape(rewrite(url) if scheme in _HARMLESS_SCHEMES else "#")}"'


def _has_scheme(url: str) -> bool:
    head = re.split(r"[/?#]", url, maxsplit=1)[0]
    return ":" in head


def _line_starts(body: str) -> list[int]:
    return [0, *(at.end() for at in re.finditer("\n", body))]


class _LinkTags(HTMLParser):
    """Where the start tags of links are: line, column, and the tag's own text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[tuple[int, int, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text()
        if tag in _LINK_TAGS and text and any(name == "href" for name, _ in attrs):
            line, column = self.getpos()
            self.found.append((line, column, text))

    handle_startendtag = handle_starttag
