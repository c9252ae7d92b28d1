"""From the bundle's `traits` documents to traits ready to run."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engine.traits.collections import NewestList, ValueSet
from orchestrator.engine.traits.kind import Kind
from orchestrator.engine.traits.ordered import Basket, Score
from orchestrator.engine.traits.plan import Line, TraitPlan, Traits
from orchestrator.engine.traits.sums import Ledger, Most, Sum, WindowSum
from orchestrator.engine.traits.values import Best, First, Flag, Last
from orchestrator.language.cel import CelError, Expression, Timestamp
from orchestrator.model.event import MOST_AHEAD

if TYPE_CHECKING:
    from orchestrator.engine.context import Context
    from orchestrator.language.spec.traits import Trait

Value = Callable[["Context"], Any]

_EMPTY: Final[dict[str, Any]] = {
    "int": 0, "uint": 0, "double": 0.0, "string": "", "bool": False, "list": [], "map": {}, "record": {},
    "timestamp": Timestamp(0),
}  # fmt: skip
_STORED: Final[dict[str, Any]] = {
    "string": "", "int": 0, "double": 0.0, "bool": False, "timestamp": Timestamp(0), "list": [], "map": {},
}  # fmt: skip


def plan_traits(documents: "Mapping[str, Trait]", lateness: int) -> Traits:
    """Plan all traits. `lateness` in ms: how late an event may come and still find its place.

    That is told from the clock; what a trait keeps is told from its newest event, which may be dated ahead of it.
    """
    kept_for = lateness + MOST_AHEAD
    plans: list[TraitPlan] = []
    for name, document in documents.items():
        plan = _plan(name, document, kept_for)
        plans.append(plan)
        labels = _labels(document)
        if any(labels):
            plans.append(TraitPlan(f"{name}_label", None, (), "", label_of=name, labels=labels, compute=lambda _: ""))
    return Traits(_readers_last(plans, documents))


def _readers_last(plans: list[TraitPlan], documents: "Mapping[str, Trait]") -> list[TraitPlan]:
    """Traits in dependency order: what others read comes first."""
    by_name = {plan.name: plan for plan in plans}
    ordered: dict[str, TraitPlan] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in ordered or name in path or name not in by_name:
            return
        document = documents.get(name)
        for read in _reads(document) if document is not None else ():
            visit(read, (*path, name))
        ordered[name] = by_name[name]

    for name in by_name:
        visit(name, ())
    return list(ordered.values())


def _reads(document: "Trait") -> set[str]:
    found = {
        path[1]
        for expression in expressions(document)
        for path in expression.reads
        if path[0] == "profile" and len(path) > 1
    }
    if document.per is not None and document.per.trait:
        found.add(document.per.trait)
    return found


def expressions(element: Any) -> list[Expression]:
    """Every expression in an element of a bundle, at any depth."""
    if isinstance(element, Expression):
        return [element]
    if isinstance(element, Mapping):
        return [found for value in element.values() for found in expressions(value)]
    if isinstance(element, list | tuple):
        return [found for value in element for found in expressions(value)]
    fields = getattr(element, "__dataclass_fields__", None)
    if fields is None:
        return []
    return [found for name in fields if name not in {"at", "places"} for found in expressions(getattr(element, name))]


def _plan(name: str, document: "Trait", lateness: int) -> TraitPlan:
    kind = document.kind
    per = document.per
    computed = _COMPUTED.get(kind)
    built: tuple[Kind | None, tuple[Line, ...]] = (None, ()) if computed else _BUILDERS[kind](document, lateness)
    return TraitPlan(
        name,
        built[0],
        built[1],
        _default(document),
        per=per.expr if per is not None else None,
        keyed_by=per.trait if per is not None else None,
        keys_kept=document.keys_kept,
        compute=computed(document) if computed else None,
        finish=_priced if kind == "basket" else _opened,
        labels=_labels(document),
    )


def _labels(document: "Trait") -> tuple[str, ...]:
    lines = document.first if isinstance(document.first, tuple) else document.last
    return tuple(line.label or "" for line in lines) if isinstance(lines, tuple) else ()


def _default(document: "Trait") -> Any:
    if document.default is not None:
        return document.default
    if document.kind == "stored":
        return _STORED[document.stored or "string"]
    empty = _EMPTY_KINDS.get(document.kind)
    return _empty_like(document) if empty is None else empty


_EMPTY_KINDS: Final[dict[str, Any]] = {
    "count": 0, "sum": 0.0, "score": 0.0, "ledger": 0.0, "set": [], "list": [], "flag": False,
    "basket": {"id": "", "lines": [], "channel": "", "at": 0},
}  # fmt: skip


def _empty_like(document: "Trait") -> Any:
    """The empty value of the type that the trait's values have."""
    given = getattr(document, document.kind, None)
    expression = given[0].value if isinstance(given, tuple) and given and hasattr(given[0], "value") else given
    if isinstance(expression, Expression):
        return _EMPTY.get(expression.type.plain.kind, "")
    return ""


