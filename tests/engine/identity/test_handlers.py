"""The table of handlers, row by row: what one node does with one message (docs/identity.md)."""

import pytest
from identity_net import NOW, Net, copy_of, counted, event, link

from orchestrator.engine.identity.handlers import RIVAL_FOR
from orchestrator.engine.identity.marks import FOREVER, KEPT
from orchestrator.model.customer import IN, OUT, REFUSED, Customer, Member, Node, Waiting
from orchestrator.model.ids import EVENT_HASH_BYTES, erasure_id, erasure_mark
from orchestrator.model.lines import steps_of
from orchestrator.model.message import (
    Absorb,
    Erase,
    Forget,
    Home,
    Inquire,
    Link,
    Noted,
    Reached,
    Refused,
    Reset,
    Seed,
    Split,
    Stays,
)

U1, U2, L1, E1, E2, E3 = "user:u1", "user:u2", "loyalty:l1", "email:e1", "email:e2", "email:e3"
P1, D1, A1, A2, A3 = "phone:p1", "device:d1", "anon:a1", "anon:a2", "anon:a3"


@pytest.fixture
def net() -> Net:
    return Net()


def absorb(net: Net, mover: str, root: str, why: Link, **changes: int) -> Absorb:
    """The parcel of `mover`, which is frozen now."""
    node = net.node(mover)
    node.epoch += 1
    node.to = root
    assert isinstance(node.body, Customer)
    node.body.family[mover] = Member(node.epoch, IN, 0)
    return Absorb(root, mover, changes.get("epoch", node.epoch), node.body, why)


# event


def test_an_event_counts_at_the_root_of_its_strongest_identifier_and_links_the_others(net: Net) -> None:
    left = net.event_at(U1, event("e1", U1, E1, A1), U1)
    assert counted(net.customer(U1)) == ["e1"]
    assert [(node, type(message), message.a, message.root, message.strong) for node, message in left] == [
        (E1, Link, U1, U1, True),
        (A1, Link, U1, U1, True),
    ]
    assert net.journeys.links == [[E1, A1]]


def test_a_known_event_is_nothing(net: Net) -> None:
    net.event_at(U1, event("e1", U1, E1), U1)
    before = copy_of(net.node(U1))
    assert net.event_at(U1, event("e1", U1, E1), U1) == []
    assert net.node(U1) == before
    assert net.said("duplicate") == [""]


def test_each_member_has_a_dedupe_window_of_its_own_and_it_is_bounded(net: Net) -> None:
    for number in range(300):
        net.event_at(U1, event(f"e{number}", U1), U1)
    assert len(net.customer(U1).window[U1]) == 256 * EVENT_HASH_BYTES
    net.event_at(U1, event("e299", U1), U1)
    assert counted(net.customer(U1)).count("e299") == 1


def test_part_of_two_hashes_is_no_known_event(net: Net) -> None:
    """Hashes stand one after the other; a match across the seam is none."""
    came = event("e1", U1)
    net.work(U1).customer().window[U1] = b"1234" + came.hash + b"5678"
    net.event_at(U1, came, U1)
    assert counted(net.customer(U1)) == ["e1"]


def test_an_event_older_than_an_erasure_is_refused_and_remembered(net: Net) -> None:
    net.work(U1).customer().wiped[U1] = 100
    for _ in range(2):
        net.event_at(U1, event("e1", U1, time=100), U1)
    assert (counted(net.customer(U1)), net.said("dropped"), net.said("duplicate")) == ([], ["erased"], [""])
    net.event_at(U1, event("e2", U1, time=101), U1)
    assert counted(net.customer(U1)) == ["e2"]


def test_a_shared_member_that_is_named_again_has_newer_evidence(net: Net) -> None:
    net.work(U1).customer().family[A1] = Member(1, IN, 50)
    assert net.event_at(U1, event("e1", U1, A1, time=100), U1) == []
    net.event_at(U1, event("e2", U1, A1, time=70), U1)
    assert net.customer(U1).family[A1] == Member(1, IN, 100)


def test_the_person_id_is_minted_once_and_a_late_event_makes_the_person_older(net: Net) -> None:
    net.event_at(U1, event("e1", U1, time=100), U1)
    person = net.customer(U1).person
    net.event_at(U1, event("e2", U1, time=40), U1)
    assert (net.customer(U1).person, net.customer(U1).born) == (person, 40)


# link


