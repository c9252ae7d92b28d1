"""What a marketer reads when an expression cannot be right: the place, the sentence, the hint."""

import pytest

from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelProblem,
    CelSyntaxError,
    Environment,
    Function,
    Overload,
    compile_expression,
    list_of,
    map_of,
    nullable,
    record,
)

EVENT = record(
    "event",
    {"price": DOUBLE, "product": STRING, "items": list_of(STRING), "note": nullable(STRING), "qty": INT, "gift": BOOL},
)
ENVIRONMENT = Environment(
    {"event": EVENT, "profile": record("profile", {"stage": map_of(STRING, STRING)}, open=True), "now": TIMESTAMP},
    [Function("count", (Overload((STRING, STRING), INT), Overload((STRING, STRING, STRING, DYN), INT)))],
)

MESSAGES = [
    # names
    ("event.prise > 1", "1:7 +5: `event` has no field `prise`; did you mean `price`?"),
    ("has(event.prise)", "1:1 +16: `event` has no field `prise`; did you mean `price`?"),
    ('event["prise"] > 1', "1:7 +7: `event` has no field `prise`; did you mean `price`?"),
    ("evnet.price > 1", "1:1 +5: unknown name `evnet`; did you mean `event`?"),
    ("event.product == lamp", '1:18 +4: unknown name `lamp`; a literal text has quotes: "lamp"'),
    ("count == 1", "1:1 +5: unknown name `count`; `count` is a function: count(...)"),
    ("Event.price > 1.0", "1:1 +5: unknown name `Event`; did you mean `event`?"),
    # functions
    ('cuont("page_read", "7d") > 1', "1:1 +5: unknown function `cuont`; did you mean `count`?"),
    ("event.product.startswith('a')", "1:15 +10: unknown function `startswith`; did you mean `startsWith`?"),
    ("startsWith(event.product, 'a')", "1:1 +10: `startsWith` is not called like this; write value.startsWith(...)"),
    ("event.product.count('a')", "1:15 +5: unknown function `count`; write count(...)"),
    (
        'count("page_read") > 1',
        "1:1 +5: `count` does not take (string); write count(string, string) or count(string, string, string, dyn)",
    ),
    ("event.qty.contains('a')", "1:11 +8: `contains` does not take (int, string); write string.contains(string)"),
    # types
    ('event.price + "a"', "1:1 +17: `+` does not take a double and a string; make text of it: string(...)"),
    (
        'event.price >= "50"',
        "1:1 +19: `>=` does not take a double and a string; a number has no quotes: 50",
    ),
    ("event.gift == 1", "1:1 +15: a bool and an int are never equal"),
    ("event.product in event.qty", "1:1 +26: `in` cannot find a string in an int"),
    (
        '"a" in "lamp"',
        "1:1 +13: `in` cannot find a string in a string; write [...] for a list, .contains(...) for a part of a text",
    ),
    (
        'now + duration("24h") * event.qty > now',
        '1:7 +27: `*` does not take a duration and an int; a span of so many hours is duration(string(...) + "h")',
    ),
    ("now + 3 > now", '1:1 +7: `+` does not take a timestamp and an int; say of what: duration("3d")'),
    ("event.product && event.gift", '1:1 +13: `&&` needs a bool, this is a string; compare it: ... != ""'),
    ("!event.items", "1:2 +11: `!` needs a bool, this is a list(string); compare it: size(...) > 0"),
    ("event.qty", "1:1 +9: a bool is needed here, this is an int; compare it: ... > 0"),
    ("event.qty.exists(x, x > 1)", "1:1 +9: `exists` goes through a list or a map, this is an int"),
    ("event.items['a'] == 'b'", "1:13 +3: a list is read by number, this is a string"),
    ("event.product.name == 'b'", "1:1 +18: `.name` asks for a map, this is a string"),
    # literals that can be known to be wrong
    ('now - now > duration("7 days")', "1:22 +8: not a duration; write 90s, 30m, 2h, 7d or 1h30m"),
    ('now > timestamp("yesterday")', "1:17 +11: not a timestamp; write 2026-03-02T08:15:00Z"),
    ("event.product.matches('(')", "1:23 +3: not a regular expression: missing ): ("),
    # syntax
    ("event.price = 1", "1:13 +1: unexpected character '='; CEL compares with `==`"),
    ("event.gift and event.gift", "1:12 +3: unexpected `and`; CEL writes `&&`"),
    (
        "event.grösse > 1",
        "1:9 +1: unexpected character 'ö'; names have a-z, 0-9 and `_` here: read this one as `x[\"grösse\"]`",
    ),
    ("event.gift & event.gift", "1:12 +1: unexpected character '&'; CEL writes `&&`"),
    ("event.product == \u201clamp\u201d", "1:18 +1: unexpected character '\u201c'; write a straight quote: \""),
    ("event.product == 'lamp", "1:18 +1: this string is not closed; add ' at its end"),
    ("event.price >", "1:14 +1: the expression ends too early"),
    ("(event.price > 1.0", "1:19 +1: the expression ends too early; `(` is closed by `)`"),
    ("event.gift ? 1", "1:15 +1: the expression ends too early; the `?` at column 12 needs a `:`"),
    ("event.gift)", "1:11 +1: unexpected `)`"),
    ("event.price > 1x", "1:15 +1: this number is not well formed"),
    ("'\\d' == 'a'", "1:2 +2: unknown escape in a string; write \\\\ for a backslash, or a raw string: r'...'"),
    ("has(event)", "1:1 +3: `has` asks for a field; write has(event.price)"),
    ("event.items.all(1, true)", "1:17 +1: the first argument of `all` is a name for one element; write all(x, ...)"),
    ("if(event.gift)", "1:1 +2: unexpected `if`; this word is reserved; it cannot be a name"),
    ("Order{id: 1}", '1:1 +5: there are no message types to build here; a map is written {"key": value}'),
    ("9223372036854775808 > 1", "1:1 +19: this number does not fit a signed 64-bit integer"),
    ("", "1:1 +1: the expression is empty"),
    # the place is counted in code points and lines
    ("event.gift &&\n  '\U0001f600' == event.qty", "2:3 +16: a string and an int are never equal"),
]


@pytest.mark.parametrize(("source", "expected"), MESSAGES)
def test_message(source: str, expected: str) -> None:
    with pytest.raises(CelProblem) as caught:
        compile_expression(source, ENVIRONMENT, BOOL)

    problem = caught.value
    place = f"{problem.line}:{problem.column} +{problem.length}"
    assert f"{place}: {problem.message}" + (f"; {problem.hint}" if problem.hint else "") == expected


def test_the_offset_points_at_the_same_place() -> None:
    source = "event.gift &&\n  evnt.gift"

    with pytest.raises(CelProblem) as caught:
        compile_expression(source, ENVIRONMENT)

    problem = caught.value
    assert source[problem.offset : problem.offset + problem.length] == "evnt"
    assert str(problem) == "2:3: unknown name `evnt` (did you mean `event`?)"


def test_size_limits_are_syntax_errors() -> None:
    with pytest.raises(CelSyntaxError, match="at most 16384 characters"):
        compile_expression("1 + " * 5000 + "1", ENVIRONMENT)
    with pytest.raises(CelSyntaxError, match="nested deeper than 64 levels"):
        compile_expression("(" * 250 + "1" + ")" * 250, ENVIRONMENT)
