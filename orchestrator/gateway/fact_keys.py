"""Which rows of facts an event changes: one that does not tell is refused here, and not set aside by a worker later."""

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from orchestrator.engine.maps import EventMap
from orchestrator.engine.program.build import declared_names
from orchestrator.language.bundle import Bundle
from orchestrator.language.cel import CelError, Expression


class FactKeys:
    """The keys of a release's facts, by the events that change their rows.

    A key that reads anything but properties of the event is the worker's to judge.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._declared = declared_names(bundle)
        self._keys: dict[str, tuple[tuple[str, Expression], ...]] = {}
        for document in bundle.facts.values():
            if _of_event_alone(document.key):
                for name in document.on:
                    self._keys[name] = (*self._keys.get(name, ()), (document.facts, document.key))

    def problems(self, channel: str, event_type: str, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(path, message) for what an event lacks to tell which rows it changes."""
        for name in (event_type, f"{channel}.{event_type}"):
            for fact, key in self._keys.get(name, ()):
                yield from self._lacking(fact, key, data)

    def _lacking(self, fact: str, key: Expression, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        try:
            key.evaluate(SimpleNamespace(event=EventMap(dict(data), {}, self._declared)))
        except CelError:
            absent = sorted({path[1] for path in key.reads if data.get(path[1]) is None})
            for name in absent:
                yield f"data.{name}", f"is required: it tells which row of the facts {fact!r} changes"
            if not absent:
                yield "data", f"does not tell which row of the facts {fact!r} changes"


def _of_event_alone(key: Expression) -> bool:
    return not key.calls and all(path[0] == "event" and path[1:2] not in ((), ("meta",)) for path in key.reads)
