"""A small bundle with figures, and a history to count them over, told by hand."""

from orchestrator.engine.maps import EventMap
from orchestrator.kpis.figures import Figure, Row, figure
from orchestrator.kpis.history import ENGINE, History, Occurrence, Source
from orchestrator.language.bundle import Bundle, EventSchemas, load_bundle

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
SCHEMAS = EventSchemas.from_topics([
    {"topic": "channel.web", "events": {
        "order_placed": {"properties": {"order": TEXT, "total": NUMBER, "fulfilment": TEXT}},
        "order_returned": {"properties": {"order": TEXT, "total": NUMBER}},
        "feedback_given": {"properties": {"score": NUMBER}},
    }},
    {"topic": "channel.store", "events": {"order_placed": {"properties": {"order": TEXT, "total": NUMBER}}}},
    {"topic": "channel.email", "events": {
        "delivered": {"properties": {"message": TEXT}},
        "opened": {"properties": {"message": TEXT, "proxy": {"type": "boolean"}}},
    }},
])  # fmt: skip
HOUSE = """
bundle: house
language: en
zone: Europe/Paris
---
channels: all
define:
  email: {sends: push, address: email}
  push: {sends: push, address: device_id}
  sms: {sends: push, address: phone}
  web: {sends: pull}
  store: {sends: "no"}
---
identity: all
namespaces: {user_id: unique, email: unique, phone: shared, device_id: shared}
---
events: all
define:
  delivered: {channel: [email, push, sms]}
  opened: {channel: [email, push]}
  link_clicked: {channel: [email]}
  order_placed: {channel: [web, store]}
  order_returned: {channel: [web]}
  feedback_given: {channel: [web]}
---
facts: campaign
key: event.name
file: campaigns.yaml
---
segment: good
where: "true"
---
content: em.a
class: service
campaign: spring
variants: {email: {subject: A, body: A}}
---
content: em.b
class: service
campaign: autumn
variants: {email: {subject: B, body: B}}
---
scenario: cross_sell
labels: {moment: want_to_buy}
entry: {on: order_placed}
steps: [{id: a, send: {content: em.a}}]
---
scenario: win_back
entry: {on: order_placed}
steps: [{id: b, send: {content: em.b}}]
"""
CAMPAIGNS = b"spring: {name: spring}\nautumn: {name: autumn}\n"
DAY = 86_400_000
START = 1_767_608_400_000
"""Monday 2026-01-05 10:20 UTC."""


def load(kpi: str) -> Bundle:
    """The house with one more document."""
    files = {"house.yaml": HOUSE.encode(), "campaigns.yaml": CAMPAIGNS, "kpi.yaml": kpi.encode()}
    loaded = load_bundle(files, SCHEMAS)
    assert loaded.bundle is not None, [f"{one.position}: {one.message}" for one in loaded.diagnostics]
    return loaded.bundle


class Told:
    """What happened, told line by line."""

    def __init__(self) -> None:
        self.occurrences: list[Occurrence] = []
        self.people: dict[str, frozenset[str]] = {}
        self.facts: dict[str, dict[str, dict[str, object]]] = {}
        self._messages = 0

    def person(self, name: str, *segments: str) -> str:
        self.people[name] = frozenset(segments)
        return name

    def does(self, person: str, type_: str, at: int, source: Source | None = None, **data: object) -> None:
        """A customer's event: `order_placed` on the web, `email.opened`; `at` is ms after the start."""
        channel, dot, name = type_.partition(".")
        self._add(person, name if dot else type_, channel if dot else "web", at, source or Source(), data)

    def sends(self, person: str, content: str, channel: str, at: int, scenario: str = "cross_sell") -> Source:
        """A message that is sent and delivered at once."""
        self._messages += 1
        source = Source(scenario, "", content, channel, f"m{self._messages}")
        self._add(person, "contact_sent", ENGINE, at, source, {"content": content, "channel": channel})
        self._add(person, "delivered", channel, at, source, {"message": source.message})
        return source

    def enters(self, person: str, scenario: str, at: int, *, holdout: bool = False) -> Source:
        source = Source(scenario, holdout=holdout)
        self._add(person, "entered", ENGINE, at, source, {"scenario": scenario})
        return source

    def _add(self, person: str, type_: str, channel: str, at: int, source: Source, data: dict[str, object]) -> None:
        time = START + at
        meta = {
            "id": "", "type": type_, "channel": channel, "time": time, "received": time, "source": "shop",
            "thread": "", "late": False,
        }  # fmt: skip
        event = EventMap(data, meta, frozenset({"proxy", "total", "score", "reason"}))
        self.people.setdefault(person, frozenset())
        self.occurrences.append(Occurrence(time, person, type_, channel, event, source))

    def history(self) -> History:
        return History(self.occurrences, self.people, facts=self.facts)


def count(kpi: str, told: Told) -> Figure:
    """One figure over what was told."""
    bundle = load(kpi)
    (name,) = bundle.kpis
    return figure(bundle.kpis[name], bundle, told.history())


def rows(kpi: str, told: Told) -> dict[str, Row]:
    """The rows of a figure by group, `spring/3+`."""
    return {"/".join(row.group): row for row in count(kpi, told).rows}