def test_a_link_inside_one_customer_is_only_evidence(net: Net) -> None:
    net.work(U1).customer().family.update({A1: Member(1, IN, 50), E1: Member(1, IN, 50)})
    assert net.handle(U1, link(A1, U1, time=100)) == []
    assert net.handle(U1, link(E1, U1, time=100)) == []
    assert net.customer(U1).family[A1].since == 100
    assert net.customer(U1).family[E1].since == 50


def test_late_evidence_moves_nothing(net: Net) -> None:
    """A logout came before: an older link must not pull the browser back."""
    net.work(A1).customer().family[A1] = Member(0, IN, 100)
    assert net.handle(A1, link(A1, U1, time=100)) == []
    assert net.said("late_link") == [""]
    net.work(U2).customer().family[A2] = Member(1, IN, 100)
    assert net.handle(U2, link(A2, U1, time=99)) == []
    assert len(net.said("late_link")) == 2


def test_two_values_where_one_is_allowed_are_a_conflict(net: Net) -> None:
    net.work(U2).customer().family[E1] = Member(1, IN, 0)
    [(node, noted)] = net.handle(U2, link(E1, U1))
    assert (node, type(noted), noted.step.what, noted.step.why) == (U1, Noted, "conflict", "user")
    assert [one.nodes for _, one in steps_of(net.customer(U2).steps)] == [(E1, U1)], "and here it is remembered, too"
    assert net.said("identity_conflict") == ["identity_conflict"]
    assert net.family(U2) == {U2, E1}


def test_who_was_refused_lately_is_refused_on_the_spot_for_a_day(net: Net) -> None:
    net.work(E1).customer().rivals[U1] = NOW
    assert [type(message) for _, message in net.handle(E1, link(E1, U1))] == [Absorb]  # the day is over
    net.work(E2).customer().rivals[U1] = NOW + 1
    assert [type(message) for _, message in net.handle(E2, link(E2, U1))] == [Noted]
    assert net.said("identity_conflict") == ["identity_conflict"]


def test_the_weaker_unique_moves_to_the_stronger_root(net: Net) -> None:
    net.event_at(E1, event("e1", E1), E1)
    [(node, parcel)] = net.handle(E1, link(E1, U1))
    assert (node, parcel.mover, parcel.epoch, counted(parcel.customer)) == (U1, E1, 1, ["e1"])
    assert (net.node(E1).to, net.node(E1).epoch) == (U1, 1)
    assert net.node(E1).body is not None, "the parcel stays until the winner says that it has it"


def test_the_stronger_unique_asks_the_weaker_to_move(net: Net) -> None:
    [(node, asked)] = net.handle(U1, link(U1, E1))
    assert (node, asked.target, asked.a, asked.root, asked.strong) == (E1, E1, U1, U1, True)
    assert net.node(U1).to is None


def test_a_visitor_moves_to_whoever_logs_in(net: Net) -> None:
    net.event_at(A1, event("e1", A1), A1)
    [(node, parcel)] = net.handle(A1, link(A1, E1))
    assert (node, parcel.mover) == (E1, A1)


def test_two_visitors_meet_at_the_stronger_name(net: Net) -> None:
    [(node, parcel)] = net.handle(A2, link(A2, A1))
    assert (node, type(parcel)) == (A1, Absorb)
    [(node, asked)] = net.handle(A1, link(A1, A3))
    assert (node, type(asked)) == (A3, Link)


def test_a_strong_root_asks_the_visitor_to_come(net: Net) -> None:
    [(node, asked)] = net.handle(U1, link(U1, A1))
    assert (node, asked.target, asked.a) == (A1, A1, U1)


def test_a_shared_identifier_of_somebody_known_is_cut_and_follows_the_newer_link(net: Net) -> None:
    net.event_at(U1, event("e1", U1), U1)
    customer = net.customer(U1)
    customer.family[A1] = Member(3, IN, 50)
    customer.window[A1] = b"12345678"
    why = link(A1, U2, time=100)
    [(node, split)] = net.handle(U1, why)
    assert (node, split.epoch, split.link) == (A1, 3, why)
    assert (split.seed.window, split.seed.since) == (b"12345678", 50)
    assert {name: member.state for name, member in split.seed.family.items()} == {U1: OUT, A1: OUT}
    assert customer.family[A1].state == OUT
    assert A1 not in customer.window
    assert counted(customer) == ["e1"], "what was done stays where it was done"


# absorb


