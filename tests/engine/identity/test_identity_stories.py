"""Identifiers that turn out to be one person's, or not: whole stories, and what holds under any interleaving."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_net import Net, counted, event

from orchestrator.engine.identity.handlers import over_unique
from orchestrator.engine.identity.rules import IdentityRules
from orchestrator.engine.identity.work import members
from orchestrator.model.customer import Customer
from orchestrator.model.event import Event
from orchestrator.model.message import Erase, Reset, encode_message

U1, U2, L1, E1, E2, E3 = "user:u1", "user:u2", "loyalty:l1", "email:e1", "email:e2", "email:e3"
P1, D1, A1, A2, A3 = "phone:p1", "device:d1", "anon:a1", "anon:a2", "anon:a3"


@pytest.fixture
def net() -> Net:
    return Net()


def test_a_visitor_becomes_known_and_brings_along_what_they_did(net: Net) -> None:
    net.comes(A1, id_="page")
    net.comes(E1, A1, id_="chat")
    assert net.family(A1) == {E1, A1}
    assert net.root(A1) == E1
    assert counted(net.customer(A1)) == ["chat", "page"]
    assert net.node(A1).body is None, "the parcel is let go"


def test_a_chain_meets_at_its_strongest(net: Net) -> None:
    for pair in ((E1, A1), (L1, E1), (U1, L1)):
        net.comes(*pair, id_="-".join(pair))
    assert net.family(A1) == {U1, L1, E1, A1}
    assert {net.node(name).to for name in (L1, E1, A1)} == {U1}, "forwards end in one hop"


def test_a_cycle_of_links_is_one_customer(net: Net) -> None:
    for pair in ((U1, E1), (U1, L1), (L1, E1)):
        net.send(event("-".join(pair), *pair))
    net.settle()
    assert net.family(E1) == {U1, L1, E1}


def test_opposite_links_compute_the_same_winner(net: Net) -> None:
    """Two events name the same pair at the same time; both roots send a link to the other."""
    net.send(event("e1", U1, E1))
    net.send(event("e2", E1, U1))
    net.settle()
    assert net.roots().keys() == {U1}
    assert counted(net.customer(U1)) == ["e1", "e2"]


def test_the_person_id_is_the_older_halves_and_the_other_goes_on_resolving(net: Net) -> None:
    net.comes(E1, id_="early", time=10)
    net.comes(U1, id_="late", time=20)
    early, late = net.customer(E1).person, net.customer(U1).person
    net.comes(U1, E1, id_="meet", time=30)
    customer = net.customer(U1)
    assert (customer.person, customer.persons, customer.born) == (early, [late], 10)


def test_a_shared_browser_follows_whoever_logs_in_last_and_nothing_is_shown_to_the_other(net: Net) -> None:
    net.comes(U1, A1, id_="u1", time=10)
    net.comes(A1, id_="u1s-page", time=15)
    net.comes(U2, A1, id_="u2", time=20)
    net.comes(A1, id_="u2s-page", time=25)
    assert (net.family(U1), net.family(U2)) == ({U1}, {U2, A1})
    assert "u2s-page" in counted(net.customer(U2))
    assert counted(net.customer(U2)) == ["u2", "u2s-page"], "u1 keeps the history"


def test_of_two_logins_on_a_browser_the_newer_event_time_wins_whatever_came_first(net: Net) -> None:
    net.comes(U2, A1, id_="newer", time=20)
    net.comes(U1, A1, id_="older", time=10)
    assert (net.family(U1), net.family(U2)) == ({U1}, {U2, A1})


def test_a_browser_that_moved_takes_its_dedupe_window_along(net: Net) -> None:
    net.comes(U1, A1, id_="u1", time=10)
    net.comes(A1, id_="page", time=15)
    net.comes(U2, A1, id_="u2", time=20)
    net.comes(A1, id_="page", time=15)
    assert sum(counted(root).count("page") for root in net.roots().values()) == 1


def test_two_people_at_one_landline_stay_two(net: Net) -> None:
    net.comes(U1, P1, id_="u1", time=10)
    net.comes(U2, P1, id_="u2", time=20)
    net.comes(U1, P1, id_="again", time=30)
    assert net.family(U1) == {U1, P1}
    assert net.family(U2) == {U2}


def test_two_visitors_on_one_device_are_one_until_somebody_logs_in(net: Net) -> None:
    net.comes(D1, A1, id_="app", time=10)
    assert net.family(A1) == {D1, A1}
    net.comes(U1, A1, id_="login", time=20)
    assert net.family(A1) == {U1, D1, A1}, "what a browser did before the first login goes to who logs in first"


def test_a_conflict_leaves_both_as_they_were_and_shows_on_both(net: Net) -> None:
    net.comes(U1, E1, id_="u1")
    net.comes(U2, E1, id_="u2")
    assert (net.family(U1), net.family(U2)) == ({U1, E1}, {U2})
    assert counted(net.customer(U2)) == ["u2"], "the event counts at its primary"
    assert net.said("identity_conflict")


def test_a_sixth_address_is_refused_and_goes_on_by_itself(net: Net) -> None:
    net.comes(U1, E1, id_="1")
    net.comes(U1, E2, id_="2")
    net.comes(U1, E3, id_="3")
    assert (net.family(U1), net.family(E3)) == ({U1, E1, E2}, {E3})
    net.comes(E3, id_="4")
    assert counted(net.customer(E3)) == ["4"]


def test_eviction_of_the_longest_unseen_browser(net: Net) -> None:
    for time, browser in ((10, A1), (20, A2), (30, A3)):
        net.comes(U1, browser, id_=browser, time=time)
    assert net.family(U1) == {U1, A2, A3}
    assert net.family(A1) == {A1}


def test_a_logout_lets_the_browser_go_and_older_evidence_does_not_pull_it_back(net: Net) -> None:
    net.comes(U1, A1, id_="login", time=10)
    net.tell(Reset(A1, 50))
    assert net.family(A1) == {A1}
    net.comes(U1, A1, id_="late", time=40)
    assert net.family(A1) == {A1}
    net.comes(U1, A1, id_="again", time=60)
    assert net.family(A1) == {U1, A1}


def test_erasure_reaches_every_member_and_older_events_of_any_are_refused(net: Net) -> None:
    net.comes(U1, E1, A1, id_="one", time=10)
    net.tell(Erase(A1, 50))
    for name in (U1, E1, A1):
        assert (net.family(name), counted(net.customer(name))) == ({name}, [])
        net.comes(name, id_=f"old-{name}", time=50)
        net.comes(name, id_=f"new-{name}", time=51)
        assert counted(net.customer(name)) == [f"new-{name}"]


def test_who_was_erased_may_come_back(net: Net) -> None:
    net.comes(U1, E1, id_="one", time=10)
    person = net.customer(U1).person
    net.tell(Erase(E1, 50))
    net.comes(U1, E1, id_="two", time=60)
    assert net.family(E1) == {U1, E1}
    assert net.customer(U1).person != person, "and is somebody else then"


def test_a_parcel_on_its_way_meets_the_erasure(net: Net) -> None:
    net.comes(E1, id_="one", time=10)
    net.comes(U1, id_="two", time=10)
    net.send(event("meet", U1, E1, time=20))
    net.deliver(*net.way.popleft())  # the event: a link is on its way to the address
    net.deliver(*net.way.popleft())  # the link: the parcel is on its way
    net.way.appendleft((U1, encode_message(Erase(U1, 50))))
    net.settle()
    assert [counted(root) for root in net.roots().values()] == [[], []]
    assert net.customer(E1).wiped[E1] >= 20


# Under any interleaving.

MANY = IdentityRules(("user", "loyalty", "email"), (), {"user": 99, "loyalty": 99, "email": 99})
FEW = IdentityRules(("user", "email"), ("phone", "anon"), {"user": 1, "email": 2, "phone": 2, "anon": 2})
UNIQUE = st.sampled_from([U1, U2, L1, E1, E2, E3])
MIXED = st.sampled_from([U1, U2, E1, E2, E3, P1, A1, A2, A3])


def stories(nodes: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    return st.lists(st.lists(nodes, min_size=1, max_size=3, unique=True), min_size=1, max_size=9)


class Simulation:
    """Messages stand in queues, one for each partition, and arrive in any order between these; some arrive twice."""

    def __init__(self, rules: IdentityRules, seed: int, keep_order: bool) -> None:
        self.net = Net(rules)
        self.dice = random.Random(seed)
        self.keep_order = keep_order
        self.queues: list[list[tuple[str, Any]]] = [[], [], []]

    def run(self, came: list[Event], *more: tuple[str, Any]) -> Net:
        for one in came:
            self._put(one.identifiers[0], one)
        for name, message in more:
            self._put(name, encode_message(message))
        for _ in range(20_000):
            busy = [queue for queue in self.queues if queue]
            if not busy:
                return self.net
            queue = self.dice.choice(busy)
            place = 0 if self.keep_order else self.dice.randrange(len(queue))
            name, one = queue.pop(place)
            self.net.deliver(name, one)
            while self.net.way:
                self._put(*self.net.way.popleft())
            if self.dice.random() < 0.15:
                self._put(name, one)
            self._check_limits()
        pytest.fail("messages go on for ever")

    def _put(self, name: str, one: Any) -> None:
        self.queues[sum(name.encode()) % len(self.queues)].append((name, one))

    def _check_limits(self) -> None:
        for name, customer in self.net.roots().items():
            assert not over_unique(self.net.work(name), set(members(customer)))


def check_quiet(net: Net, came: list[Event]) -> None:
    """What holds when nothing is under way any more."""
    whose: dict[str, str] = {}
    for name, customer in net.roots().items():
        for member in members(customer):
            assert member not in whose, f"{member} is a member of {whose[member]} and of {name}"
            whose[member] = name
    for name, node in net.nodes.items():
        assert net.root(name) == whose.get(name, name)
        assert node.to is None or not isinstance(node.body, Customer), f"{name} is still moving"
    found = sorted(id_ for customer in net.roots().values() for id_ in counted(customer))
    assert found == sorted(one.id for one in came)


def components(groups: list[list[str]]) -> set[frozenset[str]]:
    """The connected components: who was seen together, directly or through others."""
    found: list[set[str]] = []
    for group in groups:
        joined = set(group)
        for other in [one for one in found if one & joined]:
            joined |= other
            found.remove(other)
        found.append(joined)
    return {frozenset(one) for one in found}


@settings(max_examples=100, deadline=None)
@given(stories(UNIQUE), st.integers(0, 1 << 30), st.booleans())
def test_without_conflicts_the_customers_are_the_connected_components(
    groups: list[list[str]], seed: int, keep_order: bool
) -> None:
    came = [event(f"e{n}", *sorted(group, key=MANY.rank), time=100 + n) for n, group in enumerate(groups)]
    net = Simulation(MANY, seed, keep_order).run(came)
    check_quiet(net, came)
    assert {frozenset(members(customer)) for customer in net.roots().values()} == components(groups)
    for name, node in net.nodes.items():
        assert node.to in {None, net.root(name)}, "forwards end in one hop"


@settings(max_examples=100, deadline=None)
@given(stories(MIXED), st.integers(0, 1 << 30), st.booleans())
def test_with_conflicts_shared_identifiers_and_duplicates_limits_hold_and_every_event_counts_once(
    groups: list[list[str]], seed: int, keep_order: bool
) -> None:
    came = [event(f"e{n}", *sorted(group, key=FEW.rank), time=100 + n) for n, group in enumerate(groups)]
    check_quiet(Simulation(FEW, seed, keep_order).run(came), came)


@settings(max_examples=60, deadline=None)
@given(stories(MIXED), st.lists(st.tuples(MIXED, st.integers(100, 110)), max_size=4), st.integers(0, 1 << 30))
def test_with_logouts_too_every_event_counts_once(
    groups: list[list[str]], logouts: list[tuple[str, int]], seed: int
) -> None:
    came = [event(f"e{n}", *sorted(group, key=FEW.rank), time=100 + n) for n, group in enumerate(groups)]
    net = Simulation(FEW, seed, keep_order=False).run(came, *((node, Reset(node, time)) for node, time in logouts))
    check_quiet(net, came)


@settings(max_examples=60, deadline=None)
@given(stories(UNIQUE), UNIQUE, st.integers(0, 1 << 30))
def test_after_an_erasure_nothing_older_counts_wherever_it_was_on_its_way(
    groups: list[list[str]], who: str, seed: int
) -> None:
    """Everything that was, or became, connected to the erased identifier is gone; the others are untouched."""
    came = [event(f"e{n}", *sorted(group, key=MANY.rank), time=100) for n, group in enumerate(groups)]
    before = Simulation(MANY, seed, keep_order=False).run(came)
    family = before.family(who) if who in {name for group in groups for name in group} else set()
    simulation = Simulation(MANY, seed, keep_order=False)
    simulation.net = before
    net = simulation.run([], (who, Erase(who, 200)))
    gone = {one.id for one in came if set(one.identifiers) & family}
    found = sorted(id_ for customer in net.roots().values() for id_ in counted(customer))
    assert found == sorted({one.id for one in came} - gone)
    again = [event(f"late{n}", name, time=150) for n, name in enumerate(sorted(family))]
    found = sorted(id_ for customer in simulation.run(again).roots().values() for id_ in counted(customer))
    assert found == sorted({one.id for one in came} - gone)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([U1, U2]), st.sampled_from([A1, P1])), min_size=1, max_size=8),
    st.integers(0, 1 << 30),
)
def test_a_shared_identifier_ends_with_the_owner_of_its_newest_evidence(
    logins: list[tuple[str, str]], seed: int
) -> None:
    """However the logins of two people on the same browser and landline interleave."""
    came = [event(f"e{n}", user, shared, time=100 + n) for n, (user, shared) in enumerate(logins)]
    net = Simulation(FEW, seed, keep_order=False).run(came)
    check_quiet(net, came)
    for shared in {shared for _, shared in logins}:
        newest = [user for user, other in logins if other == shared][-1]
        assert net.root(shared) == newest
