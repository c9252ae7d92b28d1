"""Section 7: what is known of a customer, computed from all their accepted events whenever somebody asks."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from orchestrator.language.cel import CelError, Expression, Timestamp

if TYPE_CHECKING:
    from orchestrator.language.spec.traits import Trait
    from tests.reference.interpreter.customer import Customer
    from tests.reference.interpreter.records import Happened

BASKET = {"id": "", "lines": [], "total": 0.0, "channel": "", "at": Timestamp.of_ms(0)}
EMPTY: dict[str, Any] = {
    "count": 0, "sum": 0.0, "score": 0.0, "ledger": 0.0, "set": [], "list": [], "flag": False, "basket": BASKET,
}  # fmt: skip
EMPTY_OF_TYPE: dict[str, Any] = {"string": "", "int": 0, "double": 0.0, "bool": False}


PUT_IN, EMPTIED = 0, 2
"""The lines of a basket: put in, taken out, emptied."""


class Contribution:
    """What one event tells one line of a trait."""

    def __init__(self, event: Happened, line: int, value: Any, time: int | None = None, id_: str = "") -> None:
        self.time = event.time if time is None else time
        self.id = id_ or event.id
        self.line = line
        self.value = value

    @property
    def place(self) -> tuple[int, str]:
        return self.time, self.id


class Profile(dict[str, Any]):
    """`profile.NAME`: nothing is remembered."""

    def __init__(self, customer: Customer) -> None:
        super().__init__()
        self.customer = customer

    def __missing__(self, name: str) -> Any:
        return read(self.customer, name)


class Keyed(dict[str, Any]):
    """A keyed trait: an unknown key gives its default."""

    def __init__(self, values: dict[str, Any], default: Any) -> None:
        super().__init__(values)
        self.default = default

    def __missing__(self, key: str) -> Any:
        return self.default() if callable(self.default) else self.default


def read(customer: Customer, name: str) -> Any:
    """A trait, or what is always there."""
    trait = customer.bundle.traits.get(name)
    if trait is not None:
        return _keyed(customer, name, trait) if trait.per is not None else _plain(customer, name, trait)
    if name == "consent":
        return Consents(customer)
    if name in {"threads", "open_questions"}:
        return _said(customer, name)
    present = {
        "id": customer.person, "ids": customer.ids, "known": True, "name": "", "preferred_channel": "",
        "preferred_hours": "", "topics": [], "language": customer.bundle.settings.language, "zone": customer.zone,
    }  # fmt: skip
    return present[name]


def _said(customer: Customer, name: str) -> Any:
    from tests.reference.interpreter.conversation import shown  # noqa: PLC0415 - conditions read the profile

    threads = shown(customer)
    return threads if name == "threads" else sum(1 for thread in threads.values() if thread["asked"])


def _plain(customer: Customer, name: str, trait: Trait) -> Any:
    if trait.kind in {"choose", "compute"}:
        return _computed(customer, trait, None)
    if trait.kind == "stored":
        at, value = customer.stored.get(name, (0, None))
        return _default(trait) if value is None or _is_over(trait, at, customer.now) else value
    return _value(customer, trait, [one for _, one in contributions(customer, name, trait)])


def _keyed(customer: Customer, name: str, trait: Trait) -> Any:
    if trait.per is not None and trait.per.trait is not None:
        keys = list(read(customer, trait.per.trait))
        return Keyed({key: _computed(customer, trait, key) for key in keys}, lambda: _computed(customer, trait, ""))
    by_key: dict[str, list[Contribution]] = {}
    for key, one in contributions(customer, name, trait):
        by_key.setdefault(key, []).append(one)
    return Keyed({key: _value(customer, trait, ones) for key, ones in by_key.items()}, _default(trait))


def _computed(customer: Customer, trait: Trait, key: str | None) -> Any:
    from tests.reference.interpreter.conditions import Scope, holds  # noqa: PLC0415 - conditions read the profile

    scope = Scope(customer) if key is None else Scope(customer, key=key)
    if trait.compute is not None:
        return trait.compute.evaluate(scope)
    return next((case.is_ for case in trait.choose or () if holds(case.when, scope)), trait.else_)


def _default(trait: Trait) -> Any:
    if trait.default is not None:
        return trait.default
    if trait.kind in EMPTY:
        return EMPTY[trait.kind]
    if trait.kind == "stored":
        return EMPTY_OF_TYPE[trait.stored or "string"]
    given = getattr(trait, trait.kind)
    value = given if isinstance(given, Expression) else given[0].value
    return EMPTY_OF_TYPE[value.type.plain.kind]


def contributions(customer: Customer, name: str, trait: Trait) -> list[tuple[str, Contribution]]:
    """What all accepted events tell a trait, in the order of event time, then id; with the key of a keyed one."""
    from tests.reference.interpreter.conditions import Scope  # noqa: PLC0415 - conditions read the profile

    found: list[tuple[str, Contribution]] = []
    for event in sorted(customer.accepted, key=lambda one: (one.time, one.id)):
        for number, (on, wheres, each, value) in enumerate(_lines(trait)):
            if not event.is_one_of(on):
                continue
            try:
                items = [None] if each is None else each.evaluate(Scope(customer, event))
                for item in items:
                    scope = Scope(customer, event) if each is None else Scope(customer, event, item=item)
                    if not all(where is None or where.evaluate(scope) is True for where in wheres):
                        continue
                    key = ""
                    if trait.per is not None and trait.per.expr is not None:
                        given = trait.per.expr.evaluate(scope)
                        if given is None:
                            continue
                        key = str(given)
                    found.append((key, Contribution(event, number, value(scope))))
            except CelError:
                continue
    return found + [("", award) for award in customer.awards.get(name, ())]


Line = tuple[tuple[str, ...], tuple[Expression | None, ...], Expression | None, Any]


def _lines(trait: Trait) -> list[Line]:
    """(on, all wheres, each, value) of each line of a trait."""
    given = getattr(trait, trait.kind)
    if isinstance(given, Expression):
        value = given.evaluate
        if trait.by is not None:
            by = trait.by.evaluate
            value = lambda scope: (_number(by(scope)), given.evaluate(scope))  # noqa: E731
        lines: list[Line] = [(trait.on, (trait.where,), trait.each, value)]
        return lines + [(gone.on, (gone.where,), gone.each, gone.value.evaluate) for gone in trait.remove]
    if trait.basket is not None:
        basket = trait.basket
        return [
            (on, (trait.where,), None, lambda scope, empties=on is basket.empty: _basket_line(basket, empties, scope))
            for on in (basket.add, basket.remove, basket.empty)
        ]
    if trait.flag is not None:
        wheres = (trait.where, trait.flag.where)
        return [(trait.flag.on, wheres, None, lambda _: True), (trait.flag.off, wheres, None, lambda _: False)]
    return [(line.on, (trait.where, line.where), trait.each, _line_value(trait, line)) for line in given]


def _basket_line(basket: Any, empties: bool, scope: Any) -> Any:
    """What, how many (one, unless it is said), of which basket, on which channel."""
    event = scope.event
    if event.get("sku") is None and not empties:
        raise CelError("of what?")
    try:
        name = basket.id.evaluate(scope)
    except CelError:
        name = ""
    return event.get("sku"), event.get("qty") or 1, name, event["meta"]["channel"]


def _line_value(trait: Trait, line: Any) -> Any:
    if trait.kind in {"first", "last"}:
        return line.value.evaluate
    if trait.kind == "score":
        return lambda scope: (_number(line.add.evaluate(scope)), line.once_per or 0)
    if line.reverse is not None:
        share = line.share
        return lambda scope: (
            "back", str(line.reverse.evaluate(scope)), 1.0 if share is None else _number(share.evaluate(scope))
        )  # fmt: skip
    return lambda scope: ("add", str(line.ref.evaluate(scope)), _number(line.amount.evaluate(scope)))


def _number(value: Any) -> Any:
    """What has to be added up; null is an error in arithmetic."""
    if value is None:
        raise CelError("null is no number")
    return value


def _value(customer: Customer, trait: Trait, ones: list[Contribution]) -> Any:
    value = _KINDS[trait.kind](trait, ones, customer.now)
    if trait.kind == "basket" and value is not None:
        price = {sku: row["price"] for sku, row in customer.shared.rows["price"].items() if "price" in row}
        value["total"] = float(sum(price.get(line["sku"], 0.0) * line["qty"] for line in value["lines"]))
    return _default(trait) if value is None else value


def _first(trait: Trait, ones: list[Contribution], now: int) -> Any:
    if not ones:
        return None
    earliest = min(ones, key=lambda one: (one.line, one.time, one.id))
    return None if _is_over(trait, earliest.time, now) else earliest.value


def _is_over(trait: Trait, since: int, now: int) -> bool:
    """Whether `keep_for` has passed since then."""
    return bool(trait.keep_for) and now - since >= (trait.keep_for or 0)


def _last(trait: Trait, ones: list[Contribution], now: int) -> Any:
    if not ones:
        return None
    best_line = min(one.line for one in ones)
    newest = max((one for one in reversed(ones) if one.line == best_line), key=lambda one: one.place)
    return None if _is_over(trait, newest.time, now) else newest.value


def _best(trait: Trait, ones: list[Contribution], now: int) -> Any:
    if not ones:
        return None
    best = min(ones, key=lambda one: (-one.value[0], one.time, one.id))
    return None if _is_over(trait, best.time, now) else best.value[1]


def _count(trait: Trait, ones: list[Contribution], now: int) -> Any:
    return sum(1 for one in ones if one.value is True and _in_window(trait, one, now))


def _sum(trait: Trait, ones: list[Contribution], now: int) -> Any:
    known = [one for one in ones if one.value is not None]
    return sum(one.value for one in known if _in_window(trait, one, now)) if known else None


def _in_window(trait: Trait, one: Contribution, now: int) -> bool:
    return not trait.window or now - trait.window < one.time <= now


def _set(trait: Trait, ones: list[Contribution], now: int) -> Any:
    """Of adding (line 0) and taking out (any other) a value the later wins; on a tie the taking out."""
    newest: dict[Any, tuple[int, bool, str]] = {}
    for one in ones:
        word = (one.time, one.line > 0, one.id)
        newest[one.value] = max(word, newest.get(one.value, word))
    return [value for value, word in sorted(newest.items(), key=lambda known: known[1]) if not word[1]]


def _list(trait: Trait, ones: list[Contribution], now: int) -> Any:
    return [one.value for one in sorted(ones, key=lambda one: one.place, reverse=True)][: trait.keep]


def _score(trait: Trait, ones: list[Contribution], now: int) -> Any:
    """Each counted event's amount, halved for its age; nothing from before a long enough pause counts."""
    if not ones:
        return None
    ones = sorted(ones, key=lambda one: (one.time, one.id, one.line))
    total, clock = 0.0, max(now, ones[-1].time)
    for place, one in enumerate(ones):
        amount, once_per = one.value
        of_line = [other for other in ones[:place] if other.line == one.line]
        counts = not (once_per and of_line and one.time - of_line[-1].time < once_per)
        later = [other.time for other in ones[place:]] + [clock]
        pauses = [after - before for before, after in itertools.pairwise(later)]
        forgotten = bool(trait.reset_after) and any(pause >= (trait.reset_after or 0) for pause in pauses)
        if counts and not forgotten:
            total += amount * 0.5 ** ((clock - one.time) / trait.half_life) if trait.half_life else amount
    return total


