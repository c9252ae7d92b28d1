"""The canonical layout of bundle files: what `orchestrator fmt` writes. Pure: bytes to bytes."""

from orchestrator.language.formatting.format import Formatted, format_file

__all__ = ["Formatted", "format_file"]
