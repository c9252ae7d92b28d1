"""Declared types: records, absent properties, functions of the context, what a place asks for."""

from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelError,
    CelTypeError,
    Duration,
    Environment,
    Function,
    Overload,
    Timestamp,
    Type,
    compile_expression,
    list_of,
    map_of,
    nullable,
    record,
)

HOUR = 3_600_000
CART = record("cart", {"total": DOUBLE, "lines": list_of(map_of(STRING, DYN))})
EVENT = record(
    "event",
    {
        "price": DOUBLE, "qty": INT, "sku": STRING, "note": nullable(STRING), "gift": nullable(BOOL),
        "rank": nullable(INT), "due": nullable(TIMESTAMP), "cart": nullable(CART), "weights": list_of(DOUBLE),
    },
)  # fmt: skip
PROFILE = record(
    "profile", {"cart": CART, "stage": map_of(STRING, STRING), "bought": map_of(STRING, TIMESTAMP)}, open=True
)
FUNCTIONS = [
    Function("catalog", (Overload((STRING,), map_of(STRING, DYN)),)),
    Function("count", (Overload((STRING,), INT), Overload((STRING, DURATION), INT)), method="count_events"),
    Function("first_of", (Overload((STRING, STRING), STRING),), variadic=True),
    Function("price", (Overload((STRING,), DOUBLE),)),
    Function("open", (Overload((STRING,), BOOL),)),
]
ENVIRONMENT = Environment({"event": EVENT, "profile": PROFILE, "now": TIMESTAMP, "class": STRING}, FUNCTIONS)


class Keyed(dict[str, str]):
    """A trait by key that gives its default for an unknown key."""

    def __missing__(self, key: str) -> str:
        return "aware"


class Context(SimpleNamespace):
    def catalog(self, sku: str) -> dict[str, Any]:
        return {"x1": {"family": "lamp"}}[sku]

    def count_events(self, type_: str, window: Duration | None = None) -> int:
        return len(type_) + (window.ms // HOUR if window else 0)

    def first_of(self, first: str, *others: str) -> str:
        return "|".join((first, *others))

    def price(self, sku: str) -> int:
        return 72

    def open(self, calendar: str) -> bool:
        raise CelError(f"calendar {calendar} has no hours yet")


def context(**event: Any) -> Context:
    given = {"price": 72, "qty": 3, "sku": "x1", "weights": [1, 2.5], **event}
    cart = {"total": 80.0, "lines": [{"sku": "x1", "qty": 2}]}
    profile = {"cart": cart, "stage": Keyed(lamp="decide"), "bought": {"x1": Timestamp.of_ms(5 * HOUR)}, "more": 7}
    now = Timestamp.of_ms(10 * HOUR)
    return Context(event=given, profile=profile, now=now, **{"class": "service"})


def value(source: str, expected: Type | None = None, **event: Any) -> Any:
    return compile_expression(source, ENVIRONMENT, expected).evaluate(context(**event))


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ('event.price >= 50.0 && profile.stage["lamp"] == "decide"', True),
        ("event.price >= 50 && event.qty < 3.5", True),
        ('profile.stage["desk"]', "aware"),
        ("profile.stage.desk", "aware"),
        ("now - profile.bought[event.sku] == duration('5h')", True),
        ("now - profile.bought[event.sku] > duration('4h59m')", True),
        ("now - duration('1h') >= profile.bought['x1']", True),
        ("profile.more + 1", 8),
        ("profile['more']", 7),
        ("profile.cart.lines.map(l, l.qty)", [2]),
        ("profile.cart.lines.exists(l, l.sku == event.sku)", True),
        ("catalog(event.sku).family", "lamp"),
        ("count('order')", 5),
        ("count('order', duration('2h'))", 7),
        ("first_of('a')", "a"),
        ("first_of('a', 'b', event.sku)", "a|b|x1"),
        ("class", "service"),
        ("'price' in event && !('colour' in event)", True),
        ("event.sku.size() + size(event.weights)", 4),
    ],
)
def test_value(source: str, result: Any) -> None:
    assert value(source) == result


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("event.price", 72.0),
        ("event.price / 5.0", 14.4),
        ("event.price / 5", 14.4),
        ("event.price + event.price", 144.0),
        ("-event.price", -72.0),
        ("string(event.price)", "72"),
        ("type(event.price) == double", True),
        ("price('x1') / 5", 14.4),
        ("event.weights.map(w, w / 2.0)", [0.5, 1.25]),
        ("event.weights[0] / 2.0", 0.5),
        ("event.price == 72 && event.price in [72.0]", True),
    ],
)
def test_a_declared_double_is_one_although_json_writes_an_int(source: str, result: Any) -> None:
    found = value(source)

    assert (type(found), found) == (type(result), result)


