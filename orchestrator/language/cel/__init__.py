"""CEL, compiled to Python: conditions and values of scenarios.

`compile_expression` checks a text against an `Environment` and gives an `Expression`, whose
`evaluate` is a plain function of a context. The standard is the CEL specification; what goes beyond
it is listed in `orchestrator.language.conditions`.
"""

from orchestrator.language.cel.analysis import UNKNOWN
from orchestrator.language.cel.analysis import DeclaredCall as Call
from orchestrator.language.cel.compiler import Expression, compile_expression
from orchestrator.language.cel.environment import Environment, Function, Overload
from orchestrator.language.cel.errors import CelError, CelProblem, CelSyntaxError, CelTypeError
from orchestrator.language.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    TYPE,
    UINT,
    Type,
    list_of,
    map_of,
    nullable,
    record,
    variable,
)
from orchestrator.language.cel.values import Duration, Timestamp, TypeValue, UInt

__all__ = [
    "BOOL", "BYTES", "DOUBLE", "DURATION", "DYN", "INT", "NULL", "STRING", "TIMESTAMP", "TYPE", "UINT", "UNKNOWN",
    "Call", "CelError", "CelProblem", "CelSyntaxError", "CelTypeError", "Duration", "Environment", "Expression",
    "Function", "Overload", "Timestamp", "Type", "TypeValue", "UInt", "compile_expression", "list_of", "map_of",
    "nullable", "record", "variable",
]  # fmt: skip
