"""The one kind of error that a command may end with when it is not a fault of ours."""

from __future__ import annotations


class UserError(Exception):
    """What is wrong, where, and what to do, in one line.

    The command prints it on standard error and exits with status 2, without a trace.
    """
