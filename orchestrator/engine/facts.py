"""Facts everyone shares, as one worker holds them: fact -> key -> row. Rows from files yield to events."""

from collections.abc import Mapping
from math import asin, cos, radians, sin, sqrt
from typing import Any, Final

EARTH_KM: Final = 6371.0
_NO_ROW: Final[dict[str, Any]] = {}
_NO_ROWS: Final[dict[str, dict[str, Any]]] = {}


class Facts:
    """All rows. `base` are the rows that come with the bundle's files; they show where no event has set a field."""

    def __init__(self, base: Mapping[str, Mapping[str, dict[str, Any]]] | None = None) -> None:
        self.rows: dict[str, dict[str, dict[str, Any]]] = {}
        self._parts: dict[str, dict[str, set[str]]] = {}
        self._base: Mapping[str, Mapping[str, dict[str, Any]]] = {}
        self._from_events: dict[str, dict[str, dict[str, Any]]] = {}
        self.rebase(base or {})

    def rebase(self, base: Mapping[str, Mapping[str, dict[str, Any]]]) -> None:
        """Another release: its files' rows replace the former ones', and yield to events as before."""
        self.rows, self._parts, self._base = {}, {}, base
        for fact, rows in base.items():
            self.rows[fact] = {}
            for key, row in rows.items():
                self._put(fact, key, row)
        for fact, rows in self._from_events.items():
            for key, row in rows.items():
                self._put(fact, key, self._over_base(fact, key, row))

    def set(self, fact: str, key: str, row: dict[str, Any] | None) -> None:
        """An event changed a row; None takes away what events have said of it."""
        if row is not None:
            self._from_events.setdefault(fact, {})[key] = row
            self._put(fact, key, self._over_base(fact, key, row))
            return
        self._from_events.get(fact, {}).pop(key, None)
        base = self._base.get(fact, _NO_ROWS).get(key)
        if base is not None:
            self._put(fact, key, base)
        else:
            self.rows.get(fact, {}).pop(key, None)
            self._parts.get(fact, {}).get(key.partition("/")[0], set()).discard(key)

    def _over_base(self, fact: str, key: str, row: dict[str, Any]) -> dict[str, Any]:
        """Field by field, what an event has said counts before what a file says."""
        base = self._base.get(fact, _NO_ROWS).get(key)
        return row if base is None else {**base, **row}

    def _put(self, fact: str, key: str, row: dict[str, Any]) -> None:
        self.rows.setdefault(fact, {})[key] = row
        self._parts.setdefault(fact, {}).setdefault(key.partition("/")[0], set()).add(key)

    def row(self, fact: str, key: str) -> dict[str, Any]:
        """One row, empty where there is none."""
        return self.rows.get(fact, {}).get(key, _NO_ROW)

    def all(self, fact: str) -> list[dict[str, Any]]:
        """All rows of a fact, in key order."""
        rows = self.rows.get(fact, {})
        return [rows[key] for key in sorted(rows)]

    def stock(self, sku: str, place: str | None = None) -> int:
        """Pieces of a product at a place, or everywhere; 0 when unknown."""
        if place is not None:
            return int(self.row("stock", f"{sku}/{place}").get("qty", 0))
        keys = self._parts.get("stock", {}).get(sku, ())
        return sum(int(self.rows["stock"][key].get("qty", 0)) for key in keys)

    def stock_places(self, sku: str, near: str | None) -> list[dict[str, Any]]:
        """Places with the product, nearest to place `near` first (by great circle), then by name."""
        found = []
        for key in self._parts.get("stock", {}).get(sku, ()):
            place = key.partition("/")[2]
            qty = int(self.rows["stock"][key].get("qty", 0))
            if qty > 0:
                found.append({"place": place, "qty": qty, "km": self.distance(near, place)})
        return sorted(found, key=lambda entry: (entry["km"], entry["place"]))

    def distance(self, one: str | None, other: str) -> float:
        """Kilometres between two places of fact `place`; unknown places are infinitely far."""
        here, there = self.row("place", one or ""), self.row("place", other)
        if one == other and one:
            return 0.0
        if not {"lat", "lon"} <= here.keys() or not {"lat", "lon"} <= there.keys():
            return float("inf")
        return great_circle(float(here["lat"]), float(here["lon"]), float(there["lat"]), float(there["lon"]))


def great_circle(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Kilometres between two points by the haversine formula, rounded to 10 m."""
    p1, p2 = radians(lat1), radians(lat2)
    a = sin((p2 - p1) / 2) ** 2 + cos(p1) * cos(p2) * sin(radians(lon2 - lon1) / 2) ** 2
    return round(2 * EARTH_KM * asin(sqrt(a)), 2)
