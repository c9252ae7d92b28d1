"""Source text to an expression that evaluates."""

import functools
from collections.abc import Callable
from typing import Any, Final, cast

from orchestrator.language.cel import analysis
from orchestrator.language.cel.checker import Checker
from orchestrator.language.cel.environment import Environment
from orchestrator.language.cel.errors import CelError, CelSyntaxError, CelWorkError
from orchestrator.language.cel.fast import FastGenerator
from orchestrator.language.cel.generator import Generator
from orchestrator.language.cel.parser import parse
from orchestrator.language.cel.runtime import NAMESPACE
from orchestrator.language.cel.syntax import Node
from orchestrator.language.cel.types import Type

_FAULTS: Final = (CelError, LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)

Evaluate = Callable[[Any], Any]


class Expression:
    """A checked expression. Immutable, shared between all who compile the same text in one environment.

    Attributes:
        source: Its text.
        type: The static type of its value.
        reads: Static paths of what it reads of the context, such as ("event", "price") and ("now",).
        calls: The calls of declared functions, in the order of the source.
        equalities: (path, literals) that must hold for it to be true: where the value at the path is
            none of the literals, it is false or an error.
        constant: (True, value) when it needs no context, else None.
        roots: The names that it may read, with their types.
    """

    def __init__(self, source: str, tree: Node, environment: Environment, expected: Type | None) -> None:
        roots = frozenset(environment.roots)
        self.source = source
        self.type = tree.type if expected is None or expected.kind == "dyn" else expected
        self.reads = analysis.reads_of(tree, roots)
        self.calls = analysis.calls_of(tree)
        self.equalities = analysis.equalities_of(tree, roots)
        self._tree = tree
        self.roots = environment.roots
        self._expected = expected

    @functools.cached_property
    def evaluate(self) -> Evaluate:
        """`evaluate(ctx) -> value`, a plain function, made when first asked for.

        It reads roots as attributes of `ctx` and calls declared functions as its methods. It raises
        CelError where the expression has no value, also where a lookup fails in such a method
        (LookupError). Any other exception is a fault in the code of `ctx` and comes through.
        """
        fast = FastGenerator(self.roots).program(self._tree, self._expected)
        exact = Generator(self.roots).program(self._tree, self._expected)
        del self._tree  # many thousand expressions live long, their trees need not
        return assemble(fast, exact)

    @functools.cached_property
    def constant(self) -> tuple[bool, Any] | None:
        if self.reads or self.calls:
            return None
        try:
            return True, self.evaluate(None)
        except CelError:
            return None

    def __repr__(self) -> str:
        return f"Expression({self.source!r}, {self.type})"


@functools.lru_cache(maxsize=16_384)
def assemble(fast: str, exact: str) -> Evaluate:
    """Python source to a function; equal source of different environments shares one."""

    @functools.lru_cache(maxsize=1)
    def exactly() -> Evaluate:
        return define(exact, {})

    def again(context: Any) -> Any:
        try:
            return exactly()(context)
        except RecursionError:
            raise CelError("the values are nested too deeply") from None

    return define(fast, {"again": again, "FAULTS": _FAULTS, "FINAL": CelWorkError})


def define(program: str, names: dict[str, Any]) -> Evaluate:
    """The function `evaluate` of a generated program, which sees the runtime and these names."""
    namespace = {**NAMESPACE, **names}
    exec(compile(program, "<cel>", "exec"), namespace)  # noqa: S102 - code that we generated from a checked tree
    return cast("Evaluate", namespace["evaluate"])


def checked_tree(source: str, environment: Environment, expected: Type | None = None) -> Node:
    """The syntax tree of an expression, with types; raises as `compile_expression` does."""
    try:
        tree = parse(source)
        Checker(source, environment).result(tree, expected)
    except RecursionError:
        raise CelSyntaxError("nested too deeply", source, 0, len(source)) from None
    return tree


def compile_expression(source: str, environment: Environment, expected: Type | None = None) -> Expression:
    """Parse and check an expression; its code is made when it is first evaluated.

    Args:
        source: CEL, with the additions of the scenario language.
        environment: What it may name. Compiled expressions are kept in it: the same text gives the
            same object.
        expected: The type that its place asks for. A value whose static type leaves that open is
            checked when evaluated; an int becomes a double where one is asked for.

    Raises:
        CelSyntaxError: It does not parse, or is larger than the limits.
        CelTypeError: A name, field, function or type in it cannot be right.
    """
    key = (source, expected)
    found = environment.compiled.get(key)
    if found is None:
        tree = checked_tree(source, environment, expected)
        found = environment.compiled[key] = Expression(source, tree, environment, expected)
    return cast("Expression", found)