def kept(value: Any) -> Any:
    """A value as it is stored: a timestamp becomes what MessagePack knows as one."""
    if isinstance(value, Timestamp):
        return datetime.fromtimestamp(value.ms / 1000, UTC)
    if isinstance(value, dict):
        return {name: kept(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [kept(entry) for entry in value]
    return value


def opened(value: Any) -> Any:
    """A stored value as conditions see it."""
    if isinstance(value, datetime):
        return Timestamp.of_ms(round(value.timestamp() * 1000))
    if value.__class__ is dict:
        return {name: opened(entry) for name, entry in value.items()}
    if value.__class__ is list:
        return [opened(entry) for entry in value]
    return value


def _opened(_: "Context", value: Any) -> Any:
    return opened(value) if value.__class__ in _OPENED else value


_OPENED: Final = frozenset({datetime, dict, list})


def _priced(context: "Context", basket: dict[str, Any]) -> dict[str, Any]:
    """A basket with its total; what has no price counts as nothing."""
    total = 0.0
    for line in basket["lines"]:
        try:
            total += line["qty"] * context.price(line["sku"])
        except CelError:
            continue
    return {**basket, "total": round(total, 2), "at": Timestamp.of_ms(basket["at"])}


def _value(expression: Expression) -> Value:
    evaluate = expression.evaluate
    if expression.type.plain.kind in {"string", "int", "double", "bool"}:
        return evaluate
    return lambda context: kept(evaluate(context))


def _number(expression: Expression) -> Value:
    """What is added up or compared. Nothing, or a text, is none: kept, it would make every later look at it fail."""
    evaluate = expression.evaluate

    def number(context: "Context") -> Any:
        value = evaluate(context)
        if value.__class__ is float or (isinstance(value, int) and value.__class__ is not bool):
            return value
        raise CelError(f"a number is needed here, `{expression.source}` is none")

    return number


def _line(
    number: int,
    on: tuple[str, ...],
    where: Expression | None,
    each: Expression | None,
    value: Value,
    common: Expression | None = None,
) -> Line:
    return Line(number, on, _both(common, where), each.evaluate if each is not None else None, value)


def _both(common: Expression | None, own: Expression | None) -> "Value | None":
    """The trait's own `where` and the line's: an event contributes where both are true."""
    if common is None or own is None:
        only = own or common
        return None if only is None else only.evaluate
    first, second = common.evaluate, own.evaluate
    return lambda context: first(context) is True and second(context) is True


def _one_line(document: "Trait", value: Value) -> tuple[Line, ...]:
    return (_line(0, document.on, document.where, document.each, value),)


def _first_or_last(document: "Trait", kind: Kind) -> tuple[Kind, tuple[Line, ...]]:
    given = document.first if document.first is not None else document.last
    if isinstance(given, Expression):
        return kind, _one_line(document, _value(given))
    return kind, tuple(
        _line(number, line.on, line.where, document.each, _value(line.value), document.where)
        for number, line in enumerate(given or ())
    )


def _best(document: "Trait", _: int) -> tuple[Kind, tuple[Line, ...]]:
    value, by = document.best.evaluate, _number(document.by)  # type: ignore[union-attr, arg-type]
    return Best(document.keep_for or 0), _one_line(document, lambda context: (by(context), kept(value(context))))


def _count(document: "Trait", _: int) -> tuple[Kind, tuple[Line, ...]]:
    matches = document.count.evaluate  # type: ignore[union-attr]
    kind = WindowSum(document.window) if document.window else Sum()
    return kind, _one_line(document, lambda context: 1 if matches(context) is True else 0)


def _sum(document: "Trait", _: int) -> tuple[Kind, tuple[Line, ...]]:
    kind = WindowSum(document.window) if document.window else Sum()
    return kind, _one_line(document, _number(document.sum))  # type: ignore[arg-type]


def _set(document: "Trait", _: int) -> tuple[Kind, tuple[Line, ...]]:
    added = _one_line(document, _value(document.set))  # type: ignore[arg-type]
    removed = tuple(
        _line(number, line.on, line.where, line.each, _value(line.value))
        for number, line in enumerate(document.remove, 1)
    )
    return ValueSet(), added + removed


def _list(document: "Trait", _: int) -> tuple[Kind, tuple[Line, ...]]:
    return NewestList(document.keep), _one_line(document, _value(document.list))  # type: ignore[arg-type]


def _score(document: "Trait", lateness: int) -> tuple[Kind, tuple[Line, ...]]:
    kind = Score(lateness, document.half_life or 0, document.reset_after or 0)
    return kind, tuple(
        _line(number, line.on, line.where, document.each, _added(line.add, line.once_per or 0), document.where)
        for number, line in enumerate(document.score or ())
    )


def _added(add: Expression, once_per: int) -> Value:
    if add.constant is not None:
        amount = (_short(add.constant[1]), once_per)
        return lambda _: amount
    evaluate = add.evaluate
    return lambda context: (_short(evaluate(context)), once_per)


def _short(amount: float) -> float:
    """A whole amount as an int: a byte or two where it is stored, instead of nine."""
    return int(amount) if float(amount).is_integer() else float(amount)


def _most(document: "Trait", _: int) -> tuple[Kind, tuple[Line, ...]]:
    return Most(document.share), _one_line(document, document.most.evaluate)  # type: ignore[union-attr]


def _flag(document: "Trait", _: int) -> tuple[Kind, tuple[Line, ...]]:
    flag = document.flag
    assert flag is not None  # noqa: S101 - its kind says so
    lines = (
        _line(0, flag.on, flag.where, None, lambda _: True, document.where),
        _line(1, flag.off, flag.where, None, lambda _: False, document.where),
    )
    return Flag(flag.longest or 0), lines


def _basket(document: "Trait", lateness: int) -> tuple[Kind, tuple[Line, ...]]:
    basket = document.basket
    assert basket is not None  # noqa: S101 - its kind says so
    words = {"add": basket.add, "remove": basket.remove, "empty": basket.empty}
    lines = tuple(
        _line(number, on, document.where, None, _touch(word, basket.id))
        for number, (word, on) in enumerate(words.items())
        if on
    )
    return Basket(lateness, document.keep_for or 0), lines


def _touch(word: str, identity: Expression) -> Value:
    def touch(context: "Context") -> Any:
        event = context.event
        try:
            name = str(identity.evaluate(context) or "")
        except CelError:
            name = ""
        sku, quantity = event.get("sku"), event.get("qty")
        quantity = 1 if quantity is None else quantity
        if word != "empty" and (not isinstance(sku, str | int) or not isinstance(quantity, int | float)):
            raise CelError("the event names no sku, or a `qty` that is no number")
        return [word, sku, quantity, name, event.envelope.channel]

    return touch


def _ledger(document: "Trait", _: int) -> tuple[Kind, tuple[Line, ...]]:
    lines = []
    for number, line in enumerate(document.ledger or ()):
        value = _reversed(line.reverse, line.share) if line.reverse is not None else _entered(line.amount, line.ref)
        lines.append(_line(number, line.on, line.where, document.each, value, document.where))
    return Ledger(), tuple(lines)


def _entered(amount: Expression | None, ref: Expression | None) -> Value:
    assert amount is not None  # noqa: S101 - the specification demands both
    assert ref is not None  # noqa: S101
    number = _number(amount)
    return lambda context: ("add", str(ref.evaluate(context)), number(context))


def _reversed(ref: Expression, share: Expression | None) -> Value:
    def back(context: "Context") -> Any:
        part = 1.0 if share is None else float(share.evaluate(context))
        return ("reverse", str(ref.evaluate(context)), part)

    return back


def _chosen(document: "Trait") -> Value:
    cases = tuple((case.when.evaluate, case.is_) for case in document.choose or ())

    def choose(context: "Context") -> Any:
        for when, value in cases:
            try:
                if when(context) is True:
                    return value
            except CelError:
                continue
        return document.else_

    return choose


_BUILDERS: Final[dict[str, Callable[["Trait", int], tuple[Kind, tuple[Line, ...]]]]] = {
    "first": lambda document, _: _first_or_last(document, First(document.keep_for or 0)),
    "last": lambda document, _: _first_or_last(document, Last(document.keep_for or 0)),
    "best": _best,
    "count": _count,
    "sum": _sum,
    "set": _set,
    "list": _list,
    "score": _score,
    "most": _most,
    "flag": _flag,
    "basket": _basket,
    "ledger": _ledger,
    "stored": lambda document, _: (Last(document.keep_for or 0), ()),
}
_COMPUTED: Final[dict[str, Callable[["Trait"], Value]]] = {
    "choose": _chosen,
    "compute": lambda document: document.compute.evaluate,  # type: ignore[union-attr]
}
