"""What is called accepted can be taken in: whoever hears 202 never finds that event in `dead-letter` for what it holds.

Over all that ships: every declared event, with each of its properties left out, null, or of another value in turn.
What a worker alone can know (whose an order is, whether a customer's record is full) is not looked at here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import yaml

from orchestrator.engine.fact_rows import row_node
from orchestrator.engine.facts import Facts
from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.plan import Program
from orchestrator.gateway.events import EventCheck, Ready
from orchestrator.gateway.release_rules import BundleRules
from orchestrator.gateway.schemas import compile_schema
from orchestrator.gateway.tokens import LinkTokens
from orchestrator.language.bundle import Bundle, EventSchemas, load_bundle
from orchestrator.language.cel import CelError
from orchestrator.stream.lane.intake import Refused, read_event

NOW: Final = 1_772_439_600_000
ROOT: Final = Path(__file__).parents[2]
TOPICS: Final = [yaml.safe_load(path.read_text()) for path in sorted((ROOT / "topics").glob("channel.*.yaml"))]
LIKELY: Final[dict[str, Any]] = {
    "string": "lumo-1", "integer": 1, "number": 1.5, "boolean": True, "array": ["a"], "object": {"a": 1},
}  # fmt: skip
ODD: Final[list[Any]] = [None, "", "x", 0, {}]
NAMED: Final[list[dict[str, Any]]] = [
    {}, {"email": "amy@example.com"}, {"user_id": 7}, {"anonymous_id": ""}, {"account_id": "acme"}, {"account_id": 7},
    {"phone": "1"}, {"order": "o-1"}, {"order": ""}, {"email": None, "account_id": "acme"}, {"order": ["o-1"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    folder = ROOT / "scenarios"
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    found = load_bundle(files, EventSchemas.from_topics(TOPICS)).bundle
    assert found is not None
    return found


def event_check() -> EventCheck:
    checks = {
        topic["topic"].partition(".")[2]: {name: compile_schema(schema) for name, schema in topic["events"].items()}
        for topic in TOPICS
    }
    return EventCheck(checks, LinkTokens({}))


def variations(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The data of an event as it should be, and with each property wanting in some way."""
    properties = schema.get("properties", {})
    whole = {name: one["enum"][0] if "enum" in one else LIKELY[one["type"]] for name, one in properties.items()}
    for named in NAMED:
        yield whole | named
    for name in properties:
        yield {other: value for other, value in whole.items() if other != name} | NAMED[1]
        for value in ODD:
            yield whole | {name: value} | NAMED[1]


def set_aside(ready: Ready, program: Program) -> str:
    """Why a worker would set an event aside, for what the event holds; "" where it would not."""
    taken = read_event(ready.value, ready.channel, NOW, program)
    if isinstance(taken, Refused):
        return taken.reason
    for document in taken.plan.facts:
        try:
            row_node(document, taken.event, program, Facts(program.base_facts))
        except CelError:
            return f"names no row of {document.facts}"
    identity = program.identity
    named = taken.event.identifiers or identity.referred(taken.event.data)
    return "" if named or taken.plan.for_ == "brand" else "names nobody"


def test_whatever_is_accepted_is_not_set_aside_for_what_it_holds(bundle: Bundle) -> None:
    program, rules, check = build_program(bundle), BundleRules(bundle), event_check()
    accepted, lost = 0, set()
    for topic in TOPICS:
        channel = topic["topic"].partition(".")[2]
        for name, schema in topic["events"].items():
            for data in variations(schema):
                event = {"id": "e", "source": "s", "type": name, "channel": channel, "data": data}
                outcome = check.check(msgspec.json.encode(event), "default", rules, NOW)
                if isinstance(outcome, Ready):
                    accepted += 1
                    why = set_aside(outcome, program)
                    lost |= {(channel, name, why)} if why else set()
    assert accepted > 1_000
    assert lost == set()


@pytest.mark.parametrize(
    ("channel", "event_type", "data", "path", "message"),
    [
        ("store", "window_changed", {"theme": "spring"}, "data.store", "tells which row of the facts 'place'"),
        ("store", "window_changed", {"theme": "spring", "store": None}, "data.store", "is required"),
        ("web", "page_viewed", {"page": "/", "account_id": "acme"}, "data", "names nobody"),
        ("web", "page_viewed", {"page": "/", "account_id": "acme", "email": ""}, "data.email", "is empty"),
    ],
)
def test_what_would_be_set_aside_is_told_by_its_field(
    bundle: Bundle, channel: str, event_type: str, data: dict[str, Any], path: str, message: str
) -> None:
    event = {"id": "e", "source": "s", "type": event_type, "channel": channel, "data": data}
    outcome = event_check().check(msgspec.json.encode(event), "default", BundleRules(bundle), NOW)
    assert isinstance(outcome, list)
    [problem] = outcome
    assert problem.path == path
    assert message in problem.message
    assert "account_id" not in problem.message, "an account is nobody"
