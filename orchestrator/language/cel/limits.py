"""Bounds that keep a hostile or runaway expression cheap. Exceeding one is an error, never a slow success."""

MAX_SOURCE = 16_384  # code points of one expression
MAX_DEPTH = 64  # nested operators, calls, selections; chains of && || + * count once
MAX_PATTERN = 256  # code points of a regular expression
MAX_TEXT = 65_536  # code points of a string, or bytes, that an expression makes
MAX_ITEMS = 65_536  # elements of a list that an expression makes
MAX_WORK = 1_000_000  # units of work of one evaluation with macros, see runtime.meter
STEP_WORK = 10  # units that one step of a macro costs: at most 100,000 steps, nested ones included

INT_MIN = -(2**63)
INT_MAX = 2**63 - 1
UINT_MAX = 2**64 - 1
