"""What the names and functions of conditions mean: told here once, shown on the reference page beside their types."""

from __future__ import annotations

from typing import Final, NamedTuple


class Root(NamedTuple):
    """A name that conditions begin with: where it may be used, and what it holds."""

    where: str
    meaning: str


ROOTS: Final[dict[str, Root]] = {
    "now": Root("everywhere", "the time at which this is looked at"),
    "profile": Root("everywhere but in `facts`", "the customer: every trait by its name, and the fields below"),
    "facts": Root(
        "everywhere",
        "fact → key → row, as in `facts.campaign[event.campaign].creative`; `in` asks whether there is one",
    ),
    "event": Root(
        "beside `on` (`where`, `key`, `each`, lines of traits), `derive`, facts, consent, conversation",
        "the event that came: its properties and identifiers by name, and `event.meta`",
    ),
    "item": Root("beside `each`, and in a slot's candidate beside `from`", "one element of the list"),
    "entry": Root(
        "`goal`, `exit`, `while` and steps of a scenario, and contents",
        "the event that began the story, as it was: `entry.sku`, `entry.meta.time`. Of a sequence the last event; the "
        "others are `entry.NAME` by their `as`. With `every`, `at` and `becomes` it has `meta` only",
    ),
    "steps": Root("steps, and contents", "`steps.ID`: what a step before has given, below"),
    "vars": Root("`goal`, `exit`, `while`, steps, and contents", "what the step `set` has kept under `vars`"),
    "key": Root("traits with `per`", "the key whose value is asked for"),
    "ask": Root(
        "slots, and contents that a slot shows",
        "who asks: the fields below, and whatever attributes the channel sent along",
    ),
    "account": Root("scenarios, slots and contents", "traits of an account (E-NOT-RUN)"),
    "offer": Root(
        "offers, and contents",
        "the offer, or the one that the content carries: the fields below. Unknown where there is none",
    ),
}
"""Root → where it may be used, and what it is. The names given by `as` in a sequence are roots as well."""

FIELDS: Final[dict[str, dict[str, str]]] = {
    "profile": {
        "id": "a name of our own for the person; it may change when histories are joined",
        "known": "has an identifier that is `unique`: more than an anonymous visitor",
        "name": "empty, unless a trait of this name tells it",
        "preferred_channel": "leads `preferred` where a trait of this name tells it",
        "preferred_hours": "`18-20` or `18:30-20:00`: marketing waits for them, where a trait of this name tells them",
        "topics": "marketing must be `about` one of them, where a trait of this name tells them",
        "language": "which text of a content they get: the bundle's, unless a trait of this name tells it",
        "zone": "whose clock: the bundle's, unless a trait of this name tells it",
        "segments": "names of all segments that they belong to",
        "offers": "every offer that was shown to them, redeemed or refused, by its name: the fields of `offer`",
        "threads": "conversations by name",
        "open_questions": "conversations in which nobody has answered yet",
        "version": "grows with everything that happens to them",
        "consent": "`profile.consent.email.newsletter`: channel, then purpose",
        "ids": "the newest identifier of a namespace: `profile.ids.email`",
    },
    "event.meta": {
        "id": "the event's id",
        "type": "its type: tells events of one `on` list apart",
        "channel": "where it came from",
        "time": "when it happened",
        "received": "when it arrived",
        "source": "which system told it",
        "thread": 'the conversation it belongs to, `""` if none',
        "late": "it came later than the bundle's `lateness`",
    },
    "offer": {
        "name": "its name",
        "price": "its term `price`, where that is a number",
        "terms": "what was told to them, or is to be: `offer.terms.price`",
        "until": "how long it is promised; null where it is not",
        "state": "as `offer_state()`",
    },
    "thread": {
        "id": "its name",
        "turns": "how many there were",
        "last": "the last turn",
        "asked": "turns of the customer that nobody has answered yet",
        "open": "it has not been closed",
        "channels": "those it went over",
        "about": "its subject",
    },
    "turn": {
        "by": '`"customer"`, `"agent"` or `"bot"`',
        "text": "what was said",
        "at": "when",
        "channel": "where",
        "id": "id of its event",
        "agent": "who answered",
    },
    "message": {
        "content": "its content's name",
        "topic": "its topic",
        "about": "its subjects, and that of its conversation",
        "offer": "its offer",
        "thread": "its conversation",
        "channel": "where it was sent",
        "at": "when",
    },
    "place": {"place": "name of the place", "qty": "pieces there", "km": "how far from `profile.place`"},
    "local": {
        "date": "as `2026-03-02`",
        "time": "as `08:15`",
        "weekday": "`mon` `tue` `wed` `thu` `fri` `sat` `sun`",
        "hour": "0 to 23",
    },
    "ask": {
        "slot": "name of the slot",
        "channel": "which channel asks",
        "identifier": "the identifier it asks with, as `anonymous_id:a1`",
        "known": "as `profile.known`",
        "linked": "the one who asks is known to be this customer, not only their device",
        "language": "what the channel asked for",
    },
    "basket": {
        "id": "the basket's id",
        "lines": "what lies in it: `sku` and `qty`",
        "total": "by `price()`; what has no price counts as nothing",
        "channel": "where it was touched last",
        "at": "when",
    },
}
"""Record → field → what it holds."""


