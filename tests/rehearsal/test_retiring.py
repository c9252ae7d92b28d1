"""Which releases nobody is on any more, and which have to be held, and for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from orchestrator.model.codec import encode_node
from orchestrator.model.customer import Customer, Instance, Node, PartitionState, Task, packed
from orchestrator.rehearsal.retiring import (
    BEFORE,
    COUNTS,
    FREE,
    IN_USE,
    RETIRED,
    STANDING,
    UNREADABLE,
    InUse,
    Known,
    Verdict,
    judge,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CART_1, CART_2, CART_3, DEMO_1 = ("cart", 1), ("cart", 2), ("cart", 3), ("demo", 1)
ALICE, BOB = b"default/user_id:alice", b"default/user_id:bob"


def customer(
    *versions: tuple[str, int], tasks: Sequence[tuple[str, int]] = (), to: str | None = None, writer: int = 1
) -> bytes:
    """A customer's value. `to`: they are moving there, and keep their history until they have arrived."""
    body = Customer(
        instances=[Instance(name, version, "", 1, "p", 1, 1, packed({}), []) for name, version in versions],
        tasks=[Task("t", "q", "", 1, 2, name, "", 1, "s", version=version) for name, version in tasks],
    )
    return encode_node(Node(body=body, to=to), writer, 0)


def partition(release: str, writer: int = 1) -> bytes:
    return encode_node(Node(body=PartitionState(writer, release)), writer, 0)


def read(*records: tuple[bytes, bytes | None]) -> InUse:
    in_use = InUse("default", 2)
    for key, value in records:
        in_use.take(key, value)
    return in_use


def why(*known: Known, current: str, versions: Mapping[tuple[str, int], int], standing: Mapping[str, int]) -> list[str]:
    return [verdict.why for verdict in judge(known, current, versions, standing)]


# What customers are on.


def test_instances_live_or_at_rest_and_open_tasks_are_on_their_versions() -> None:
    """A task is shown by the scenario that opened it, also when its instance has ended."""
    in_use = read((ALICE, customer(CART_1, DEMO_1)), (BOB, customer(CART_1, tasks=[CART_2])))
    assert in_use.versions() == {CART_1: 2, DEMO_1: 1, CART_2: 1}


def test_who_is_moving_is_counted_where_they_leave_until_they_have_arrived() -> None:
    assert read((ALICE, customer(CART_1, to="user_id:bob"))).versions() == {CART_1: 1}


@pytest.mark.parametrize("later", [None, customer(), customer(CART_2)], ids=["deleted", "ended", "followed"])
def test_only_the_newest_value_counts(later: bytes | None) -> None:
    assert CART_1 not in read((ALICE, customer(CART_1)), (ALICE, later)).versions()


def test_a_value_of_a_worker_that_had_lost_the_partition_does_not_count() -> None:
    """As a worker recovers, so it is counted: else a release that somebody is on would look free, or the reverse."""
    stale = read((ALICE, customer(CART_1, writer=3)), (ALICE, customer(writer=2)))
    assert stale.versions() == {CART_1: 1}


def test_another_tenants_customers_are_on_releases_of_their_own() -> None:
    in_use = read((b"other/user_id:alice", customer(CART_1)), (b"other/partition:0", partition("r9")))
    assert (in_use.versions(), in_use.releases()) == ({}, {})


def test_a_partition_runs_on_the_release_that_its_own_node_tells() -> None:
    in_use = read(
        (b"default/partition:0", partition("r1")),
        (b"default/partition:1", partition("r1")),
        (b"default/partition:1", partition("r2", writer=2)),
    )
    assert in_use.releases() == {"r1": 1, "r2": 1}


# What is held for them.


def test_a_release_that_nobody_is_on_is_free_but_for_the_current_one_and_the_one_before() -> None:
    """A worker that cannot read the current one goes back to the one before it."""
    held = [Known(f"r{number}", {"cart": number}) for number in range(1, 5)]
    assert why(*held, current="r4", versions={("cart", 4): 7}, standing={"r4": 8}) == [FREE, FREE, BEFORE, COUNTS]


