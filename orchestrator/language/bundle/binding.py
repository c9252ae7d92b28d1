"""Compiles every condition and value of the documents with the names that are in scope at its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from orchestrator.language.cel import (
    BOOL,
    DOUBLE,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    CelProblem,
    Environment,
    Expression,
    Type,
    compile_expression,
    list_of,
    map_of,
)
from orchestrator.language.source.diagnostic import Diagnostic, diagnostic
from orchestrator.language.source.inside import place_inside
from orchestrator.language.spec.conditions import Pending
from orchestrator.language.spec.fields import Element, fields_of
from orchestrator.language.spec.steps import Step
from orchestrator.language.spec.traits import Trait
from orchestrator.language.spec.values import KeyedBy, NameOr

if TYPE_CHECKING:
    from orchestrator.language.bundle.draft import Draft
    from orchestrator.language.bundle.scopes import Scopes
    from orchestrator.language.bundle.typing import Typing

_NO_FIELD: Final = re.compile(r"`([\w.]+)` has no field `(\w+)`")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_MEMBER: Final = re.compile(r"\.(\w+)")
_PLACED: Final = frozenset({"event", "entry", "steps", "vars", "profile"})
_HAVE_FIELDS: Final = ("event", "entry", "profile", "facts", "vars")
_MOST_LISTED: Final = 20
_EXPECTED: Final[dict[str, Type]] = {
    "bool": BOOL,
    "double": DOUBLE,
    "int": INT,
    "string": STRING,
    "key": STRING,
    "timestamp": TIMESTAMP,
    "list": list_of(DYN),
    "map": map_of(STRING, DYN),
}


@dataclass(slots=True)
class Bound:
    """One compiled expression and where it stands.

    Attributes:
        expression: Compiled.
        pending: As read.
        roots: The roots it was compiled with.
        draft: Its document.
        part: The step or trait it belongs to, else None.
    """

    expression: Expression
    pending: Pending
    roots: dict[str, Type]
    draft: Draft
    part: Element | None = None


@dataclass(slots=True)
class Binder:
    """Compiles conditions.

    Attributes:
        typing: Types of what is known.
        diagnostics: What does not compile.
        bound: All that does.
    """

    typing: Typing
    diagnostics: list[Diagnostic] = field(default_factory=list)
    bound: list[Bound] = field(default_factory=list)
    _environments: dict[tuple[tuple[str, int], ...], tuple[Environment, dict[str, Type]]] = field(default_factory=dict)
    _functions: tuple[Any, ...] = ()
    _part: Element | None = None

    def bind(self, draft: Draft, scopes: Scopes) -> None:
        """Compile all conditions of a document, in place."""
        self._functions = self._functions or self.typing.functions()
        before = len(self.diagnostics)
        self._element(draft.element, scopes, draft)
        if len(self.diagnostics) > before:
            draft.sound = False

    def _element(self, element: Element, scopes: Scopes, draft: Draft) -> None:
        if isinstance(element, Step | Trait):
            around, self._part = self._part, element
            self._parts(element, scopes.inside(element), draft)
            self._part = around
        else:
            self._parts(element, scopes.inside(element), draft)

    def _parts(self, element: Element, inner: Scopes, draft: Draft) -> None:
        if isinstance(element, Step):
            self._step(element, inner, draft)
            return
        for spec in fields_of(type(element)):
            value = getattr(element, spec.attribute)
            if value is None or isinstance(value, str | int | float):
                continue
            bound = self._value(value, inner.named(spec.name, element), draft)
            if bound is not value:
                object.__setattr__(element, spec.attribute, bound)

    def _step(self, step: Step, scopes: Scopes, draft: Draft) -> None:
        self._element(step.body, scopes, draft)
        for branch in (step.then, step.on_timeout, step.else_):
            for inner in branch:
                self._element(inner, scopes, draft)

    def _value(self, value: Any, scopes: Scopes, draft: Draft) -> Any:
        if isinstance(value, Pending):
            return self._compile(value, scopes, draft)
        if isinstance(value, Element):
            self._element(value, scopes, draft)
        elif isinstance(value, NameOr | KeyedBy):
            expression: Any = value.expr
            if isinstance(expression, Pending):
                object.__setattr__(value, "expr", self._compile(expression, scopes, draft))
        elif isinstance(value, dict):
            for name, inner in value.items():
                value[name] = self._value(inner, scopes.of_entry(name), draft)
        elif isinstance(value, tuple) and value and not isinstance(value[0], str):
            if isinstance(value[0], Pending):
                return tuple(self._compile(inner, scopes, draft) for inner in value)
            for inner in value:
                self._value(inner, scopes, draft)
        return value

    def _compile(self, pending: Pending, scopes: Scopes, draft: Draft) -> Expression | None:
        roots = scopes.roots(pending.adds)
        expected = _EXPECTED.get(pending.expects or "")
        expression = self._quickly(pending.source, roots, expected)
        if expression is None:
            expression = self._with_all_names(pending, roots, expected, draft)
        if expression is not None:
            self.bound.append(Bound(expression, pending, roots, draft, self._part))
        return expression

    def _quickly(self, source: str, roots: dict[str, Type], expected: Type | None) -> Expression | None:
        """Compile with the roots that the text mentions, so that equal conditions of many scenarios are one."""
        mentioned = {name: type_ for name, type_ in roots.items() if name in source}
        key = tuple((name, id(type_)) for name, type_ in mentioned.items())
        kept = self._environments.get(key)
        if kept is None:
            kept = (Environment(mentioned, self._functions), mentioned)
            self._environments[key] = kept
        try:
            return compile_expression(source, kept[0], expected)
        except CelProblem:
            return None

    def _with_all_names(
        self, pending: Pending, roots: dict[str, Type], expected: Type | None, draft: Draft
    ) -> Expression | None:
        """Compile with all names in scope, for the best hint."""
        try:
            return compile_expression(pending.source, Environment(roots, self._functions), expected)
        except CelProblem as problem:
            at = place_inside(pending.node, draft.lines, problem.offset)
            hint = self._event_hint(problem, pending.source) or _hint_for(problem, pending.source, roots)
            hint = hint or problem.hint
            self.diagnostics.append(diagnostic("E-CEL", problem.message, at, length=problem.length, hint=hint))
            return None

    def _event_hint(self, problem: CelProblem, source: str) -> str | None:
        """Where an event is named as if it were a value."""
        word = source[problem.offset : problem.offset + problem.length]
        if not problem.message.startswith("unknown name") or word not in self.typing.events.declared:
            return None
        return f'`{word}` is an event: it stands beside `on`, and in quotes in `count("{word}", "30d")`'


def _hint_for(problem: CelProblem, source: str, roots: dict[str, Type]) -> str | None:
    """What to write where the name exists at another place, or is no field of what it is asked of."""
    if _DATE.fullmatch(source):
        return f'write timestamp("{source}T00:00:00Z")'
    word = source[problem.offset : problem.offset + problem.length]
    rest = source[problem.offset + problem.length :]
    missing = _NO_FIELD.fullmatch(problem.message)
    if missing is not None:
        hyphen = _hint_for_hyphen(missing[1], missing[2], rest, roots)
        return hyphen or (_hint_for_field(missing[1], missing[2], rest, roots) if problem.hint is None else None)
    if word in roots:
        return None
    inside = _hint_for_bare(word, problem, roots)
    if inside is not None:
        return inside
    if word not in _PLACED and rest.startswith(".") and problem.message.startswith("unknown name"):
        near = problem.hint if problem.hint is not None and problem.hint.startswith("did you mean") else None
        return near or "known here: " + " ".join(f"`{name}`" for name in sorted(roots))
    return _hint_for_place(word, roots)


def _hint_for_bare(word: str, problem: CelProblem, roots: dict[str, Type]) -> str | None:
    """A property or a trait that stands without the name in front of it."""
    if not problem.message.startswith("unknown name") or word in _PLACED:
        return None
    found = [f"`{root}.{word}`" for root in _HAVE_FIELDS if root in roots and word in roots[root].fields]
    if found:
        return "write " + " or ".join(found)
    begun = ("event", "entry") if "ask" not in roots else ("event",)  # a slot's content has no story
    anything = next((root for root in begun if root in roots and roots[root].open), None)
    if anything is None or (problem.hint is not None and problem.hint.startswith("did you mean")):
        return None
    return f'a property of the event is `{anything}.{word}`; a text has quotes: "{word}"'


def _hint_for_hyphen(record: str, field: str, rest: str, roots: dict[str, Type]) -> str | None:
    """Where `profile.all-views` is read as a subtraction."""
    if not rest.startswith("-") or record not in roots:
        return None
    longer = next((name for name in roots[record].fields if name.startswith(f"{field}-")), None)
    return f'a name with a `-` is read as `{record}["{longer}"]`' if longer else None


def _hint_for_field(record: str, field: str, rest: str, roots: dict[str, Type]) -> str | None:
    if record == "entry" and field == "event":
        match = _MEMBER.match(rest)
        return f"the event that started the story is `entry` itself: write `entry.{match[1] if match else 'meta'}`"
    if record == "steps" and "steps" in roots:
        return "steps are known by their `id`: " + " ".join(f"`{name}`" for name in roots["steps"].fields)
    if record.startswith("steps.") and "steps" in roots:
        step = roots["steps"].fields[record.removeprefix("steps.")]
        return "it gives " + " ".join(f"`{name}`" for name in step.fields)
    if record == "profile":
        return "it is neither a trait nor always there: declare it in a `traits` document"
    if record in {"event", "entry"}:
        known = [name for name in roots[record].fields if name != "meta"] if record in roots else []
        listed = " ".join(f"`{name}`" for name in known[:_MOST_LISTED])
        return f"properties are declared in the topic files; it has {listed}" if listed else None
    return None


def _hint_for_place(word: str, roots: dict[str, Type]) -> str | None:
    """Names that exist, but not at this place."""
    if word == "event" and "entry" in roots:
        return "`event` is known only beside `on`; the event that started the story is `entry`"
    if word == "entry":
        return "`entry` is known only where an instance is under way; here the event is `event`"
    if word in {"steps", "vars"}:
        return f"`{word}` is known only in the steps of a scenario"
    return "facts and scenarios `for: brand` know no person" if word == "profile" else None
