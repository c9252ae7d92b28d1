"""What can be wrong with an expression.

CelProblem: found while compiling, points into the source
 +- CelSyntaxError: does not parse, or is larger than the limits allow
 +- CelTypeError: parses, but a name, field, function or type in it cannot be right
CelError: found while evaluating; the value of the expression is unknown
 +- CelWorkError: it takes more work than the limits allow; no operator absorbs it
"""


class CelProblem(Exception):  # noqa: N818 - the word that the user meets
    """Something in the source text of an expression that must be corrected.

    Attributes:
        message: What is wrong, one sentence without the position.
        offset: Where it begins, in code points from the start of the source.
        line: The same place, counted from 1.
        column: Code points from the start of that line, counted from 1.
        length: How many code points to underline, at least 1.
        hint: What to write instead, or None.
    """

    def __init__(self, message: str, source: str, offset: int, length: int = 1, hint: str | None = None) -> None:
        self.message = message
        self.offset = offset
        self.line = source.count("\n", 0, offset) + 1
        self.column = offset - (source.rfind("\n", 0, offset) + 1) + 1
        self.length = max(1, length)
        self.hint = hint
        super().__init__(message)

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.line}:{self.column}: {self.message}{hint}"


class CelSyntaxError(CelProblem):
    """The source is not CEL, or larger than the limits allow."""


class CelTypeError(CelProblem):
    """A name, field, function or type in the source cannot be right."""


class CelError(Exception):
    """The expression has no value for these inputs: absent field, wrong type, overflow, a limit, ..."""


class CelWorkError(CelError):
    """The evaluation takes more work than the limits allow, and ends at once: `... || true` does not absorb it."""
