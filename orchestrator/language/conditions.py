"""Evaluate one bare expression, as the CEL specification defines it.

The language goes beyond CEL in these points, here and in scenarios:

* An int and a double mix in `+ - * /`; the int counts as a double. scenarios also compare
  numbers across their types, where CEL's checker asks for `dyn()`.
* `duration("7d")` knows `d` (24 hours) and `w` beside `h m s ms us ns`.
* `fold(text)`: lower case, accents removed, single spaces.
* A field that is declared but absent is null. (Here nothing is declared: an absent one is an error.)
* `string(1500000.0)` is `1500000`: an exponent only from 1e21 and below 1e-4.

Of the extensions of CEL it has `cel.bind`, the strings functions (without `format` and `quote`) and
of math those on numbers (without bits). There are no protocol buffer messages.

Types are not checked beforehand, so a name or function that does not exist is an error where it is
evaluated: `x || true` is true.
"""

import functools
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from orchestrator.language.cel import DYN, Environment, Expression, compile_expression


def evaluate(source: str, names: Mapping[str, Any]) -> Any:
    """The value of an expression in which the given names stand for the given values.

    Args:
        source: CEL.
        names: Name to value. Values are None, bool, int, float, str, bytes, lists or tuples, dicts,
            and `UInt`, `Timestamp`, `Duration` of `orchestrator.language.cel`. A name may have dots.

    Returns:
        A value of the same kinds, or a `TypeValue`.

    Raises:
        CelProblem: The text is not CEL; it says where and what to write.
        CelError: It has no value: an unknown name, an absent field, a division by zero, values of
            types that an operator does not take, a limit.
    """
    return _compiled(source, frozenset(names)).evaluate(SimpleNamespace(**names))


@functools.lru_cache(maxsize=256)
def _compiled(source: str, names: frozenset[str]) -> Expression:
    return compile_expression(source, Environment(dict.fromkeys(names, DYN), strict=False))
