"""The facts that conditions read: whoever waits for one of them is looked at when such a row changes."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from orchestrator.language.cel import UNKNOWN, Expression
from orchestrator.language.depends import FACTS_BY_KEY, depends_on

if TYPE_CHECKING:
    from orchestrator.language.bundle import Bundle


def facts_read(conditions: Iterable[Expression], bundle: "Bundle") -> frozenset[str]:
    """`NAME`, or `NAME/KEY` where the key is written in the condition; also by way of segments and computed traits."""
    found: set[str] = set()
    for condition in conditions:
        reached = depends_on(condition, bundle.traits, bundle.segments)
        for expression in reached.expressions:
            found |= _read(expression)
        if any(trait.kind == "basket" for trait in reached.traits.values()):
            found.add("price")  # of its total
    return frozenset(found)


def _read(condition: Expression) -> set[str]:
    found = {path[1] for path in condition.reads if path[0] == "facts" and len(path) > 1}
    for call in condition.calls:
        if call.name in FACTS_BY_KEY:
            key = call.args[0] if call.args else UNKNOWN
            name = FACTS_BY_KEY[call.name]
            found.add(f"{name}/{key}" if isinstance(key, str) else name)
        elif call.name == "rows" and call.args and isinstance(call.args[0], str):
            found.add(call.args[0])
    return found
