"""Section 2 of the language: what a condition sees, and what counts where it is unknown."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError, Duration, Expression, Timestamp
from tests.reference.interpreter.clock import is_open, local, parts
from tests.reference.interpreter.profile import Profile

if TYPE_CHECKING:
    from orchestrator.language.bundle.bundle import Bundle
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Happened, Instance

UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


class Seen(dict[str, Any]):
    """An event as conditions see it: a property that is declared and absent is null."""

    def __init__(self, event: Happened, declared: frozenset[str]) -> None:
        meta = {
            "id": event.id, "type": event.type, "channel": event.channel, "source": event.source,
            "thread": event.thread, "time": Timestamp.of_ms(event.time), "received": Timestamp.of_ms(event.received),
            "late": event.late,
        }  # fmt: skip
        super().__init__({**event.data, "meta": meta})
        self.declared = declared

    def __missing__(self, name: str) -> Any:
        if name in self.declared:
            return None
        raise KeyError(name)


class Outputs(dict[str, Any]):
    """What steps gave; a step that was not reached is unknown."""

    def __init__(self, instance: Instance, declared: frozenset[str]) -> None:
        super().__init__()
        for step, output in instance.outputs.items():
            self[step] = {name: _shown(name, value, declared) for name, value in output.items()}

    def __missing__(self, step: str) -> Any:
        raise CelError(f"step {step} was not reached")


def _shown(name: str, value: Any, declared: frozenset[str]) -> Any:
    if name in {"at", "due", "until"} and isinstance(value, int):
        return Timestamp.of_ms(value)
    return Seen(value, declared) if name == "event" and value is not None else value


class Scope:
    """The names in scope: for an event, for an instance, for the key of a keyed trait. Made anew for each condition."""

    def __init__(
        self, customer: Customer, event: Happened | None = None, instance: Instance | None = None, **more: Any
    ) -> None:
        declared = customer.declared
        self.customer = customer
        self.now = Timestamp.of_ms(customer.now)
        self.profile = Profile(customer)
        self.facts = customer.shared.rows
        if event is not None:
            self.event = Seen(event, declared)
        if instance is not None:
            self.entry = Seen(instance.entry, declared)
            self.entry.update({name: Seen(other, declared) for name, other in instance.names.items()})
            if instance.item is not None:
                self.entry["item"] = instance.item
            self.vars = instance.vars
            self.steps = Outputs(instance, declared)
        self.__dict__.update(more)

    def __getattr__(self, name: str) -> Any:
        raise CelError(f"{name} is not known here")

    def _history(self, type_: str) -> list[Happened]:
        return [one for one in self.customer.accepted if one.is_one_of((type_,)) and self.customer.is_activity(one)]

    def count(self, type_: str, window: str, property_: str = "", value: Any = None) -> int:
        since = self.customer.now - window_ms(window)
        return sum(
            1
            for one in self._history(type_)
            if since < one.time <= self.customer.now and (not property_ or str(one.data.get(property_)) == str(value))
        )

    def seen(self, type_: str, window: str, *rest: Any) -> bool:
        return self.count(type_, window, *rest) > 0

    def last(self, type_: str) -> Any:
        return Seen(self._newest(type_), self.customer.declared)

    def since(self, type_: str) -> Duration:
        return Duration.of_ms(self.customer.now - self._newest(type_).time)

    def _newest(self, type_: str) -> Happened:
        known = self._history(type_)
        if not known:
            raise CelError(f"no {type_} so far")
        return max(known, key=lambda one: (one.time, one.id))

    def price(self, sku: str) -> float:
        row = self.facts.get("price", {}).get(sku, {})
        if "price" not in row:
            raise CelError("no price is known")
        return float(row["price"])

    def stock(self, sku: str, place: str | None = None) -> int:
        """Pieces at a place, or at all places."""
        rows = self.facts.get("stock", {})
        keys = [f"{sku}/{place}"] if place is not None else [key for key in rows if key.split("/")[0] == sku]
        return sum(int(rows.get(key, {}).get("qty", 0)) for key in keys)

    def rows(self, fact: str) -> list[dict[str, Any]]:
        rows = self.facts.get(fact, {})
        return [rows[key] for key in sorted(rows)]

    def thread_of(self, ref: str) -> str:
        """The thread of a message, by its id or by the name of its content."""
        known = [one.thread for one in self.customer.sent if ref in {one.id, one.content}]
        return known[-1] if known else ""

    def thread(self, name: str) -> Any:
        if name not in self.customer.threads:
            raise CelError("no such thread")
        return self.profile["threads"][name]

    def live(self, scenario: str, key: str | None = None) -> bool:
        return any(
            one.name == scenario and one.mode == "live" and key in {None, one.key} for one in self.customer.instances
        )

    def local(self, moment: Timestamp) -> dict[str, Any]:
        return parts(local(moment.ms, self.customer.zone))

    def top(self, scores: Any) -> str:
        best = sorted(((-scores[key], key) for key in scores), key=lambda one: (one[0], one[1]))
        return best[0][1] if best else ""

    def in_segment(self, name: str) -> bool:
        return bool(self.customer.bundle.segments[name].where.evaluate(self))

    def percent(self, share: float, salt: str) -> bool:
        return ticket(self.customer.bundle, salt, self.customer.person) < share

    def open_(self, calendar: str, at: Timestamp | None = None) -> bool:
        bundle = self.customer.bundle
        return is_open(self.customer.now if at is None else at.ms, bundle.calendars[calendar], bundle)


def ticket(bundle: Bundle, salt: str, person: str) -> float:
    """A person's number in [0, 100) for a salt: SHA-256, modulo 10,000, in hundredths."""
    told = json.dumps([bundle.settings.tenant, salt, person], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], "big") % 10_000 / 100


def window_ms(text: str) -> int:
    """A duration of one number and one unit."""
    return int(text[:-1]) * UNITS[text[-1]]


def holds(condition: Expression | None, scope: Scope, unknown: bool = False) -> bool:
    """Whether a condition is true; what is unknown counts as `unknown`."""
    if condition is None:
        return True
    try:
        return condition.evaluate(scope) is True
    except CelError:
        return unknown