def test_a_parcel_is_taken_in_and_every_member_told_its_home(net: Net) -> None:
    net.event_at(U1, event("e1", U1), U1)
    net.event_at(E1, event("e2", E1), E1)
    net.customer(E1).family[A1] = Member(4, IN, 10)
    left = net.handle(U1, absorb(net, E1, U1, link(E1, U1)))
    assert left == [(E1, Home(E1, 1, U1)), (A1, Home(A1, 4, U1))]
    assert net.family(U1) == {U1, E1, A1}
    assert counted(net.customer(U1)) == ["e1", "e2"]
    assert net.journeys.merges[0].nodes == [E1, A1]


def test_a_parcel_counts_once(net: Net) -> None:
    net.event_at(E1, event("e2", E1), E1)
    parcel = absorb(net, E1, U1, link(E1, U1))
    net.handle(U1, parcel)
    before = copy_of(net.node(U1))
    assert net.handle(U1, parcel) == []
    assert net.node(U1) == before


@pytest.mark.parametrize("state", [OUT, REFUSED])
def test_a_parcel_of_who_has_left_or_was_refused_since_is_nothing(net: Net, state: int) -> None:
    net.event_at(E1, event("e2", E1), E1)
    net.work(U1).customer().family[E1] = Member(1, state, NOW - KEPT)
    assert net.handle(U1, absorb(net, E1, U1, link(E1, U1))) == []
    assert net.family(U1) == {U1}


def test_a_parcel_on_its_way_when_its_customer_was_erased_is_erased_too(net: Net) -> None:
    net.event_at(E1, event("e2", E1), E1)
    net.customer(E1).family[A1] = Member(4, IN, 10)
    net.work(U1).customer().wiped[U1] = 100
    left = net.handle(U1, absorb(net, E1, U1, link(E1, U1, time=100)))
    assert [(node, type(message), message.seed.wiped) for node, message in left] == [(E1, Split, 100), (A1, Split, 100)]
    assert (net.family(U1), counted(net.customer(U1))) == ({U1}, [])


def test_the_members_of_such_a_parcel_are_added_to_the_receipt_and_answer_to_it(net: Net) -> None:
    net.event_at(E1, event("e2", E1), E1)
    net.work(U1).customer().wiped[U1] = 100
    net.customer(U1).erasing[U1] = "token"
    [(receipt, reached), (node, split)] = net.handle(U1, absorb(net, E1, U1, link(E1, U1, time=100)))
    mark = (erasure_mark("default", "token", E1), "email")
    assert (receipt, reached.expected, reached.done) == (f"erasure:{erasure_id('default', 'token')}", [mark], [])
    assert (node, split.seed.why, split.seed.request) == (E1, "erased", "token")
    [(_, answer)] = net.handle(E1, split)
    assert (answer.expected, answer.done, answer.whole) == ([], [mark], False)


def test_the_references_of_such_a_parcel_are_forgotten_and_what_was_under_way_is_told_of_it(net: Net) -> None:
    net.event_at(E1, event("e2", E1), E1)
    net.customer(E1).refs["order:o1"] = 150
    net.work(U1).customer().wiped[U1] = 100
    net.customer(U1).erasing[U1] = "token"
    left = net.handle(U1, absorb(net, E1, U1, link(E1, U1, time=100)))
    [(node, forget)] = [(node, message) for node, message in left if isinstance(message, Forget)]
    assert (node, forget.owners, forget.request, forget.time) == ("order:o1", [E1], "token", 150)
    [reached] = [message for _, message in left if isinstance(message, Reached)]
    assert [namespace for _, namespace in reached.expected] == ["email", "order"]


def test_a_mark_of_who_left_or_was_refused_says_nothing_once_no_copy_can_come(net: Net) -> None:
    net.event_at(E1, event("e2", E1), E1)
    net.work(U1).customer().family[E1] = Member(1, REFUSED, NOW - KEPT - 1)
    assert [type(message) for _, message in net.handle(U1, absorb(net, E1, U1, link(E1, U1)))] == [Home]
    assert net.family(U1) == {U1, E1}


def test_who_began_from_nothing_since_is_no_member_for_an_old_mark_of_a_higher_epoch(net: Net) -> None:
    """Their key got a tombstone: they count their moves from zero again."""
    net.event_at(E1, event("e2", E1), E1)
    net.work(U1).customer().family.update({E1: Member(7, OUT, NOW - KEPT - 1), A1: Member(1, IN, 5)})
    parcel = absorb(net, E1, U1, link(E1, U1))
    parcel.customer.family[A1] = Member(9, OUT, NOW - KEPT - 1)
    homes = net.handle(U1, parcel)
    assert [(node, message.epoch) for node, message in homes] == [(E1, parcel.epoch)]
    assert net.family(U1) == {U1, E1, A1}