class Told(NamedTuple):
    """A function as the reference tells it."""

    meaning: str
    example: str


FUNCTIONS: Final[dict[str, Told]] = {
    "count": Told(
        "how many such events of this customer happened in the window up to now, this one included. The window is a "
        "duration of at most `400d`. With a property only those that have this value there",
        'count("order_placed", "30d") >= 3',
    ),
    "seen": Told("whether there was one", 'seen("product_viewed", "7d", "sku", event.sku)'),
    "last": Told("the newest such event; unknown where there is none", 'last("order_placed").total > 100.0'),
    "since": Told(
        "how long ago the newest such event happened; unknown where there is none",
        'since("order_placed") > duration("30d")',
    ),
    "in_segment": Told("whether they belong to it", 'in_segment("loyal")'),
    "live": Told("whether they are under way in a scenario, or in it with this key", 'live("cart_rescue")'),
    "offer_state": Told(
        '`"none"`, `"shown"`, `"redeemed"`, `"refused"` or `"expired"`', 'offer_state("ten_off") == "none"'
    ),
    "stock": Told(
        "`qty` in the rows of the fact `stock`, over all places where none is named; 0 where nothing is known",
        'stock(event.sku, "web") > 0',
    ),
    "stock_places": Told(
        "places that have some, nearest to `profile.place` first", "size(stock_places(event.sku)) > 0"
    ),
    "price": Told("`price` in the row of the fact `price`; unknown where there is none", "price(event.sku) <= 80.0"),
    "catalog": Told("the row of the fact `catalog`", 'catalog(event.sku).family == "air"'),
    "rows": Told(
        "all rows of a fact, in the order of their keys", 'rows("campaign").exists(r, r.product == event.sku)'
    ),
    "promised": Told(
        "the lowest price of this product that an offer promises them, else `price()`", "promised(event.sku) < 80.0"
    ),
    "message": Told(
        "a message that was sent, by its id or by its content's name (then the newest); unknown where there is none",
        "message(event.message).content",
    ),
    "thread": Told("a conversation; unknown where there is none", "thread(event.meta.thread).asked > 0"),
    "thread_of": Told('the conversation that a message belongs to, `""` if none', "thread_of(event.message)"),
    "top": Told("the key with the largest value; ties by name", "top(profile.interest)"),
    "open": Told("whether a calendar is open, now or then", 'open("support")'),
    "local": Told("date and clock in the customer's zone", 'local(now).weekday == "mon" && local(now).hour >= 9'),
    "intent": Told(
        'the first intent whose words are in the text, of all or of these; `""` if none',
        'intent(event.text, ["refund", "human"]) != ""',
    ),
    "found": Told('what an intent\'s `find` takes from the text, `""` if nothing', 'found(event.text, "order")'),
    "percent": Told(
        "a sticky draw: true for so many in a hundred customers; the same salt draws the same ones",
        'percent(10.0, "spring")',
    ),
}
"""Function of ours → what it gives, and a condition that uses it."""

