"""Rows that everyone shares: what files say, and what events have said since."""

import msgspec
from play import START, event_bytes, program_of

from orchestrator.engine.facts import Facts
from orchestrator.model.effect import FACTS
from orchestrator.stream.lane.core import CustomerCore
from orchestrator.stream.lane.records import Record

FILES = {"catalog": {"lumo-1": {"name": "Lumo", "watts": 7}}}


def test_what_an_event_says_counts_before_what_a_file_says_field_by_field() -> None:
    facts = Facts(FILES)
    facts.set("catalog", "lumo-1", {"watts": 8})
    assert facts.row("catalog", "lumo-1") == {"name": "Lumo", "watts": 8}


def test_a_worker_that_has_run_for_long_shows_the_same_as_one_that_has_just_begun() -> None:
    old, new = Facts(FILES), Facts()
    old.set("catalog", "lumo-1", {"watts": 8})
    release = {"catalog": {"lumo-1": {"name": "Lumo II", "colour": "red", "watts": 9}}}
    old.rebase(release)
    new.rebase(release)
    new.set("catalog", "lumo-1", {"watts": 8})
    assert old.rows == new.rows == {"catalog": {"lumo-1": {"name": "Lumo II", "colour": "red", "watts": 8}}}


def test_where_events_have_taken_back_what_they_said_the_file_shows_again() -> None:
    facts = Facts({"stock": {"lumo-1/web": {"qty": 3}}})
    facts.set("stock", "lumo-1/web", {"qty": 5})
    facts.set("stock", "lumo-1/paris", {"qty": 1})
    assert facts.stock("lumo-1") == 6
    facts.set("stock", "lumo-1/web", None)
    facts.set("stock", "lumo-1/paris", None)
    assert facts.stock("lumo-1") == 3


def test_a_row_that_a_release_has_no_more_goes_and_one_that_an_event_has_set_stays() -> None:
    facts = Facts({"stock": {"lumo-1/web": {"qty": 3}, "lumo-2/web": {"qty": 4}}})
    facts.set("stock", "lumo-2/web", {"qty": 2})
    facts.rebase({})
    assert (facts.stock("lumo-1"), facts.stock("lumo-2")) == (0, 2)


def test_an_event_says_nothing_of_what_only_the_file_has_said() -> None:
    """Else the next release's file would yield to what the last one said."""
    shelf = (
        "facts: shelf\nkey: event.sku\non: [level]\nset: {qty: event.qty}\n"
        "latch: {scarce: {on: event.qty < 3, off: event.qty > 9}}"
    )
    base = {"shelf": {"lumo-1": {"name": "Lumo", "qty": 7, "scarce": True}}}
    core = CustomerCore(program_of(shelf), Facts(base), ("channel.stock",), 1)
    core.assigned(0, {}, {}, START)
    level = event_bytes("level", "e1", {"sku": "lumo-1", "place": "web", "qty": 5})
    batch = core.process(0, [Record("channel.stock", 0, 0, START, None, level)], START)
    rows = {sent.key: msgspec.json.decode(sent.value) for sent in batch.sends if sent.topic == FACTS}
    assert rows[b"default/shelf/lumo-1"] == {"qty": 5, "scarce": True}, "it stays scarce, as the file has it"
