"""What publishing would do: counted from changelog values, told for every scenario that changes."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from orchestrator.engine.program.build import build_program
from orchestrator.engine.program.fates import Fate, fate_of
from orchestrator.language.bundle import Bundle, EventSchemas, load_bundle
from orchestrator.model.codec import encode_node
from orchestrator.model.customer import Customer, Instance, Node, Standing, packed
from orchestrator.model.partition import partition_of
from orchestrator.rehearsal.census import Census, Group
from orchestrator.rehearsal.publish_plan import ScenarioChange, plan_publish
from orchestrator.rehearsal.publish_report import Releases, as_json, as_text

if TYPE_CHECKING:
    from orchestrator.engine.program.plan import Program

GROUND = """
bundle: small
---
channels: all
define: {web: {sends: pull}}
---
events: all
define: {seen: {channel: web}, bought: {channel: web}}
"""
PARTITIONS = 2
SCHEMAS = EventSchemas.from_topics([{"topic": "channel.web", "events": {"seen": {}, "bought": {}}}])
STORY = """
scenario: NAME
version: VERSION
in_flight: pin
entry: {on: seen}
exit: {on: bought, reason: bought}
steps:
  - {id: first, delay: {for: 1d}}
  - {id: second, delay: {for: 2d}}
"""


def story(name: str = "cart", version: int = 1, **changes: str) -> str:
    text = STORY.replace("NAME", name).replace("VERSION", str(version))
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    return text


def bundle(*stories: str) -> Bundle:
    files = {"ground.yaml": GROUND.encode(), **{f"{n}.yaml": text.encode() for n, text in enumerate(stories)}}
    loaded = load_bundle(files, SCHEMAS)
    assert loaded.bundle is not None, loaded.diagnostics
    return loaded.bundle


def instance(*steps: str, scenario: str = "cart", version: int = 1, mode: str = "live") -> Instance:
    standing = [Standing(step, 1, 2) for step in steps]
    return Instance(scenario, version, "", 1, "p", 1, 1, packed({}), standing, mode, ends_at=9)


def value(*instances: Instance, writer: int = 1, to: str | None = None) -> bytes:
    node = Node(body=Customer(person="p", instances=list(instances)), to=to)
    return encode_node(node, writer, 2 if instances else 0)


# Counting.


def test_the_newest_value_of_a_customer_counts() -> None:
    census = Census("default", PARTITIONS)
    census.take(b"default/user_id:a", value(instance("first")))
    census.take(b"default/user_id:b", value(instance("first"), instance("second", scenario="other")))
    census.take(b"default/user_id:a", value(instance("second")))
    assert census.groups() == Counter(
        {
            Group("cart", 1, ("second",), False): 1,
            Group("cart", 1, ("first",), False): 1,
            Group("other", 1, ("second",), False): 1,
        }
    )
    assert (census.customers, census.records) == (2, 3)


@pytest.mark.parametrize(
    "gone", [None, value(), value(instance("first"), to="user_id:b")], ids=["deleted", "ended", "moved elsewhere"]
)
def test_who_is_gone_counts_no_more(gone: bytes | None) -> None:
    census = Census("default", PARTITIONS)
    census.take(b"default/user_id:a", value(instance("first")))
    census.take(b"default/user_id:a", gone)
    assert census.groups() == Counter()
    assert census.customers == 0


def test_a_value_of_a_worker_that_had_lost_the_partition_does_not_count() -> None:
    census = Census("default", PARTITIONS)
    census.take(b"default/user_id:a", value(instance("second"), writer=3))
    census.take(b"default/user_id:a", value(instance("first"), writer=2))
    assert list(census.groups()) == [Group("cart", 1, ("second",), False)]


def test_it_does_not_count_either_where_the_new_owner_has_not_written_that_customer() -> None:
    """A worker recovers so: the ownership record, or any other customer's value, outdates all that follows."""
    for outdating in (b"default/partition:%d", b"other/user_id:%d"):
        census = Census("default", PARTITIONS)
        census.take(b"default/user_id:a", value(instance("second"), writer=2))
        for number in range(20):  # some of them stand in the customer's partition
            census.take(outdating % number, encode_node(Node(), 3, 0))
        census.take(b"default/user_id:a", value(instance("first"), writer=2))
        assert list(census.groups()) == [Group("cart", 1, ("second",), False)]


def test_partitions_have_owners_of_their_own() -> None:
    census = Census("default", PARTITIONS)
    names = [b"default/user_id:%d" % number for number in range(50)]
    by_place = {partition_of(name, PARTITIONS): name for name in names}
    census.take(b"default/partition:0", encode_node(Node(), 9, 0))
    for name in by_place.values():
        census.take(name, value(instance("first"), writer=2))
    assert census.customers == 1, "the other partition never had so many owners"