def _flag(trait: Trait, ones: list[Contribution], now: int) -> Any:
    if not ones:
        return None
    newest = max(ones, key=lambda one: (one.time, one.line, one.id))
    longest = trait.flag.longest if trait.flag is not None else None
    return bool(newest.value) and not (longest and now - newest.time >= longest)


def _ledger(trait: Trait, ones: list[Contribution], now: int) -> Any:
    """Of each ref and line the earliest entry, less the largest share that was taken back."""
    if not ones:
        return None
    entries: dict[tuple[str, Any], Contribution] = {}
    back: dict[str, float] = {}
    for one in sorted(ones, key=lambda one: one.place):
        word, ref, number = one.value
        if word == "back":
            back[ref] = max(back.get(ref, 0.0), min(1.0, number))
        else:
            entries.setdefault((ref, one.line), one)
    return sum(one.value[2] * (1 - back.get(ref, 0.0)) for (ref, _), one in entries.items())


def _basket(trait: Trait, ones: list[Contribution], now: int) -> Any:
    """What was put in, less what was taken out, since it was last emptied, or untouched for as long as it is kept."""
    if not ones or _is_over(trait, ones[-1].time, now):
        return None
    lines: dict[str, int] = {}
    name = ""
    for place, one in enumerate(ones):
        sku, quantity, id_, _ = one.value
        if place and _is_over(trait, ones[place - 1].time, one.time):
            lines = {}
        if one.line == EMPTIED:
            lines = {}
        elif one.line == PUT_IN:
            lines[sku] = lines.get(sku, 0) + quantity
        else:
            left = lines.pop(sku, 0) - quantity
            lines = {**lines, sku: left} if left > 0 else lines
        name = id_ or name
    newest = ones[-1]
    return {
        "id": name if lines else "", "lines": [{"sku": sku, "qty": lines[sku]} for sku in lines],
        "channel": newest.value[3], "at": Timestamp.of_ms(newest.time),
    }  # fmt: skip


