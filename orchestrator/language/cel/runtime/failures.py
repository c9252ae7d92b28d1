"""The sentences of run-time errors that several modules of the runtime share."""

from __future__ import annotations

from orchestrator.language.cel.errors import CelError
from orchestrator.language.cel.values import type_name


def no_overload(function: str, *values: object) -> CelError:
    """The function or operator does not take values of these types."""
    if any(value is None for value in values):
        return CelError(f"`{function}` does not take null: something that it is given is absent")
    return CelError(f"`{function}` does not take ({', '.join(map(type_name, values))})")


def not_a_bool(value: object) -> CelError:
    return CelError(f"a bool is needed, this is {type_name(value)}")


def too_large(what: str, limit: int) -> CelError:
    return CelError(f"{what} would be longer than {limit}")