def test_of_the_releases_that_have_a_version_somebody_is_on_the_newest_is_held() -> None:
    """What a worker knows of an earlier version it has from there: messages that the version sends are in it, too."""
    held = [
        Known("r1", {"cart": 1}), Known("r2", {"cart": 1, "demo": 1}), Known("r3", {"cart": 2, "demo": 1}),
        Known("r4", {"cart": 3, "demo": 1}), Known("r5", {"cart": 3, "demo": 1}),
    ]  # fmt: skip
    judged = judge(held, "r5", {CART_1: 12, CART_3: 4, DEMO_1: 9}, {"r5": 8})
    assert judged == [
        Verdict("r1", FREE), Verdict("r2", IN_USE, 0, {CART_1: 12}), Verdict("r3", FREE), Verdict("r4", BEFORE),
        Verdict("r5", COUNTS, 8),
    ]  # fmt: skip


def test_a_release_that_a_partition_runs_on_is_held_and_what_it_knows_of_earlier_ones() -> None:
    """Its worker was away while others went on: what its customers are on is not in what came behind it."""
    held = [
        Known("r1", {"cart": 1}), Known("r2", {"cart": 2}), Known("r3", {"cart": 1}), Known("r4", {"cart": 3}),
        Known("r5", {"cart": 3}),
    ]  # fmt: skip
    found = why(*held, current="r5", versions={CART_1: 1}, standing={"r2": 1, "r5": 7})
    assert found == [IN_USE, STANDING, IN_USE, BEFORE, COUNTS]


def test_after_a_return_to_an_earlier_release_the_one_it_took_the_place_of_is_held_for_whom_it_brought_along() -> None:
    """Without it nobody would know that their version is out of date, and not one that is still to come."""
    held = [Known("r1", {"cart": 1}), Known("r2", {"cart": 2}), Known("r3", {"cart": 3}), Known("r4", {"cart": 4})]
    found = why(*held, current="r1", versions={CART_2: 3, CART_1: 5}, standing={"r1": 8})
    assert found == [COUNTS, IN_USE, FREE, BEFORE]


def test_a_release_whose_files_have_errors_stays_for_nobody_can_say_who_is_on_it() -> None:
    held = [Known("r1", None), Known("r2", {"cart": 1}), Known("r3", {"cart": 1})]
    assert why(*held, current="r3", versions={}, standing={}) == [UNREADABLE, BEFORE, COUNTS]


def test_where_nobody_is_there_yet_nothing_but_the_last_two_is_held() -> None:
    held = [Known("r1", {}), Known("r2", {}), Known("r3", {})]
    assert why(*held, current="r3", versions={}, standing={}) == [FREE, BEFORE, COUNTS]


def test_a_retired_release_stays_so_and_is_not_the_one_before() -> None:
    known = [Known("r1", {}), Known("r2", {}, retired=True), Known("r3", {})]
    assert why(*known, current="r3", versions={}, standing={}) == [BEFORE, RETIRED, COUNTS]


def test_a_retired_release_that_somebody_turns_out_to_be_on_is_needed_again() -> None:
    """A partition's change to it was on its way, behind all that its worker had still to do, when nobody was on it."""
    known = [Known("r1", {"cart": 1}), Known("r2", {"cart": 2}, retired=True), Known("r3", {"cart": 3}),
             Known("r4", {"cart": 4})]  # fmt: skip
    assert why(*known, current="r4", versions={}, standing={"r2": 1}) == [FREE, STANDING, BEFORE, COUNTS]
    assert why(*known, current="r4", versions={CART_2: 1}, standing={}) == [FREE, IN_USE, BEFORE, COUNTS]


def test_of_a_version_that_a_release_has_which_is_held_no_retired_one_is_needed() -> None:
    known = [Known("r1", {"cart": 1}), Known("r2", {"cart": 1}, retired=True), Known("r3", {}), Known("r4", {})]
    assert why(*known, current="r4", versions={CART_1: 1}, standing={}) == [IN_USE, RETIRED, BEFORE, COUNTS]