STANDARD: Final[dict[str, Told]] = {
    "size": Told("letters of a text, elements of a list, keys of a map", 'size(["a", "b"])'),
    "contains": Told("whether a text holds another", '"Lumo One".contains("One")'),
    "startsWith": Told("whether it begins with it", '"sku-1".startsWith("sku-")'),
    "endsWith": Told("whether it ends with it", '"a@example.com".endsWith(".com")'),
    "matches": Told("whether an RE2 pattern is found in it", '"A17".matches("^[A-Z][0-9]+$")'),
    "int": Told("as a whole number; of a timestamp its seconds", 'int("42")'),
    "uint": Told("as a whole number without sign", "uint(42) == 42u"),
    "double": Told("as a number with decimals", 'double("9.90")'),
    "string": Told("as text", "string(9.5)"),
    "bytes": Told("as bytes", 'size(bytes("é"))'),
    "bool": Told("as true or false", 'bool("true")'),
    "timestamp": Told("a time from text", 'timestamp("2026-03-02T08:15:00+01:00") < timestamp("2026-03-03T00:00:00Z")'),
    "duration": Told("a span of time from text: the units are `w d h m s ms`", 'duration("1d") == duration("24h")'),
    "type": Told("the type of a value", "type(1) == int"),
    "dyn": Told("the value without its type, where lint should not compare types", 'dyn(1) == "1"'),
    "getFullYear": Told("the year; UTC, unless a zone is named", 'timestamp("2026-03-02T23:15:00Z").getFullYear()'),
    "getMonth": Told("the month, 0 is January", 'timestamp("2026-03-02T23:15:00Z").getMonth()'),
    "getDate": Told("the day of the month, from 1", 'timestamp("2026-03-02T23:15:00Z").getDate("Europe/Paris")'),
    "getDayOfMonth": Told("the day of the month, from 0", 'timestamp("2026-03-02T23:15:00Z").getDayOfMonth()'),
    "getDayOfWeek": Told("the weekday, 0 is Sunday", 'timestamp("2026-03-02T23:15:00Z").getDayOfWeek()'),
    "getDayOfYear": Told("the day of the year, from 0", 'timestamp("2026-03-02T23:15:00Z").getDayOfYear()'),
    "getHours": Told("the hour; of a duration all its hours", 'duration("2d").getHours()'),
    "getMinutes": Told("the minute; of a duration all its minutes", 'duration("2h").getMinutes()'),
    "getSeconds": Told("the second; of a duration all its seconds", 'duration("2m").getSeconds()'),
    "getMilliseconds": Told("what is left of the second", 'duration("1500ms").getMilliseconds()'),
    "charAt": Told("one letter, counted from 0", '"lumo".charAt(0)'),
    "indexOf": Told("where a text begins in it, -1 if nowhere", '"lumo-1".indexOf("-")'),
    "lastIndexOf": Told("where it begins last", '"a-b-c".lastIndexOf("-")'),
    "join": Told("a list as one text", '["a", "b"].join(", ")'),
    "lowerAscii": Told("a to z for A to Z", '"LUMO".lowerAscii()'),
    "upperAscii": Told("A to Z for a to z", '"lumo".upperAscii()'),
    "replace": Told("another text in place of one, everywhere or so many times", '"a-b".replace("-", " ")'),
    "reverse": Told("backwards", '"abc".reverse()'),
    "split": Told("a text as a list", '"a,b".split(",")'),
    "substring": Told("from one place up to before another, counted from 0", '"2026-03-02".substring(5, 7)'),
    "trim": Told("without blanks at its ends", '" lumo ".trim()'),
    "fold": Told("lower case, no accents, single blanks: for comparing what people write", 'fold("  Été  ICI")'),
    "math.ceil": Told("the whole number above", "math.ceil(1.2)"),
    "math.floor": Told("the whole number below", "math.floor(1.8)"),
    "math.round": Told("the nearest whole number", "math.round(1.5)"),
    "math.sqrt": Told("the square root", "math.sqrt(9.0)"),
    "math.trunc": Told("without its decimals", "math.trunc(-1.8)"),
    "math.abs": Told("without its sign", "math.abs(-3)"),
    "math.sign": Told("-1, 0 or 1", "math.sign(-3)"),
    "math.isNaN": Told("whether it is no number", "math.isNaN(0.5)"),
    "math.isInf": Told("whether it is infinite", "math.isInf(0.5)"),
    "math.isFinite": Told("whether it is neither", "math.isFinite(0.5)"),
    "math.greatest": Told("the largest of several, or of a list", "math.greatest(1, 3, 2)"),
    "math.least": Told("the smallest of several, or of a list", "math.least([3, 2])"),
}
"""Function of CEL → what it gives, and an expression that has a value by itself."""

MACROS: Final[dict[str, Told]] = {
    "has": Told("whether a field is there and not null", 'has({"a": 1}.a)'),
    "all": Told("whether a condition holds for every element (of a map: for every key)", "[1, 2].all(n, n > 0)"),
    "exists": Told("whether it holds for one or more", '["a", "b"].exists(s, s == "a")'),
    "exists_one": Told("whether it holds for exactly one", "[1, 2].exists_one(n, n > 1)"),
    "filter": Told("the elements for which it holds", "[1, 2, 3].filter(n, n > 1)"),
    "map": Told(
        "what becomes of each element; with three arguments only of those for which the second holds",
        "[1, 2].map(n, n * 10)",
    ),
    "cel.bind": Told("a name for a value that is needed more than once", "cel.bind(x, 2 + 3, x * x)"),
}
"""Macro → what it gives, and an expression that has a value by itself."""

OPERATORS: Final[dict[str, Told]] = {
    "== !=": Told("equal, not equal; texts in double quotes", '"a" == "b"'),
    "< <= > >=": Told("order of numbers, texts, timestamps, durations", "2 < 10"),
    "&& || !": Told("and, or, not", "true && !false"),
    "in": Told("whether a list has an element, or a map a key", '"a" in ["a", "b"]'),
    "+ - * / %": Told(
        "arithmetic; whole numbers stay whole (`7 / 2` is 3); `+` joins texts and lists; `+` and `-` move a timestamp "
        "by a duration",
        "7.0 / 2",
    ),
    "? :": Told("one of two values", '3 > 2 ? "more" : "less"'),
    "[ ]": Told("an element by its number from 0, or a value by its key", '["a", "b"][0]'),
    ".": Told("a field", '{"a": 1}.a'),
}
"""Operator → what it does, and an expression that has a value by itself."""
