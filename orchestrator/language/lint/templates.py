"""E-TYPE: Liquid that does not parse, in texts and in files of the bundle."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from liquid.exceptions import LiquidError

from orchestrator.language.bundle.texts import paths_named
from orchestrator.language.liquid.templates import MAX_SOURCE, Dialect
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.nearest import did_you_mean
from orchestrator.language.source.position import Position
from orchestrator.language.spec.fields import fields_of
from orchestrator.language.spec.values import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from orchestrator.language.lint.context import Context
    from orchestrator.language.spec.content import Variant

_SIMPLE: Final = re.compile(r"(?:[^{]++|\{(?![{%])|\{\{-?\s*+[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+\s*+-?\}\})*+")
"""Texts whose only Liquid is `{{ name }}`, which need no parser."""


def templates(context: Context) -> Iterator[Diagnostic]:
    """Parse every text of every variant, and every file that one names."""
    seen: set[str] = set()
    for draft in context.drafts.of("content"):
        for variant in draft.element.variants.values():
            yield from _texts(variant)
            for name in (variant.body_file, variant.file):
                for path in paths_named(name, variant.at.file, context.texts).values() if name else ():
                    if path not in seen:
                        seen.add(path)
                        yield from _file(path, context)


def _texts(variant: Variant) -> Iterator[Diagnostic]:
    for spec in fields_of(type(variant)):
        value = getattr(variant, spec.attribute)
        for language, text in value.by_language.items() if isinstance(value, Text) else ():
            problem = _problem(text)
            if problem is not None:
                message, hint, line, _ = problem
                where = f" in `{language}`" if language else ""
                where += f", line {line} of the text" if "\n" in text else ""
                yield diagnostic(
                    "E-TYPE", f"this Liquid does not parse{where}: {message}", variant.place(spec.name), hint=hint
                )


def _file(path: str, context: Context) -> Iterator[Diagnostic]:
    text = context.texts[path]
    problem = _problem(text)
    if problem is not None:
        message, hint, line, column = problem
        context.drafts.lines.setdefault(path, text.splitlines())
        yield diagnostic("E-TYPE", f"this Liquid does not parse: {message}", Position(path, line, column), hint=hint)


@lru_cache(maxsize=1)
def _dialect() -> Dialect:
    return Dialect(autoescape=False)


def _problem(text: str) -> tuple[str, str | None, int, int] | None:
    """What is wrong with a template: message, hint, line and column; None when it parses."""
    if _SIMPLE.fullmatch(text):
        return None
    if len(text) > MAX_SOURCE:
        return f"it is longer than {MAX_SOURCE:,} characters", "a message is read in a minute: shorten it", 1, 1
    environment = _dialect()
    try:
        filters = environment.from_string(text).analyze().filters
    except LiquidError as error:
        message = str(error.message or "it is not complete").splitlines()[0]
        return message, "`{{ name }}` shows a value, `{% if name %} ... {% endif %}` asks", *_place(error, text)
    except RecursionError:
        return "it is nested too deeply", None, 1, 1
    for name, spans in filters.items():
        if name not in environment.filters:
            line, column = spans[0].line_col(text)
            return f"there is no filter `{name}`", did_you_mean(name, environment.filters), line, column + 1
    return None


def _place(error: LiquidError, text: str) -> tuple[int, int]:
    start = getattr(error.token, "start_index", -1)
    if not 0 <= start <= len(text):
        return 1, 1
    return text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start)
