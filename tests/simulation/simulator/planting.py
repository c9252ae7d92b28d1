"""How a defect is put into the real code, and taken out again."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any
from unittest.mock import patch

Patch = Callable[[ExitStack], None]


def replaced(target: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """A defect that puts something made of the original in its place."""

    def plant(stack: ExitStack) -> None:
        stack.enter_context(patch.object(target, name, make(getattr(target, name))))

    return plant


def always(value: Any) -> Callable[[Any], Any]:
    """Whatever is asked, the answer is this."""
    return lambda _: lambda *_, **__: value


def both(*patches: Patch) -> Patch:
    def plant(stack: ExitStack) -> None:
        for each in patches:
            each(stack)

    return plant
