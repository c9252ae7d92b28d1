"""`&& || all exists exists_one`, exact: an error on one side is absorbed when the other side decides."""

from collections.abc import Callable, Iterable
from typing import Any

from orchestrator.language.cel.errors import CelError, CelWorkError
from orchestrator.language.cel.runtime.failures import not_a_bool


def truth(value: Any) -> bool:
    """The value, if it is a bool."""
    if value is True or value is False:
        return value
    raise not_a_bool(value)


def negation(value: Any) -> bool:
    return not truth(value)


def _decided(values: Iterable[Callable[[], Any]], deciding: bool) -> bool:
    """`deciding` if any value is that; else the first error; else the opposite."""
    failure: CelError | None = None
    for value in values:
        try:
            if truth(value()) is deciding:
                return deciding
        except CelWorkError:
            raise
        except CelError as error:
            failure = failure or error
    if failure is not None:
        raise failure
    return not deciding


def every(*operands: Callable[[], Any]) -> bool:
    """`a && b && ...`."""
    return _decided(operands, deciding=False)


def some(*operands: Callable[[], Any]) -> bool:
    """`a || b || ...`."""
    return _decided(operands, deciding=True)


def all_of(elements: list[Any], predicate: Callable[[Any], Any]) -> bool:
    """`elements.all(x, predicate)`."""
    return _decided((_later(predicate, one) for one in elements), deciding=False)


def exists_in(elements: list[Any], predicate: Callable[[Any], Any]) -> bool:
    """`elements.exists(x, predicate)`."""
    return _decided((_later(predicate, one) for one in elements), deciding=True)


def _later(predicate: Callable[[Any], Any], element: Any) -> Callable[[], Any]:
    return lambda: predicate(element)


def one_of(elements: list[Any], predicate: Callable[[Any], Any]) -> bool:
    """`elements.exists_one(x, predicate)`: absorbs nothing."""
    return sum(1 for one in elements if truth(predicate(one))) == 1
