"""What everyone shares: stock, prices, catalogue, rows. What a condition read is noted, so that it can wait for it."""

from typing import Any

from orchestrator.engine.facts import Facts
from orchestrator.language.cel import CelError


class FactFunctions:
    """Part of the evaluation context: needs `shared` (the facts), `profile` and `asked_facts`."""

    shared: Facts
    profile: Any
    asked_facts: set[str]

    @property
    def facts(self) -> dict[str, dict[str, dict[str, Any]]]:
        return self.shared.rows

    def stock(self, sku: str, place: str | None = None) -> int:
        self.asked_facts.add(f"stock/{sku}")
        return self.shared.stock(sku, place)

    def stock_places(self, sku: str) -> list[dict[str, Any]]:
        self.asked_facts.add(f"stock/{sku}")
        near = self.profile["place"] if self.has_trait("place") else None
        return self.shared.stock_places(sku, near)

    def price(self, sku: str) -> float:
        self.asked_facts.add(f"price/{sku}")
        row = self.shared.row("price", sku)
        if "price" not in row:
            raise CelError("no price is known of this product")
        return float(row["price"])

    def catalog(self, sku: str) -> dict[str, Any]:
        self.asked_facts.add(f"catalog/{sku}")
        return self.shared.row("catalog", sku)

    def rows(self, fact: str) -> list[dict[str, Any]]:
        self.asked_facts.add(fact)
        return self.shared.all(fact)

    def promised(self, sku: str) -> float:
        """The lowest price promised to this customer, else the price."""
        promises = self.promises(sku)
        if promises and "price" not in self.shared.row("price", sku):
            return min(promises)
        return min([*promises, self.price(sku)])

    def promises(self, sku: str) -> list[float]:
        """Prices of offers that are open to this customer and were shown to them."""
        raise NotImplementedError

    def has_trait(self, name: str) -> bool:
        raise NotImplementedError
