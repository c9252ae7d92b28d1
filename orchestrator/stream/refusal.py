"""Why a release is refused, in the words that a log line has room for."""

from orchestrator.language.bundle import LoadResult
from orchestrator.language.source import Severity


def why_refused(result: LoadResult) -> tuple[int, str, str]:
    """How many errors a release has, and the first one's code and place. Warnings refuse nothing."""
    errors = [one for one in result.diagnostics if one.severity is Severity.ERROR]
    first = errors[0]
    return len(errors), first.code, f"{first.position.file}:{first.position.line}"
