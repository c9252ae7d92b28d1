"""The reference page of how values are written: the words in the column "type" of every other page. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from orchestrator.language.spec.conditions import Cel, CelMap, NameOrCel
from orchestrator.language.spec.languages import Language, TextType
from orchestrator.language.spec.times import Date, Duration, PerType, TimeOfDay, Timestamp
from orchestrator.language.spec.types import Bool, Int, Name, Names, Number, Percent, String, Value

if TYPE_CHECKING:
    from orchestrator.language.spec.types import Type


class Written(NamedTuple):
    """One word of the column "type".

    Attributes:
        word: As the tables write it.
        type: What reads it; None where the page of the part tells.
        how: How it is written.
        examples: As they stand in YAML.
    """

    word: str
    type: Type | None
    how: str
    examples: tuple[str, ...] = ()


WRITTEN: Final = (
    Written("name", Name(), "letters, digits and `_ . -`; no blanks, accents or pictures", ("em.welcome-1",)),
    Written("name of a …", Name(), "the same; it must be declared in the bundle", ("em.welcome-1",)),
    Written(
        "name*", NameOrCel(), "a name, or `{is: CEL}` where it is known only then", ("em.hello", "{is: entry.sku}")
    ),
    Written("name or list", Names(), "one, or several in brackets", ("order_placed", "[order_placed, purchase]")),
    Written(
        "duration",
        Duration(),
        "whole numbers with `w d h m s ms`, larger units first; a day is 24 hours, and there are no months: `30d`",
        ("90s", "1h30m", "7d", "2w"),
    ),
    Written(
        "duration, `day` `week` `month`",
        PerType(),
        "a rolling window, or the customer's calendar",
        ("7d", "month"),
    ),
    Written("time of day", TimeOfDay(), "two digits each, from 00:00 to 24:00", ('"08:00"', '"24:00"')),
    Written(
        "timestamp",
        Timestamp(),
        "date, `T`, time; with an offset one moment for everybody, without one on each customer's own clock",
        ("2026-03-02T11:00:00+01:00", "2026-03-02T11:00:00"),
    ),
    Written("date", Date(), "year, month, day", ("2026-12-25",)),
    Written(
        "path",
        String("path"),
        "a file of the bundle, seen from this file or from the bundle's folder",
        ("news.liquid",),
    ),
    Written("time zone", String(), "its IANA name", ("Europe/Paris",)),
    Written("percent", Percent(), "with the sign; a half is `50%`, not `0.5`", ("10%", "0.5%")),
    Written("bool", Bool(), "without quotes; neither `yes` nor `True`", ("true", "false")),
    Written("int", Int(), "a whole number", ("3",)),
    Written("0–100", Int(0, 100), "a whole number from the first to the second", ("50",)),  # noqa: RUF001 - as there
    Written("number", Number(), "a number", ("0.95",)),
    Written("language", Language(), "its tag: small letters, a region behind a hyphen", ("fr", "pt-BR")),
    Written("text", TextType(), "for everybody, or by language", ("Hello", "{en: Hello, fr: Bonjour}")),
    Written("value", Value(), "a plain text, number, `true` or `false`", ("gold", "5")),
    Written(
        "cel → bool",
        Cel("bool"),
        "a [condition](conditions.md); another type behind the arrow: a value of it. `cel` alone: any. A text has "
        "quotes of its own, `'\"gold\"'`",
        ("event.stars >= 4", "'\"sku-\" + event.sku'"),
    ),
    Written("map of cel", CelMap(), "names with such values", ("{sku: entry.sku, points: profile.points}",)),
    Written("map x → y", None, "a map whose keys are x", ()),
    Written("list of …", None, "with `- ` on lines of their own, or in brackets"),
    Written("`{a b c}`", None, "a map with these fields; they are told further down on the page"),
    Written("`a` `b` `c`", None, "one of these words"),
    Written("steps", None, "a list of [steps](steps.md)"),
)

_INTRO: Final = """\
In every table a field whose default is `–` must be given; one whose default is `none` may be left out. Any other
default is what counts where the field is not given.
"""  # noqa: RUF001 - as in the tables


def values_page(generated: str) -> str:
    """The page; `generated` is the remark on top of every generated page."""
    rows = [f"| {one.word} | {one.how} | {' · '.join(f'`{example}`' for example in one.examples)} |" for one in WRITTEN]
    head = "| type | how it is written | examples |\n|---|---|---|"
    return "\n\n".join(["# How values are written", generated, _INTRO.strip(), "\n".join([head, *rows])]) + "\n"
