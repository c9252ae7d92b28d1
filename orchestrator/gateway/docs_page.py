"""The API's description as a page for people: plain HTML from the OpenAPI document, nothing loaded from elsewhere."""

import json
import re
from collections.abc import Iterator, Mapping
from html import escape
from itertools import groupby
from typing import Any, Final

_DATA_OF: Final = "data of "


def docs_page(description: Mapping[str, Any]) -> str:
    """A page that says what the gateway takes and answers, and which events there are.

    Args:
        description: the OpenAPI document; a component whose title begins with `data of` is an event's data.
    """
    info = description["info"]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{escape(info['title'])}</title></head><body>",
            f"<h1>{escape(info['title'])}</h1>",
            *_paragraphs(info["description"]),
            '<p>For programs: <a href="/openapi.json">/openapi.json</a> (OpenAPI).</p>',
            *_operations(description),
            *_events(description["components"]["schemas"]),
            "</body></html>",
        ]
    )


def _operations(description: Mapping[str, Any]) -> Iterator[str]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"<h2>{method.upper()} {escape(path)}</h2><p><b>{escape(operation.get('summary', ''))}.</b></p>"
            yield from _paragraphs(operation.get("description", ""))
            yield from _request(operation, description["components"]["schemas"])
            rows = [(code, answer["description"]) for code, answer in operation["responses"].items()]
            yield _table(("status", "says"), rows)
            yield from _answer(operation, description["components"]["schemas"])


def _paragraphs(text: str) -> Iterator[str]:
    """The little of Markdown that descriptions use: paragraphs, tables, bold, code."""
    for block in text.strip().split("\n\n"):
        for lines, as_table in _runs(block.splitlines()):
            if as_table:
                head, _, *rows = [[_inline(cell) for cell in line.strip("| ").split(" | ")] for line in lines]
                yield _rows(head, rows)
            elif any(lines):
                yield f"<p>{_inline(' '.join(lines))}</p>"


def _runs(lines: list[str]) -> Iterator[tuple[list[str], bool]]:
    """The lines of a block, those of a table apart."""
    for as_table, run in groupby(lines, lambda line: line.startswith("|")):
        yield list(run), as_table


def _inline(text: str) -> str:
    bold = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(text))
    return re.sub(r"`(.+?)`", r"<code>\1</code>", bold)


def _answer(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    """The fields of what comes back when all goes well, and of the parts of it."""
    for code, answer in operation["responses"].items():
        content = answer.get("content", {}) if code.startswith("2") else {}
        for name in (name for kind in content.values() for name in _referred(kind.get("schema", {}))):
            yield f"<p>The answer:</p>{_fields(schemas[name])}"
            for part in _parts_of(schemas[name]):
                yield f"<p>{escape(part)}:</p>{_fields(schemas[part])}"


def _parts_of(schema: Mapping[str, Any]) -> list[str]:
    """The names of the components that the fields of a component hold."""
    held = [_held(field) for field in schema.get("properties", {}).values()]
    each = [one for field in held for one in (field, *field.get("anyOf", ()))]
    return list(dict.fromkeys(name for one in each for name in _referred(one)))


def _held(field: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a field is, or what its list or map is of."""
    of = field.get("additionalProperties")
    held: Mapping[str, Any] = of if isinstance(of, Mapping) else field.get("items", field)
    return held


def _request(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[str]:
    parameters = [(each["name"], each["in"], _kind(each["schema"])) for each in operation.get("parameters", ())]
    if parameters:
        yield _table(("parameter", "in", "type"), parameters)
    content = operation.get("requestBody", {}).get("content", {})
    model = next((found for kind in content.values() for found in _referred(kind["schema"])), None)
    if model is not None:
        yield from _model(schemas[model])


def _referred(schema: Mapping[str, Any]) -> Iterator[str]:
    """The names of the components that a body may be."""
    for each in (schema, *schema.get("oneOf", ())):
        if "$ref" in each:
            yield each["$ref"].rpartition("/")[2]


def _model(schema: Mapping[str, Any]) -> Iterator[str]:
    yield _fields(schema)
    if "example" in schema:
        example = json.dumps(schema["example"], indent=2, ensure_ascii=False)
        yield f"<p>Such as</p><pre>{escape(example)}</pre>"


def _fields(schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (name, _kind(field), "yes" if name in required else "", field.get("description", ""))
        for name, field in schema.get("properties", {}).items()
    ]
    return _table(("field", "type", "required", "says"), rows) if rows else ""


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema's type in a few words."""
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"map of {_kind(schema['additionalProperties'])}"
    return str(schema.get("format") or schema.get("type") or "any")


def _events(schemas: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>Events</h2><p>By channel and type, what <code>data</code> may hold beside the identifiers.</p>"
    for name, schema in sorted(schemas.items()):
        if schema.get("title", "").startswith(_DATA_OF):
            channel, _, kind = name.partition(".")
            yield f"<h3>{escape(kind)} on {escape(channel)}</h3><p>{escape(schema.get('description', ''))}</p>"
            yield _fields(schema)


def _table(head: tuple[str, ...], rows: list[Any]) -> str:
    return _rows([escape(title) for title in head], [[_inline(str(cell)) for cell in row] for row in rows])


def _rows(head: list[str], rows: list[list[str]]) -> str:
    titles = "".join(f"<th>{title}</th>" for title in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table border="1" cellpadding="4"><tr>{titles}</tr>{lines}</table>'