def test_whoever_is_kept_apart_is_refused_on_any_way(net: Net) -> None:
    """An address that was split off joins somebody else, and with them would come back to where it was taken off."""
    net.event_at(U1, event("e1", U1), U1)
    net.customer(U1).family[E1] = Member(2, IN, 5)
    net.customer(U1).rivals[E2] = FOREVER
    net.event_at(L1, event("e2", L1), L1)
    net.customer(L1).family[E2] = Member(1, IN, 5)
    [(node, refused), *_] = net.handle(U1, absorb(net, L1, U1, link(L1, U1)))
    assert (node, type(refused)) == (L1, Refused)
    net.customer(U1).rivals.clear()
    net.nodes[L1].to = None
    net.customer(L1).rivals[E1] = FOREVER
    [(node, refused), *_] = net.handle(U1, absorb(net, L1, U1, link(L1, U1)))
    assert (node, type(refused)) == (L1, Refused), "also where only the other side remembers"


def test_a_browser_takes_no_rivals_along(net: Net) -> None:
    """Whoever logs in on it next has nothing to do with the operator's split of somebody else."""
    net.event_at(U1, event("e1", U1), U1)
    net.customer(U1).family.update({A1: Member(1, IN, 5), E1: Member(1, IN, 5)})
    net.customer(U1).rivals[E2] = FOREVER
    [(_, browser)] = net.handle(U1, Reset(A1, 100))
    [(_, address)] = net.handle(U1, Reset(E1, 100, [E1, U1]))
    assert (browser.seed.rivals, set(address.seed.rivals)) == ({}, {E1, E2, U1})


def test_too_many_unique_values_are_refused_and_the_mover_told_by_whom(net: Net) -> None:
    net.event_at(E3, event("e3", E3), E3)
    net.work(U1).customer().family.update({E1: Member(1, IN, 0), E2: Member(1, IN, 0)})
    [(node, refused), (other, noted)] = net.handle(U1, absorb(net, E3, U1, link(E3, U1)))
    assert (other, type(noted), noted.step.why) == (E3, Noted, "email")
    assert (node, refused.epoch, set(refused.rivals)) == (E3, 1, {U1, E1, E2})
    assert net.customer(U1).family[E3].state == REFUSED
    assert net.said("identity_conflict") == ["identity_conflict"]


def test_the_evidence_that_brought_a_shared_identifier_is_remembered(net: Net) -> None:
    net.event_at(A1, event("e1", A1), A1)
    net.handle(U1, absorb(net, A1, U1, link(A1, U1, time=100)))
    assert net.customer(U1).family[A1].since == 100


def test_over_a_shared_maximum_the_longest_unseen_goes(net: Net) -> None:
    net.event_at(A3, event("e3", A3), A3)
    net.work(U1).customer().family.update({A1: Member(1, IN, 20), A2: Member(1, IN, 10), P1: Member(1, IN, 1)})
    left = net.handle(U1, absorb(net, A3, U1, link(A3, U1, time=100)))
    assert [(node, type(message)) for node, message in left] == [(A3, Home), (A2, Split)]
    assert net.family(U1) == {U1, A1, A3, P1}


def test_the_root_itself_is_never_evicted(net: Net) -> None:
    """Nobody known: a browser is the root, and three browsers are one too many."""
    net.event_at(A3, event("e3", A3), A3)
    net.work(A1).customer().family.update({A1: Member(0, IN, 0), A2: Member(1, IN, 50)})
    left = net.handle(A1, absorb(net, A3, A1, link(A3, A1, time=100)))
    assert [(node, type(message)) for node, message in left] == [(A3, Home), (A2, Split)]


# reset, erase


def test_reset_cuts_a_member_which_starts_anew(net: Net) -> None:
    net.work(U1).customer().family[A1] = Member(2, IN, 50)
    [(node, split)] = net.handle(U1, Reset(A1, 100))
    assert (node, split.epoch, split.seed.since, split.link) == (A1, 2, 100, None)
    assert net.family(U1) == {U1}


@pytest.mark.parametrize(("target", "time"), [(U1, 100), (A1, 50), (A1, 40)])
def test_reset_of_the_root_or_older_than_the_evidence_is_nothing(net: Net, target: str, time: int) -> None:
    net.work(U1).customer().family[A1] = Member(2, IN, 50)
    assert net.handle(U1, Reset(target, time)) == []
    assert net.family(U1) == {U1, A1}


