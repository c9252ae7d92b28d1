"""What a bundle says of identifiers: which there are, how strong, how many, and how they are written.

A node is `NAMESPACE:VALUE`. Strength is known from the name alone and never changes: the unique namespaces in
declared order, then the shared ones, then the value as text.
"""

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import phonenumbers

DEFAULT_MAX: Final = {"email": 5, "phone": 5, "anonymous_id": 50}
UNIQUE_MAX: Final = 1
SHARED_MAX: Final = 20
MAX_VALUE_LENGTH: Final = 256


class BadIdentifierError(ValueError):
    """A property that names an identifier holds something that can be none."""


class IdentityRules:
    """The rules of one bundle.

    Args:
        unique: namespaces whose value belongs to one customer and can join two, strongest first.
        shared: namespaces whose value belongs to its newest owner, strongest first.
        most: values per customer where they differ from the defaults.
        references: namespaces that point at a customer (order, thread ...) and the event types that make them known.
        normalise: how values are written, e.g. `{"email": ("trim", "lower")}`.
        region: the country that phone numbers without a prefix belong to.
        account: namespaces that name an account.
    """

    def __init__(
        self,
        unique: tuple[str, ...],
        shared: tuple[str, ...],
        most: Mapping[str, int] | None = None,
        references: Mapping[str, frozenset[str]] | None = None,
        normalise: Mapping[str, tuple[str, ...]] | None = None,
        region: str | None = None,
        account: tuple[str, ...] = (),
    ) -> None:
        self.order: Final = unique + shared
        self.unique: Final = frozenset(unique)
        self.shared: Final = frozenset(shared)
        self.account: Final = account
        self.references: Final = dict(references or {})
        self.region: Final = region
        self._rank = {name: place for place, name in enumerate(self.order)}
        self._normalise = dict(normalise or {})
        self._ways = {name: self._normalise.get(name, ()) for name in self.order}
        self._names = frozenset(self.order)
        self._most = {name: self._default_most(name) for name in self.order} | dict(most or {})

    def _default_most(self, name: str) -> int:
        return DEFAULT_MAX.get(name, UNIQUE_MAX if name in self.unique else SHARED_MAX)

    def most(self, namespace: str) -> int:
        """How many values of a namespace one customer may have."""
        return self._most[namespace]

    def identifiers(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        """The nodes that an event's properties name, strongest first.

        Raises:
            BadIdentifierError: an identifier is no text or number, or too long.
        """
        named = self._names & data.keys()
        if len(named) == 1:
            (name,) = named
            value = data[name]
            return () if value in _NOTHING else (self._node(name, value, self._ways[name]),)
        return tuple(
            [
                self._node(name, data[name], ways)
                for name, ways in self._ways.items()
                if name in named and data[name] not in _NOTHING
            ]
        )

    def referred(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        """The reference nodes that an event's properties name, in declared order."""
        return tuple(
            f"{name}:{data[name]}"
            for name in self.references
            if isinstance(data.get(name), str | int) and data[name] != ""
        )

    def node(self, namespace: str, value: object) -> str:
        """The node of one identifier, its value normalised.

        Raises:
            BadIdentifierError: the namespace is not declared, or the value can be no identifier.
        """
        if namespace in self.references:
            return f"{namespace}:{value}"
        if namespace not in self._rank:
            raise BadIdentifierError(f"no namespace {namespace} is declared; there are {', '.join(self.order)}")
        return self._node(namespace, value, self._normalise.get(namespace, ()))

    def _node(self, name: str, value: object, ways: tuple[str, ...]) -> str:
        if not isinstance(value, str):
            if not isinstance(value, int) or isinstance(value, bool):
                raise BadIdentifierError(f"{name} must be a text")
            value = str(value)
        if ways:
            value = normalised(value, ways, self.region)
        if not 0 < len(value) <= MAX_VALUE_LENGTH:
            raise BadIdentifierError(f"{name} must have 1 to {MAX_VALUE_LENGTH} characters")
        return f"{name}:{value}"

    def rank(self, node: str) -> tuple[int, str]:
        """What strength is compared by: smaller is stronger."""
        namespace, _, value = node.partition(":")
        return self._rank.get(namespace, len(self._rank)), value

    def stronger(self, one: str, other: str) -> bool:
        """Whether `one` is the stronger name."""
        return self.rank(one) < self.rank(other)

    def is_unique(self, node: str) -> bool:
        return node.partition(":")[0] in self.unique

    def is_shared(self, node: str) -> bool:
        return node.partition(":")[0] in self.shared

    def is_reference(self, node: str) -> bool:
        return node.partition(":")[0] in self.references


_NOTHING: Final = (None, "")


@lru_cache(maxsize=65536)
def normalised(value: str, ways: tuple[str, ...], region: str | None) -> str:
    """A value as it is stored and compared: `trim`, `lower`, `digits`, `phone` (E.164), in the order given.

    Small letters are composed ones (NFC), as RFC 6532, 3.1, has it for addresses: some keyboards write "ü" as two
    characters, and it is the same address. Digits are ASCII, whatever script they came in.
    """
    for way in ways:
        value = _WAYS[way](value, region)
    return value


def _phone(value: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return value.strip()
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


_WAYS: Final = {
    "trim": lambda value, _: value.strip(),
    "lower": lambda value, _: unicodedata.normalize("NFC", value.lower()),
    "digits": lambda value, _: "".join(str(unicodedata.decimal(c)) for c in value if c.isdecimal()),
    "phone": _phone,
}
