"""From the files of a bundle to typed, checked documents."""

from orchestrator.language.bundle.bundle import Bundle, LoadResult
from orchestrator.language.bundle.load import load_bundle
from orchestrator.language.bundle.schemas import EventSchemas

__all__ = ["Bundle", "EventSchemas", "LoadResult", "load_bundle"]
