"""The functions that compiled expressions call, by the names that generated code uses."""

from __future__ import annotations

from typing import Any, Final

from orchestrator.language.cel.runtime import (
    access,
    arithmetic,
    comparison,
    conversion,
    logic,
    mathematics,
    text,
    times,
)
from orchestrator.language.cel.runtime.meter import Meter
from orchestrator.language.cel.values import Duration, Timestamp, TypeValue, UInt

_MODULES: Final = (access, arithmetic, comparison, conversion, logic, mathematics, text, times)

NAMESPACE: Final[dict[str, Any]] = {
    name: value
    for module in _MODULES
    for name, value in vars(module).items()
    if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
} | {"Meter": Meter, "Timestamp": Timestamp, "Duration": Duration, "TypeValue": TypeValue, "UInt": UInt}