def test_an_operators_split_lists_both_sides_as_rivals_for_good(net: Net) -> None:
    net.work(U1).customer().family[E1] = Member(2, IN, 50)
    [(_, split)] = net.handle(U1, Reset(E1, 100, apart=[E1]))
    assert net.customer(U1).rivals[E1] > NOW + 100 * RIVAL_FOR
    net.nodes[E1] = Node(U1, 2)
    net.handle(E1, split)
    assert [type(message) for _, message in net.handle(U1, link(U1, E1, time=200))] == [Noted]
    assert net.said("identity_conflict") == ["identity_conflict"]


def test_erase_forgets_the_content_and_every_identifier_starts_anew_marked(net: Net) -> None:
    net.event_at(U1, event("e1", U1), U1)
    net.customer(U1).family.update({E1: Member(1, IN, 0), A1: Member(2, IN, 0)})
    left = net.handle(U1, Erase(E1, 200))
    assert [(node, message.seed.wiped, message.seed.since) for node, message in left] == [
        (E1, 200, 200),
        (A1, 200, 200),
    ]
    customer = net.customer(U1)
    assert (counted(customer), customer.person, customer.wiped[U1], net.family(U1)) == ([], "", 200, {U1})
    assert net.journeys.erasures == [200]


def test_erase_again_is_nothing(net: Net) -> None:
    net.event_at(U1, event("e1", U1), U1)
    net.handle(U1, Erase(U1, 200))
    before = copy_of(net.node(U1))
    assert net.handle(U1, Erase(U1, 200)) == []
    assert net.handle(U1, Erase(U1, 150)) == []
    assert (net.node(U1), net.journeys.erasures) == (before, [200])


# home, refused, split: for the node itself


# inquire, stays


def test_who_is_asked_and_stays_somebody_else_says_so_without_a_write(net: Net) -> None:
    net.event_at(E1, event("e1", E1), E1)
    before = copy_of(net.node(E1))
    assert net.handle(E1, Inquire(E1, U1)) == [(U1, Stays(U1, E1))]
    assert net.node(E1) == before


def test_the_question_follows_who_is_on_the_way_behind_the_parcel(net: Net) -> None:
    net.event_at(E1, event("e1", E1), E1)
    left = [*net.handle(E1, link(E1, U1)), *net.handle(E1, Inquire(E1, U1))]
    assert [(node, type(message)) for node, message in left] == [(U1, Absorb), (U1, Inquire)]
    net.event_at(U1, event("e2", U1), U1)
    net.handle(U1, left[0][1])
    assert net.handle(U1, left[1][1]) == [], "it has come, and the merge has looked at what waited"


def test_after_a_refusal_the_question_goes_back_to_who_was_refused(net: Net) -> None:
    net.event_at(U1, event("e1", U1), U1)
    net.event_at(U2, event("e2", U2), U2)
    left = net.handle(U2, link(U2, U1))
    assert [type(message) for _, message in left] == [Noted], "two users are never one"
    assert net.handle(U2, Inquire(U2, U1)) == [(U1, Stays(U1, U2))]


@pytest.mark.parametrize(("asked", "told"), [(True, [E1]), (False, [])])
def test_who_stays_is_told_to_the_journeys_that_asked(net: Net, asked: bool, told: list[str]) -> None:
    net.event_at(U1, event("e1", U1), U1)
    net.customer(U1).waiting = [Waiting(NOW, [E1, A1], {}, U1, asked)]
    net.handle(U1, Stays(U1, E2))
    assert net.journeys.staying == [], "nobody waits for that one"
    net.handle(U1, Stays(U1, E1))
    assert net.journeys.staying == told


def moving(net: Net, name: str, to: str) -> Node:
    net.event_at(name, event("e1", name), name)
    absorb(net, name, to, link(name, to))
    node: Node = net.node(name)
    return node


def test_home_lets_the_parcel_go(net: Net) -> None:
    node = moving(net, E1, U1)
    net.handle(E1, Home(E1, 1, U1))
    assert (node.to, node.body) == (U1, None)


def test_home_of_another_epoch_or_at_a_root_is_nothing(net: Net) -> None:
    node = moving(net, E1, U1)
    net.handle(E1, Home(E1, 2, U1))
    assert node.body is not None
    net.event_at(E2, event("e2", E2), E2)
    net.handle(E2, Home(E2, 0, U1))
    assert net.node(E2).to is None


