"""Liquid, as far as messages and slots need it: bounded, escaped in HTML, and refused at load what it cannot do.

A template is parsed once per text and kept by the hash of that text; rendering is synchronous. Values are data:
they are never parsed, whatever braces are in them, and they are plain JSON, so no template reaches an object.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from liquid import BoundTemplate, Environment, FalsyStrictUndefined, Mode
from liquid.exceptions import LiquidError, UndefinedError

from orchestrator.language.liquid.filters import MAX_ITEMS, MAX_TEXT, REMOVED, Work, bounded, local_date

MAX_SOURCE: Final = 256 * 1024
_KEPT_TEMPLATES: Final = 1024
_TAG: Final = re.compile(
    r"<(!doctype|html|head|body|style|p|a|div|span|table|tr|td|br|hr|h[1-6]|ul|ol|li|img|strong|em|b|i)(?=[\s/>])",
    re.IGNORECASE,
)


class TemplateError(ValueError):
    """A template that cannot be used, or not with these values.

    The text says what and where (line and column in the template) and never repeats a value.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        """An error at a place of the template; line and column count from 1, 0 where unknown."""
        super().__init__(f"{message}, at line {line}, column {column}" if line else message)
        self.line = line
        self.column = column


class Dialect(Environment):  # type: ignore[misc]  # seen untyped, see pyproject.toml
    """The dialect. The limits are class attributes because the library reads them there."""

    block_nesting_limit = 20
    context_depth_limit = 20
    loop_iteration_limit = MAX_ITEMS
    local_namespace_limit = 4 * MAX_TEXT
    output_stream_limit = MAX_TEXT

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            tolerance=Mode.STRICT, undefined=FalsyStrictUndefined, strict_filters=True, autoescape=autoescape
        )
        for tag in ("include", "render"):
            del self.tags[tag]
        self.work = Work()
        for name in REMOVED:
            del self.filters[name]
        self.add_filter("date", local_date)
        for name, made in list(self.filters.items()):
            self.add_filter(name, bounded(name, made, self.work))


def may_hold_liquid(text: str) -> bool:
    """Whether there is anything to render in a text."""
    return "{{" in text or "{%" in text


class Templates:
    """Parses, keeps and renders templates."""

    def __init__(self) -> None:
        self._html = Dialect(autoescape=True)
        self._text = Dialect(autoescape=False)
        self._parsed: OrderedDict[tuple[bytes, bool], BoundTemplate] = OrderedDict()

    def check(self, source: str) -> None:
        """Refuse what could not be rendered with any values.

        Raises:
            TemplateError: it does not parse, or uses a tag or filter that does not exist here.
        """
        self._template(source, html=is_html(source))

    def render(self, source: str, values: Mapping[str, Any], *, html: bool = False) -> str:
        """The text of a template with these values.

        Args:
            source: the template.
            values: what it may read: JSON, nothing else.
            html: escape every value for HTML.

        Raises:
            TemplateError: it does not parse, reads a value that is not there, or passes a limit.
        """
        template = self._template(source, html=html)
        (self._html if html else self._text).work.renew()
        try:
            return str(template.render(**values))
        except UndefinedError as fault:
            raise _located(_undefined(str(fault.message), source), fault) from None
        except LiquidError as fault:
            raise _located("the template cannot be rendered", fault) from None
        except (ValueError, TypeError, ArithmeticError, LookupError, RecursionError) as fault:
            # What the library's filters let through on strange values; its text may hold the value.
            raise TemplateError(f"the template cannot be rendered: {type(fault).__name__}") from None

    def _template(self, source: str, *, html: bool) -> BoundTemplate:
        key = (hashlib.sha256(source.encode()).digest(), html)
        found = self._parsed.get(key)
        if found is None:
            found = self._parsed[key] = self._parse(source, html=html)
            if len(self._parsed) > _KEPT_TEMPLATES:
                self._parsed.popitem(last=False)
        else:
            self._parsed.move_to_end(key)
        return found

    def _parse(self, source: str, *, html: bool) -> BoundTemplate:
        if len(source) > MAX_SOURCE:
            raise TemplateError(f"the template is longer than {MAX_SOURCE} characters")
        environment = self._html if html else self._text
        try:
            template = environment.from_string(source)
            filters = template.analyze().filters
        except LiquidError as fault:
            raise _located(str(fault.message or "the template does not parse"), fault) from None
        except RecursionError:
            raise TemplateError("the template is nested too deeply") from None
        for name, spans in filters.items():
            if name not in environment.filters:
                line, column = spans[0].line_col(source)
                raise TemplateError(f"there is no filter {name!r} here", line, column)
        return template


def is_html(source: str) -> bool:
    """Whether a body is meant as HTML: it holds a tag."""
    return _TAG.search(source) is not None


def _undefined(message: str, source: str) -> str:
    """What is not there. A name that the template writes may be told; a key that it takes from a value may not."""
    name = message.removesuffix(" is undefined").strip("'")
    return message if name in source else "a value that the template reads is not there"


def _located(message: str, fault: LiquidError) -> TemplateError:
    place = fault.context()
    kind = type(fault).__name__
    line, column = (place[0], place[1] + 1) if place else (0, 0)
    return TemplateError(f"{message} ({kind})", line, column)