def _most(trait: Trait, ones: list[Contribution], now: int) -> Any:
    values = [one.value for one in ones]
    if not values:
        return None
    commonest = min(set(values), key=lambda value: (-values.count(value), str(value)))
    return commonest if values.count(commonest) >= trait.share * len(values) else None


_KINDS = {
    "first": _first, "last": _last, "best": _best, "count": _count, "sum": _sum, "set": _set, "list": _list,
    "score": _score, "flag": _flag, "ledger": _ledger, "most": _most, "basket": _basket,
}  # fmt: skip


# Consent.


class Consents(dict[str, Any]):
    """`profile.consent.CHANNEL.PURPOSE`."""

    def __init__(self, customer: Customer) -> None:
        super().__init__()
        self.customer = customer

    def __missing__(self, channel: str) -> Any:
        return Purposes(self.customer, channel)


class Purposes(dict[str, Any]):
    def __init__(self, customer: Customer, channel: str) -> None:
        super().__init__()
        self.customer, self.channel = customer, channel

    def __missing__(self, purpose: str) -> bool:
        return granted(self.customer, self.channel, purpose)


def words(customer: Customer) -> dict[tuple[str, str], tuple[int, bool]]:
    """The newest word about each channel and purpose: (event time, denied)."""
    from tests.reference.interpreter.conditions import Scope, holds  # noqa: PLC0415 - conditions read the profile

    said = [(place, word) for place, word in customer.said_at_start.items()]
    consent = customer.bundle.consent
    for event in customer.accepted[customer.heard_of_consent :]:
        for rule in consent.rules if consent is not None else ():
            scope = Scope(customer, event)
            if event.is_one_of(rule.on) and holds(rule.where, scope):
                given = rule.grant or rule.deny
                assert given is not None
                place = (_name(given.channel, scope), _name(given.purpose, scope))
                said.append((place, (event.time, rule.grant is None)))
    newest: dict[tuple[str, str], tuple[int, bool]] = {}
    for place, word in said:
        newest[place] = max(word, newest.get(place, word))
    return newest


def _name(word: Any, scope: Any) -> str:
    return str(word.expr.evaluate(scope)) if word.expr is not None else word.name or "all"


def granted(customer: Customer, channel: str, purpose: str) -> bool:
    """The newest word that speaks of this channel and this purpose, by name or as one of all."""
    about = [
        word for (of, for_), word in words(customer).items() if of in {channel, "all"} and for_ in {purpose, "all"}
    ]
    return bool(about) and not max(about)[1]


def denied(customer: Customer, channel: str) -> bool:
    """Whether the newest word about the channel as a whole is a denial."""
    about = [word for (of, for_), word in words(customer).items() if of in {channel, "all"} and for_ == "all"]
    return bool(about) and max(about)[1]