def test_a_late_home_of_a_weaker_root_does_not_turn_the_pointer_back(net: Net) -> None:
    net.nodes[A1] = Node(E1, 1)
    net.handle(A1, Home(A1, 1, U1))
    net.handle(A1, Home(A1, 1, E1))
    assert net.node(A1).to == U1


def test_home_of_a_weaker_root_takes_the_parcel_and_leaves_the_pointer(net: Net) -> None:
    node = moving(net, A1, U1)
    net.handle(A1, Home(A1, 1, E1))
    assert (node.to, node.body) == (U1, None)


def test_refused_is_a_root_again_with_its_parcel_and_remembers_the_rivals_for_a_day(net: Net) -> None:
    node = moving(net, E1, U1)
    net.handle(E1, Refused(E1, 2, [U1]))
    assert node.to == U1, "another epoch's refusal is nothing"
    net.handle(E1, Refused(E1, 1, [U1]))
    assert net.root(E1) == E1
    assert (counted(net.customer(E1)), net.customer(E1).rivals) == (["e1"], {U1: NOW + RIVAL_FOR})


def test_split_starts_from_the_seed_alone(net: Net) -> None:
    moving(net, A1, U1)
    seed = Seed(b"12345678", 70, 50, {U1: Member(0, OUT, 0), A1: Member(1, OUT, 0)})
    net.handle(A1, Split(A1, 1, seed))
    customer = net.customer(A1)
    assert (net.node(A1).to, counted(customer), customer.person) == (None, [], "")
    assert (customer.window[A1], customer.wiped[A1], customer.family[A1]) == (b"12345678", 70, Member(1, IN, 50))
    assert customer.family[U1].state == OUT, "what it knew of others comes along: a late parcel is still known"


def test_split_follows_its_link_in_the_same_step(net: Net) -> None:
    net.nodes[A1] = Node(U1, 1)
    [(node, parcel)] = net.handle(A1, Split(A1, 1, Seed(b"", 0, 50, {}), link(A1, U2, time=100)))
    assert (node, type(parcel), parcel.mover, parcel.epoch) == (U2, Absorb, A1, 2)


def test_split_of_another_epoch_or_at_a_root_is_nothing(net: Net) -> None:
    net.nodes[A1] = Node(U1, 2)
    assert net.handle(A1, Split(A1, 1, Seed(b"", 0, 0, {}))) == []
    assert net.node(A1).to == U1
    net.event_at(A2, event("e1", A2), A2)
    net.handle(A2, Split(A2, 0, Seed(b"", 0, 0, {})))
    assert counted(net.customer(A2)) == ["e1"]


# routing


@pytest.mark.parametrize("message", [link(E1, U2), Reset(E1, 5), Erase(E1, 5)])
def test_a_forward_passes_on_what_is_about_an_identifier_and_writes_nothing(
    net: Net, message: Link | Reset | Erase
) -> None:
    net.nodes[E1] = Node(U1, 1)
    [(node, passed)] = net.handle(E1, message)
    assert (node, passed.hops, type(passed)) == (U1, 1, type(message))
    assert net.nodes[E1] == Node(U1, 1)


def test_a_moving_node_is_frozen_and_passes_on_too(net: Net) -> None:
    node = moving(net, E1, U1)
    before = copy_of(node)
    assert [where for where, _ in net.handle(E1, Erase(E1, 5))] == [U1]
    assert node == before


def test_a_root_sends_what_is_about_no_member_of_its_to_that_node(net: Net) -> None:
    """Pointers are hints and may be stale; membership decides."""
    net.work(U1).customer()
    assert [where for where, _ in net.handle(U1, Reset(A1, 5))] == [A1]


def test_many_hops_are_noted(net: Net) -> None:
    net.nodes[E1] = Node(U1, 1)
    net.handle(E1, Link(E1, U2, U2, strong=True, time=5, hops=20))
    assert net.said("many_hops") == [""]


def test_who_left_long_ago_is_not_named_any_more_once_somebody_joins_or_leaves(net: Net) -> None:
    net.event_at(U1, event("e1", U1), U1)
    family = net.customer(U1).family
    family.update({E1: Member(1, OUT, NOW - KEPT - 1), E2: Member(1, OUT, NOW - KEPT), A1: Member(2, IN, 50)})
    net.customer(U1).rivals.update({L1: NOW, U2: NOW + 1})
    net.handle(U1, Reset(A1, 100))
    assert set(net.customer(U1).family) == {U1, E2, A1}
    assert set(net.customer(U1).rivals) == {U2}
