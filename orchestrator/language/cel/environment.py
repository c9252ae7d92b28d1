"""What an expression may name: roots and functions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from orchestrator.language.cel.types import Type


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function: parameter types and result type."""

    parameters: tuple[Type, ...]
    result: Type


@dataclass(frozen=True, slots=True)
class Function:
    """A function that the context of an evaluation answers.

    Attributes:
        name: As expressions write it, `count`.
        overloads: The ways to call it.
        method: The method of the context that is called with the arguments, the name if empty. It
            raises CelError when it has no answer.
        variadic: Whether the last parameter may come any number of times, also none.
        names: What the arguments are called, for messages and the reference; a shorter way takes the first ones.
    """

    name: str
    overloads: tuple[Overload, ...]
    method: str = ""
    variadic: bool = False
    names: tuple[str, ...] = ()

    @property
    def called(self) -> str:
        return self.method or self.name


class Environment:
    """Roots and functions, immutable. Share one between expressions: what is compiled is kept in it.

    Args:
        roots: Name to type. `event` is read as attribute `event` of the context. A name with dots
            (`a.b`) is one root, read as the attribute of that whole name.
        functions: What the context answers, besides the functions of CEL.
        strict: Refuse while compiling what cannot be right. Otherwise it is an error where and when
            it is evaluated, as CEL has it without its type checker: `x || true` is true.
    """

    def __init__(self, roots: Mapping[str, Type], functions: Iterable[Function] = (), strict: bool = True) -> None:
        self.roots: Mapping[str, Type] = MappingProxyType(dict(roots))
        self.functions: Mapping[str, Function] = MappingProxyType({one.name: one for one in functions})
        self.strict = strict
        self.compiled: dict[tuple[str, Type | None], object] = {}

    def with_roots(self, roots: Mapping[str, Type]) -> "Environment":
        """The same with more roots, or other types of them."""
        return Environment({**self.roots, **roots}, self.functions.values(), self.strict)
