"""A plain-text alternative from HTML, for those who read mail without it."""

import re
from html.parser import HTMLParser
from typing import Final

_SILENT: Final = frozenset({"style", "script", "head", "title", "template"})
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS: Final = _HEADINGS | frozenset({
    "address", "article", "blockquote", "div", "dl", "fieldset", "footer", "form", "header", "hr", "main", "ol", "p",
    "pre", "section", "table", "ul",
})  # fmt: skip
_LINES: Final = frozenset({"br", "tr", "li", "dt", "dd"})
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "col", "area", "base", "embed", "source", "wbr"})


def plain_text(html: str) -> str:
    """The text of HTML: paragraphs apart, links with their address, nothing that is not shown."""
    writer = _PlainText()
    writer.feed(html)
    writer.close()
    return writer.text()


class _PlainText(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._silent: list[str] = []
        self._links: list[tuple[str, int]] = []

    def text(self) -> str:
        text = "".join(self._pieces)
        lines = [re.sub(r"[ \t\r\f\v\xa0]+", " ", line).strip() for line in text.split("\n")]
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if self._silent or tag in _SILENT or _HIDDEN.search(given.get("style") or ""):
            if tag not in _VOID:
                self._silent.append(tag)
            return
        if tag in _BLOCKS:
            self._pieces.append("\n\n")
        elif tag in _LINES:
            self._pieces.append("\n- " if tag == "li" else "\n")
        elif tag == "td" and self._pieces and not self._pieces[-1].endswith("\n"):
            self._pieces.append(" ")
        elif tag == "img":
            self._pieces.append(given.get("alt") or "")
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self._pieces)))

    def handle_endtag(self, tag: str) -> None:
        if self._silent:
            if tag in self._silent:  # whatever was left open inside it is closed with it
                while self._silent.pop() != tag:
                    pass
            return
        if tag == "a" and self._links:
            self._close_link(*self._links.pop())
        elif tag in _BLOCKS:
            self._pieces.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._pieces.append(re.sub(r"\s+", " ", data))

    def _close_link(self, url: str, since: int) -> None:
        shown = "".join(self._pieces[since:]).strip()
        address = url.removeprefix("mailto:").removeprefix("tel:")
        if url and not url.startswith("#") and shown != address:
            self._pieces.append(f" ({address})" if shown else address)
