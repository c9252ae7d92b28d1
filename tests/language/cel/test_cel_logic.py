"""Errors that the other side of `&& || all exists` absorbs, on the fast path and on the exact one."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.language.cel import BOOL, DYN, CelError, Environment, compile_expression, list_of, nullable, record
from orchestrator.language.cel.compiler import checked_tree, define
from orchestrator.language.cel.generator import Generator

ERROR = "error"
# how a value is written: as what the types know to be a bool, and as what they know nothing about
KNOWN = {"T": "yes", "F": "no", ERROR: "1 / zero > 0", "null": "event.absent"}
OPEN = {"T": "any.t", "F": "any.f", ERROR: "any.nothing", "null": "any.nil", "5": "any.five"}
ENVIRONMENT = Environment(
    {"yes": BOOL, "no": BOOL, "zero": DYN, "any": DYN, "event": record("event", {"absent": nullable(BOOL)})},
)
CONTEXT = SimpleNamespace(
    yes=True, no=False, zero=0, event={}, any={"t": True, "f": False, "nil": None, "five": 5},
)  # fmt: skip


def decided(operands: tuple[str, ...], deciding: str) -> str:
    """CEL's rule: the deciding value wins; then what is no bool is an error; then the opposite."""
    if deciding in operands:
        return deciding
    return ERROR if set(operands) - {"T", "F"} else {"T": "F", "F": "T"}[deciding]


def answer(source: str, exact: bool) -> str:
    evaluate = compile_expression(source, ENVIRONMENT).evaluate
    if exact:
        evaluate = define(Generator(ENVIRONMENT.roots).program(checked_tree(source, ENVIRONMENT), None), {})
    try:
        return {True: "T", False: "F"}[evaluate(CONTEXT)]
    except CelError:
        return ERROR


@pytest.mark.parametrize("exact", [False, True], ids=["fast, then exact", "exact alone"])
@pytest.mark.parametrize("writing", [KNOWN, OPEN], ids=["known types", "open types"])
@pytest.mark.parametrize(("operator", "deciding"), [("&&", "F"), ("||", "T")])
def test_truth_tables(operator: str, deciding: str, writing: dict[str, str], exact: bool) -> None:
    for count in (2, 3):
        for operands in itertools.product(writing, repeat=count):
            source = f" {operator} ".join(writing[one] for one in operands)
            found = answer(source, exact)
            assert found == decided(operands, deciding), source


@pytest.mark.parametrize("exact", [False, True], ids=["fast, then exact", "exact alone"])
@pytest.mark.parametrize(("macro", "deciding"), [("all", "F"), ("exists", "T")])
def test_macros_absorb_in_either_order(macro: str, deciding: str, exact: bool) -> None:
    values = {"T": "2", "F": "-2", ERROR: "0"}
    for elements in itertools.product(values, repeat=3):
        source = f"[{', '.join(values[one] for one in elements)}].{macro}(e, 4 / e > 0)"
        found = answer(source, exact)
        assert found == decided(elements, deciding), source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("any.nothing ? true : true", ERROR),
        ("any.five ? true : true", ERROR),
        ("yes ? true : 1 / zero > 0", "T"),
        ("no ? 1 / zero > 0 : true", "T"),
        ("!any.nothing || true", "T"),
        ("[1, 0].exists_one(e, 1 / e == 1)", ERROR),
        ("[1, 0].filter(e, 1 / e == 1).size() == 1 || true", "T"),
        ("[1, 0].map(e, 1 / e).size() == 2 && false", "F"),
        ("(1 / zero > 0 || true) && (1 / zero > 0 || no) || yes", "T"),
        ("[[0], [1]].exists(l, l.all(e, 1 / e == 1))", "T"),
    ],
)
def test_who_absorbs_and_who_does_not(source: str, expected: str) -> None:
    assert answer(source, exact=False) == expected
    assert answer(source, exact=True) == expected


def test_the_first_error_is_told() -> None:
    expression = compile_expression("any.first == 1 || any.second == 2", ENVIRONMENT)

    with pytest.raises(CelError, match=r"no such key: `any\.first`"):
        expression.evaluate(CONTEXT)


class Failing:
    """A context whose own code is broken."""

    any: Any = None

    @property
    def zero(self) -> int:
        raise RuntimeError("the engine has a fault")


def test_a_fault_of_the_context_is_not_absorbed() -> None:
    expression = compile_expression("zero == 1 || true", ENVIRONMENT)

    with pytest.raises(RuntimeError, match="the engine has a fault"):
        expression.evaluate(Failing())


def test_an_error_of_the_context_is_absorbed() -> None:
    class Unknown:
        yes = True

        @property
        def zero(self) -> int:
            raise CelError("not known at this moment")

    assert compile_expression("zero == 1 || yes", ENVIRONMENT).evaluate(Unknown()) is True
    with pytest.raises(CelError, match="not known at this moment"):
        compile_expression("zero == 1", ENVIRONMENT).evaluate(Unknown())


def test_a_bool_is_no_number() -> None:
    environment = Environment({"l": list_of(DYN), "x": DYN})
    context = SimpleNamespace(l=[True, 2], x=True)

    for source in ["1 in l", "x == 1", "l == [1, 2]", "x in [1]", "{1: 'a'} == {x: 'a'}"]:
        assert compile_expression(source, environment).evaluate(context) is False, source
    for source in ["x < 2", "{1: 'a'}[x]", "[7, 8][x]", "x + 1"]:
        with pytest.raises(CelError):
            compile_expression(source, environment).evaluate(context)
