"""Reading roots, fields and elements, and what `has()` finds. Absent is an error, but where it is declared.

Messages name what the expression writes, never a value of the context: that may be personal.
"""

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from orchestrator.language.cel.errors import CelError
from orchestrator.language.cel.limits import MAX_ITEMS
from orchestrator.language.cel.runtime.comparison import MAPS, has_key, is_key
from orchestrator.language.cel.runtime.failures import no_overload, too_large
from orchestrator.language.cel.values import UInt, type_name


def fail(message: str) -> NoReturn:
    """Stands for a part that cannot be right: evaluating it is an error."""
    raise CelError(message)


def ask(name: str, method: Callable[..., Any], *arguments: Any) -> Any:
    """What a function of the context answers; a lookup that fails in it is an error of the expression."""
    try:
        return method(*arguments)
    except LookupError as error:
        raise CelError(f"`{name}` knows nothing of that name") from error


def select(holder: Any, field: str, path: str) -> Any:
    """`holder.field`; `path` is how the expression writes it, for the message."""
    if not isinstance(holder, MAPS):
        raise CelError(f"`{path}`: {type_name(holder)} has no fields")
    try:
        return holder[field]
    except KeyError:
        raise CelError(f"no such key: `{path}`") from None


def select_optional(holder: Any, field: str, path: str) -> Any:
    """`holder.field` of a field that is declared but may be absent: null then."""
    if not isinstance(holder, MAPS):
        raise CelError(f"`{path}`: {type_name(holder)} has no fields")
    return optional(holder, field)


def optional(holder: Any, field: str) -> Any:
    """The value of a field of a map, null when it is absent."""
    if type(holder) is dict:
        return holder.get(field)
    try:
        return holder[field]
    except KeyError:
        return None


def has_field(holder: Any, field: str) -> bool:
    """`has(holder.field)`. A map that makes values when they are asked for has those too."""
    if type(holder) is dict:
        return field in holder
    if not isinstance(holder, MAPS):
        raise CelError(f"has(): {type_name(holder)} has no fields")
    try:
        holder[field]
    except KeyError:
        return False
    return True


def has_value(holder: Any, field: str) -> bool:
    """`has(holder.field)` of a field that may be absent: neither absent nor null. False on null."""
    if holder is None:
        return False
    if not isinstance(holder, MAPS):
        raise CelError(f"has(): {type_name(holder)} has no fields")
    return optional(holder, field) is not None


def index(holder: Any, key: Any) -> Any:
    """`holder[key]` of a list or a map."""
    if isinstance(holder, (list, tuple)):
        return _element(holder, key)
    if isinstance(holder, MAPS):
        return _entry(holder, key)
    raise no_overload("[ ]", holder, key)


def _entry(holder: Mapping[Any, Any], key: Any) -> Any:
    if not is_key(key):
        raise CelError(f"{type_name(key)} cannot be a key of a map")
    if key in (0, 1) and key in holder and not has_key(holder, key):
        raise CelError("no such key in this map")
    try:
        return holder[key]
    except KeyError:
        raise CelError("no such key in this map") from None


def _element(holder: list[Any] | tuple[Any, ...], key: Any) -> Any:
    if type(key) is float and key.is_integer():
        key = int(key)
    if type(key) is not int and type(key) is not UInt:
        raise CelError(f"a list is read by int, this is {type_name(key)}")
    if 0 <= key < len(holder):
        return holder[key]
    raise CelError(f"index {int(key)} is outside of the list, which has {len(holder)}")


def size(value: Any) -> int:
    """Code points of a string, bytes, elements, or entries."""
    if isinstance(value, (str, bytes, list, tuple, *MAPS)):
        return len(value)
    raise no_overload("size", value)


def make_map(entries: tuple[tuple[Any, Any], ...]) -> dict[Any, Any]:
    """The value of `{key: value}`; a key is a string, int, uint or bool, and comes once.

    Keys that Python holds for one (1, 1u and true) cannot stand in one map: an error, never a wrong entry.
    """
    made: dict[Any, Any] = {}
    for key, value in entries:
        if not is_key(key) or type(key) is float:
            raise CelError(f"{type_name(key)} cannot be a key of a map")
        if key in made:
            raise CelError("a key comes twice in a map")
        made[key] = value
    return made


def bounded_list(items: list[Any]) -> list[Any]:
    if len(items) > MAX_ITEMS:
        raise too_large("this list", MAX_ITEMS)
    return items