class TestAbsentProperty:
    """Declared, and this event lacks it: null. Unequal to every value, absent for `has`, else an error."""

    @pytest.mark.parametrize("place", ["note", "gift", "rank", "due"])
    def test_null_and_absent(self, place: str) -> None:
        other = {"note": "'a'", "gift": "true", "rank": "1", "due": "now"}[place]

        assert value(f"event.{place} == null")
        assert value(f"event.{place} != {other}")
        assert not value(f"event.{place} == {other}")
        assert not value(f"event.{place} in [{other}]")
        assert not value(f"has(event.{place})")
        assert not value(f"has(event.{place})", **{place: None})

    @pytest.mark.parametrize(
        "source",
        ["event.rank > 1", "event.rank + 1 == 2", "event.note < 'a'", "event.note + 'a' == 'a'", "!event.gift",
         "event.gift && true", "now - event.due > duration('1h')", "event.due < now", "size(event.note) == 0",
         "event.note.startsWith('a')", "event.cart.total > 1.0", "catalog(event.note).family == 'lamp'",
         "profile.stage[event.note] == 'a'", "-event.rank == 1", "event.gift ? true : false",
         "false || event.gift"],
    )  # fmt: skip
    def test_an_error_in_order_arithmetic_and_everything_else(self, source: str) -> None:
        with pytest.raises(CelError):
            value(source)

    def test_errors_are_absorbed_as_ever(self) -> None:
        assert value("event.rank > 1 || event.qty == 3")
        assert value("!has(event.gift) || !event.gift")
        assert not value("has(event.cart) && event.cart.total > 1.0")

    def test_has_looks_through_an_absent_record(self) -> None:
        assert not value("has(event.cart.total)")
        assert value("has(event.cart.total)", cart={"total": 1.0})

    def test_present_it_is_its_value(self) -> None:
        assert value("event.rank + 1", rank=4) == 5
        assert value("event.cart.total > 1.0", cart={"total": 2})
        assert value("has(event.gift) && !event.gift", gift=False)


class TestExpected:
    """What the static types leave open is decided when evaluated, by what the place asks for."""

    def test_a_double_where_an_int_is_written(self) -> None:
        found = value("event.qty", DOUBLE)
        assert (type(found), found) == (float, 3.0)

    @pytest.mark.parametrize(
        ("source", "expected"),
        [("profile.more", BOOL), ("profile.more", STRING), ("event.note", STRING), ("event.gift", BOOL)],
    )
    def test_a_value_of_another_type_is_an_error(self, source: str, expected: Type) -> None:
        with pytest.raises(CelError, match="is needed"):
            value(source, expected)

    def test_a_static_type_that_does_not_fit_is_refused(self) -> None:
        with pytest.raises(CelTypeError, match="a string is needed here, this is an int"):
            value("event.qty", STRING)

    def test_what_fits_passes(self) -> None:
        assert value("profile.more", INT) == 7
        assert value("[event.sku]", list_of(STRING)) == ["x1"]


def test_a_function_may_have_no_answer() -> None:
    with pytest.raises(CelError, match="calendar shop has no hours yet"):
        value("open('shop')")
    assert value("open('shop') || true")


def test_a_lookup_that_fails_in_a_function_is_no_answer() -> None:
    with pytest.raises(CelError, match="`catalog` knows nothing of that name"):
        value("catalog('x9').family == 'lamp'")
    assert value("catalog('x9').family == 'lamp' || event.qty == 3")


def test_an_argument_of_open_type_is_checked_before_the_call() -> None:
    with pytest.raises(CelError, match="a value of type string is needed, this is int"):
        value("catalog(profile.more)")


def test_messages_name_the_field_and_no_value() -> None:
    with pytest.raises(CelError) as absent:
        value("profile.nothing.at_all > 1")
    with pytest.raises(CelError) as keyed:
        value("profile.bought[event.sku] < now", sku="amy@example.com")

    assert str(absent.value) == "no such key: `profile.nothing`"
    assert str(keyed.value) == "no such key in this map"


def test_an_environment_with_more_roots() -> None:
    wider = ENVIRONMENT.with_roots({"other": EVENT})

    expression = compile_expression("other.sku == event.sku && count('a') == 1", wider)

    assert expression.evaluate(Context(other={"sku": "x1"}, event={"sku": "x1"}))
    with pytest.raises(CelTypeError):
        compile_expression("other.sku == 'a'", ENVIRONMENT)