def test_other_tenants_and_what_is_no_customer_do_not_count() -> None:
    census = Census("default", PARTITIONS)
    census.take(b"other/user_id:a", value(instance("first")))
    census.take(b"default/partition:1", encode_node(Node(), 1, 0))
    assert census.groups() == Counter()


def test_a_message_that_waits_for_its_fallback_is_no_place_of_the_story() -> None:
    one = instance("second")
    one.standing.append(Standing("first", 1, 5, {"messages": ["m"]}))
    census = Census("default", PARTITIONS)
    census.take(b"default/user_id:a", value(one))
    assert list(census.groups()) == [Group("cart", 1, ("second",), False)]


# Fates.


def built(live: Bundle, candidate: Bundle) -> Program:
    return build_program(candidate, [build_program(live)])


FOLLOW = {"in_flight: pin": "in_flight: follow"}


@pytest.mark.parametrize(
    ("changes", "fate"),
    [
        ({}, Fate("pinned", "", ("first",))),
        ({"in_flight: pin": "in_flight: drain"}, Fate("drains", "", ("first",))),
        ({"in_flight: pin": "in_flight: end"}, Fate("ends", "released")),
        (FOLLOW, Fate("follows", "", ("first",))),
        ({"in_flight: pin": "in_flight: follow\nmoved: {first: begin}", "id: first": "id: begin"},
         Fate("moved", "", ("begin",))),
        ({**FOLLOW, "id: first": "id: begin"}, Fate("ends", "step_removed")),
        ({**FOLLOW, "{id: first, delay: {for: 1d}}": "{id: first, silence: {of: seen, for: 1d}}"},
         Fate("begins_anew", "", ("first",))),
    ],
)  # fmt: skip
def test_what_becomes_of_an_instance_of_the_version_before(changes: dict[str, str], fate: Fate) -> None:
    program = built(bundle(story()), bundle(story(version=2, **changes)))
    assert fate_of(program, "cart", 1, ["first"]) == fate


def test_who_is_on_the_newest_version_stays_and_who_is_in_a_removed_scenario_ends() -> None:
    program = built(bundle(story()), bundle(story(), story("other")))
    assert fate_of(program, "cart", 1, ["first"]).what == "stays"
    assert fate_of(program, "gone", 1, []) == Fate("ends", "scenario_removed")


# The plan, and how it is told.


def planned() -> list[ScenarioChange]:
    live = bundle(story(), story("gone"), story("same"))
    follow = {"in_flight: pin": "in_flight: follow\nmoved: {first: begin}", "id: first": "id: begin"}
    candidate = bundle(story(version=2, **follow), story("new"), story("same"))
    groups = {
        Group("cart", 1, ("first",), False): 1200,
        Group("cart", 1, ("second",), False): 30,
        Group("cart", 1, (), True): 4,
        Group("gone", 1, ("first",), False): 1,
        Group("same", 1, ("first",), False): 7,
    }
    return plan_publish(live, candidate, built(live, candidate), groups)


def test_every_scenario_of_either_bundle_is_planned_for() -> None:
    changes = {change.scenario: (change.change, change.before, change.after, change.live) for change in planned()}
    assert changes == {
        "cart": ("changed", 1, 2, 1234),
        "gone": ("removed", 1, 0, 1),
        "new": ("added", 0, 1, 0),
        "same": ("unchanged", 1, 1, 7),
    }


def test_nothing_published_before_makes_every_scenario_new() -> None:
    candidate = bundle(story())
    (change,) = plan_publish(None, candidate, build_program(candidate), {})
    assert (change.change, change.live) == ("added", 0)


def test_the_plan_in_words() -> None:
    assert (
        as_text(planned(), Releases("a" * 64, "b" * 64), 1240)
        == """\
Release aaaaaaaaaaaa counts now; bbbbbbbbbbbb would. 1,240 customers under way.

cart: changed, version 1 -> 2, in_flight: follow
  1,234 live instances, 4 of them at rest
      1,200 follow to version 2, at a step with another id
            1,200 at first of version 1 -> begin
         34 follow to version 2, at the step where they stand

gone: removed
  1 live instance
          1 end, scenario_removed
            1 at first of version 1

new: new, version 1
  nobody is in it

1 other scenario as before, with 7 live instances.

Nothing was published.
"""
    )


def test_the_plan_for_programs() -> None:
    found = json.loads(as_json(planned(), Releases("", "b"), 3))
    assert (found["live"], found["candidate"], found["customers"]) == (None, "b", 3)
    cart = found["scenarios"][0]
    assert cart["instances"][0] == {
        "version": 1, "steps": ["first"], "rests": False, "count": 1200, "fate": "moved", "reason": None,
        "steps_after": ["begin"],
    }  # fmt: skip
