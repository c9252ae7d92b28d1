"""The identity protocol: what a node does with each message (docs/identity.md has the tables and why they hold).

A handler changes one node and leaves effects; it never waits for another node. Pointers are hints; membership at the
root decides; epochs admit each parcel once; the stronger name wins.
"""

from collections import Counter
from typing import Final

from orchestrator.engine.identity import references, steps
from orchestrator.engine.identity.marks import FOREVER, drop_old_marks, is_over
from orchestrator.engine.identity.merge import had_already, join_customers, join_families
from orchestrator.engine.identity.work import Merge, Work, is_member, members
from orchestrator.model import reason
from orchestrator.model.customer import IN, OUT, REFUSED, Customer, Member
from orchestrator.model.effect import Tell
from orchestrator.model.event import Event
from orchestrator.model.ids import EVENT_HASH_BYTES, erasure_id, erasure_mark
from orchestrator.model.lines import IdentityStep
from orchestrator.model.message import (
    Absorb,
    Erase,
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

WINDOW_BYTES: Final = 256 * EVENT_HASH_BYTES
RIVAL_FOR: Final = 86_400_000
RIVAL: Final = "rival"
IDLE: Final = 395 * 86_400_000
"""After 13 months (ms) without evidence that it is theirs, a shared identifier is its owner's no more."""
RECEIPT: Final = "erasure:"


def seen(window: bytes, event_hash: bytes) -> bool:
    """Whether an event is in a dedupe window: hashes of fixed length, one after the other."""
    at = window.find(event_hash)
    while at >= 0:
        if at % EVENT_HASH_BYTES == 0:
            return True
        at = window.find(event_hash, at + 1)
    return False


def on_event(work: Work, event: Event, target: str) -> None:
    """An event, at the root where its strongest identifier `target` is a member."""
    customer = work.customer()
    window, mark = customer.window.get(target, b""), event.hash
    if mark in window and seen(window, mark):
        work.note("duplicate")
        return
    work.changed = True
    customer.window[target] = (window + mark)[-WINDOW_BYTES:]
    if customer.wiped and event.time <= customer.wiped.get(target, -1):
        work.note("dropped", reason.ERASED)
        return
    if not customer.person or event.time < customer.born:
        work.named(customer, event.time)
    links = _evidence(customer, event, target, work) if len(event.identifiers) > 1 else []
    work.journeys.event(work, customer, event, links)
    for other in links:
        strong = work.rules.is_unique(work.name)
        work.tell(other, Link(other, target, work.name, strong, event.time, 0, [], event.type, event.id))


def _evidence(customer: Customer, event: Event, target: str, work: Work) -> list[str]:
    """Newest evidence for shared members; the nodes that are to be linked."""
    links = []
    for other in event.identifiers:
        member = customer.family.get(other)
        if member is None or member.state != IN:
            links.append(other)
        elif other != target and work.rules.is_shared(other):
            member.since = max(member.since, event.time)
    return links


def on_link(work: Work, link: Link) -> None:
    """`link.a` and this customer's `link.target` were seen together: the first row that fits (docs/identity.md)."""
    customer, rules, target = work.customer(), work.rules, link.target
    member = customer.family[target]
    both_unique = rules.is_unique(link.a) and rules.is_unique(target)
    strong_here = rules.is_unique(work.name)
    if is_member(customer, link.a) or is_member(customer, link.root):
        if rules.is_shared(target) and link.time > member.since:
            member.since, work.changed = link.time, True
    elif link.time <= member.since and (target == work.name or (rules.is_shared(target) and strong_here)):
        work.note("late_link")
    elif both_unique and (why := _refuses(work, customer, [link.a, link.root, *link.members])):
        _conflict(work, customer, link, why, link.a)
    elif both_unique or not strong_here:
        _towards_stronger(work, customer, link)
    elif not link.strong:
        work.tell(link.a, swapped(work, link))
        work.changed = True
    elif rules.is_shared(target) and target != work.name:
        cut(work, customer, target, member.since, "moved", link)


def _towards_stronger(work: Work, customer: Customer, link: Link) -> None:
    if work.rules.stronger(link.root, work.name):
        move(work, customer, link)
    elif link.root != work.name:
        work.tell(link.a, swapped(work, link))
        work.changed = True


def swapped(work: Work, link: Link) -> Link:
    """The same evidence, from this root to the other side."""
    strong = work.rules.is_unique(work.name)
    return Link(link.a, link.target, work.name, strong, link.time, 0, [], link.event_type, link.event_id)


def move(work: Work, customer: Customer, link: Link) -> None:
    """Become a forward to the stronger root; the customer is frozen here until that root has it."""
    node = work.node
    node.epoch += 1
    node.to = link.root
    mine = customer.family[work.name]
    customer.family[work.name] = Member(node.epoch, IN, mine.since)
    work.changed = True
    work.tell(link.root, Absorb(link.root, work.name, node.epoch, customer, link))


def cut(work: Work, customer: Customer, node: str, since: int, why: str, link: Link | None = None) -> None:
    """Let a member go, with its window and nothing else; then it follows `link`, if there is one."""
    steps.remember(work, customer, steps.left(node, why, link))
    _let_go(work, customer, node, since, why, link)


def cut_erased(work: Work, customer: Customer, node: str, time: int, request: str) -> None:
    """Let a member of an erased customer go, marked; nothing remembers that it was here."""
    customer.wiped[node] = max(customer.wiped.get(node, 0), time)
    customer.erasing[node] = request
    _let_go(work, customer, node, time, reason.ERASED, None)


def _let_go(work: Work, customer: Customer, node: str, since: int, why: str, link: Link | None) -> None:
    drop_old_marks(customer, work.now)
    member = customer.family[node]
    customer.family[node] = Member(member.epoch, OUT, work.now)
    family = {
        name: Member(m.epoch, OUT, work.now) if m.state == IN else Member(m.epoch, m.state, m.since)
        for name, m in customer.family.items()
    }
    wiped, request = customer.wiped.pop(node, 0), customer.erasing.pop(node, "")
    rivals = dict(customer.rivals) if work.rules.is_unique(node) else {}  # a browser is nobody's rival
    marks = Seed(customer.window.pop(node, b""), wiped, since, family, rivals, why, request)
    work.changed = True
    work.tell(node, Split(node, member.epoch, marks, link))


def _refuses(work: Work, customer: Customer, others: list[str]) -> str:
    """Why `others` must not join: too many of a unique namespace, or someone who was refused lately; "" if they may."""
    if _are_rivals(work, customer, others):
        return RIVAL
    return over_unique(work, {*members(customer), *others})


def _refuses_parcel(work: Work, customer: Customer, parcel: Customer) -> str:
    """The same, of two whole customers: whichever way they came together, and whoever of them was kept apart."""
    mine, theirs = ([node for node in members(one) if work.rules.is_unique(node)] for one in (customer, parcel))
    if theirs and (_are_rivals(work, customer, theirs) or _are_rivals(work, parcel, mine)):
        return RIVAL
    return over_unique(work, {*mine, *theirs})


def _are_rivals(work: Work, customer: Customer, others: list[str]) -> bool:
    return bool(customer.rivals) and any(customer.rivals.get(other, 0) > work.now for other in others)


def over_unique(work: Work, nodes: set[str]) -> str:
    """The unique namespace of which these nodes are too many for one customer; "" where none is."""
    counts = Counter(node.partition(":")[0] for node in nodes if work.rules.is_unique(node))
    over = sorted(namespace for namespace, count in counts.items() if count > work.rules.most(namespace))
    return over[0] if over else ""


def _conflict(work: Work, customer: Customer, link: Link, why: str, other: str) -> None:
    """Both sides remember it: this one, and the customer of `other`."""
    work.note("identity_conflict", reason.IDENTITY_CONFLICT)
    step = steps.conflict(link, why)
    steps.remember(work, customer, step)
    customer.version += 1
    work.tell(other, Noted(other, step))


def on_absorb(work: Work, absorb: Absorb) -> None:
    """A customer moves in: once, unless it must not."""
    customer, parcel = work.customer(), absorb.customer
    known = customer.family.get(absorb.mover)
    if known is not None and known.epoch >= absorb.epoch and not is_over(known, work.now):
        work.note("duplicate_parcel")
        return
    work.changed = True
    for half in (customer, parcel):  # who began from nothing since has a lower epoch than an old mark
        drop_old_marks(half, work.now)
    if absorb.link.time <= customer.wiped.get(absorb.target, -1):
        _count_as_erased(work, customer, absorb)
    elif why := _refuses_parcel(work, customer, parcel):
        customer.family[absorb.mover] = Member(absorb.epoch, REFUSED, work.now)
        rivals = [node for node in members(customer) if work.rules.is_unique(node)]
        work.tell(absorb.mover, Refused(absorb.mover, absorb.epoch, rivals, work.now))
        _conflict(work, customer, absorb.link, why, absorb.mover)
    else:
        _take_in(work, customer, absorb)


def _take_in(work: Work, customer: Customer, absorb: Absorb) -> None:
    parcel = absorb.customer
    arrived = members(parcel)
    own_lines = customer.timeline
    repeated = had_already(customer, parcel) + had_already(parcel, customer)
    came, ended = join_customers(customer, parcel, work.journeys.traits)
    for node in (absorb.link.target, absorb.link.a):
        if work.rules.is_shared(node) and is_member(customer, node):
            member = customer.family[node]
            member.since = max(member.since, absorb.link.time)
    for node in arrived:
        work.tell(node, Home(node, customer.family[node].epoch, work.name))
    steps.remember(work, customer, steps.joined(absorb.link, arrived))
    evict(work, customer)
    references.keep_newest(work, customer)
    work.journeys.merged(work, customer, Merge(arrived, own_lines, parcel.timeline, came, ended, repeated))


def evict(work: Work, customer: Customer) -> None:
    """Over a shared maximum the identifiers go whose evidence is oldest, never the root itself."""
    by_namespace: dict[str, list[str]] = {}
    for node in members(customer):
        if work.rules.is_shared(node):
            by_namespace.setdefault(node.partition(":")[0], []).append(node)
    for namespace, nodes in by_namespace.items():
        surplus = len(nodes) - work.rules.most(namespace)
        oldest = sorted((n for n in nodes if n != work.name), key=lambda n: (customer.family[n].since, n))
        for node in oldest[: max(0, surplus)]:
            cut(work, customer, node, customer.family[node].since, "evicted")


def _count_as_erased(work: Work, customer: Customer, absorb: Absorb) -> None:
    """It was on its way when the customer was erased: its members start anew, marked like the rest."""
    parcel, time, request = absorb.customer, customer.wiped[absorb.target], customer.erasing.get(absorb.target, "")
    work.journeys.erased(work, parcel, time)
    join_families(customer.family, parcel.family)
    late = members(parcel)
    tell_receipt(work, request, [*late, *parcel.refs], [])
    for node in late:
        customer.window[node] = parcel.window.get(node, b"")
        cut_erased(work, customer, node, time, request)
    references.forget(work, parcel, request, time)
    work.note("dropped", reason.ERASED)


def on_reset(work: Work, reset: Reset) -> None:
    """Logout, eviction of an idle identifier, or an operator's split."""
    customer = work.customer()
    if reset.target == work.name or reset.time <= customer.family[reset.target].since:
        return
    for rival in reset.apart:
        customer.rivals[rival] = FOREVER
    cut(work, customer, reset.target, reset.time, "split" if reset.apart else "reset")


def let_idle_go(work: Work, target: str, time: int) -> bool:
    """Whether a shared identifier that comes by itself at `time` was seen with its owner too long ago.

    Then it is let go, and what it did counts for whoever it is now.
    """
    customer = work.node.body
    if target == work.name or not isinstance(customer, Customer) or not work.rules.is_shared(target):
        return False
    since = customer.family[target].since
    if not 0 < since < time - IDLE:
        return False
    cut(work, customer, target, since, "idle")
    return True


def on_erase(work: Work, erase: Erase) -> None:
    """Forget the content; every identifier starts anew, and older events of theirs are refused."""
    customer = work.customer()
    if customer.wiped.get(erase.target, 0) >= erase.time:
        if erase.request and customer.erasing.get(erase.target) != erase.request:
            tell_receipt(work, erase.request, [erase.target], [erase.target], whole=True)
            work.changed = True
        return
    work.changed = True
    work.journeys.erased(work, customer, erase.time)
    nodes = members(customer)
    fresh = Customer(family=customer.family, window=customer.window, wiped=customer.wiped, now=customer.now)
    fresh.wiped[work.name] = erase.time
    fresh.family[work.name] = Member(work.node.epoch, IN, erase.time)
    fresh.erasing = {work.name: erase.request} if erase.request else {}
    work.node.body = fresh
    steps.remember(work, fresh, IdentityStep("erased", why=reason.ERASED, time=erase.time))
    tell_receipt(work, erase.request, [*nodes, *customer.refs], [work.name], whole=True)
    for node in nodes:
        if node != work.name:
            cut_erased(work, fresh, node, erase.time, erase.request)
    references.forget(work, customer, erase.request, erase.time)
    work.note("erased", "", {"nodes": len(nodes)})


def tell_receipt(work: Work, request: str, expected: list[str], done: list[str], whole: bool = False) -> None:
    """Let the receipt of an erasure know which nodes are to be reached, and which have been. It is told no names."""
    if not request:
        return
    receipt = f"{RECEIPT}{erasure_id(work.tenant, request)}"
    to_reach, reached = (
        [(erasure_mark(work.tenant, request, node), node.partition(":")[0]) for node in nodes]
        for nodes in (expected, done)
    )
    work.tell(receipt, Reached(receipt, to_reach, reached, whole))


def on_noted(work: Work, noted: Noted) -> None:
    """Another node has decided something about this customer's identity."""
    customer = work.customer()
    steps.remember(work, customer, noted.step)
    customer.version += 1


def on_inquire(work: Work, inquire: Inquire) -> None:
    """Entries of another customer wait for this one. Had it gone there, the question would have followed it.

    Behind the link on the link's own way, it comes when the link has been handled; its answer comes behind all that
    the link has led to.
    """
    if not is_member(work.customer(), inquire.by):
        work.passed.append(Tell(inquire.by, Stays(inquire.by, inquire.target)))


def on_stays(work: Work, stays: Stays) -> None:
    """Who was linked stays somebody else: what waits for it need not."""
    customer = work.customer()
    if any(waiting.asked and stays.node in waiting.nodes for waiting in customer.waiting):
        work.changed = True
        work.journeys.stays(work, customer, stays.node)


def on_home(work: Work, home: Home) -> None:
    """The parcel has arrived, or the root has moved on: point to the stronger of both."""
    node = work.node
    if node.to is None or node.epoch != home.epoch:
        return
    if node.body is not None or work.rules.stronger(home.root, node.to):
        if work.rules.stronger(home.root, node.to):
            node.to = home.root
        node.body = None
        work.changed = True


def on_refused(work: Work, refused: Refused) -> None:
    """Stay yourself, and remember for a day who refused."""
    node = work.node
    if node.to is None or node.epoch != refused.epoch or not isinstance(node.body, Customer):
        return
    node.to = None
    for rival in refused.rivals:
        node.body.rivals[rival] = max(node.body.rivals.get(rival, 0), work.now + RIVAL_FOR)
    work.changed = True


def on_split(work: Work, split: Split) -> None:
    """No longer a member: start from the seed, then follow the link in the same step."""
    node = work.node
    if node.to is None or node.epoch != split.epoch:
        return
    seed = split.seed
    node.to = None
    fresh = node.body = Customer(family=dict(seed.family), rivals=dict(seed.rivals))
    fresh.family[work.name] = Member(node.epoch, IN, seed.since)
    fresh.window[work.name] = seed.window
    if seed.wiped:
        fresh.wiped[work.name] = seed.wiped
    if seed.request:
        fresh.erasing[work.name] = seed.request
    steps.remember(work, fresh, steps.began(work.name, seed.why))
    if seed.why == reason.ERASED:
        tell_receipt(work, seed.request, [], [work.name])
    if split.link is not None:
        on_link(work, split.link)
