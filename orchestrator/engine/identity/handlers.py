"""The identity protocol: what a node does with each message (docs/identity.md has the tables and why they hold).

A handler changes one node and leaves effects; it never waits for another node. Pointers are hints; membership at the
root decides; epochs admit each parcel once; the stronger name wins.
"""

from collections import Counter
from typing import Final

from orchestrator.engine.identity.merge import had_already, join_customers, join_families
from orchestrator.engine.identity.work import Merge, Work, is_member, members
from orchestrator.model import reason
from orchestrator.model.customer import IN, OUT, REFUSED, Customer, Member
from orchestrator.model.effect import Tell
from orchestrator.model.event import Event
from orchestrator.model.ids import EVENT_HASH_BYTES
from orchestrator.model.message import Absorb, Erase, Home, Inquire, Link, Refused, Reset, Seed, Split, Stays

WINDOW_BYTES: Final = 256 * EVENT_HASH_BYTES
RIVAL_FOR: Final = 86_400_000
FOREVER: Final = 1 << 62


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
        work.tell(other, Link(other, target, work.name, strong, event.time))


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
    elif both_unique and _refuses(work, customer, [link.a, link.root, *link.members]):
        _conflict(work, customer)
    elif both_unique or not strong_here:
        _towards_stronger(work, customer, link)
    elif not link.strong:
        work.tell(link.a, swapped(work, link))
        work.changed = True
    elif rules.is_shared(target) and target != work.name:
        cut(work, customer, target, member.since, link)


def _towards_stronger(work: Work, customer: Customer, link: Link) -> None:
    if work.rules.stronger(link.root, work.name):
        move(work, customer, link)
    elif link.root != work.name:
        work.tell(link.a, swapped(work, link))
        work.changed = True


def swapped(work: Work, link: Link) -> Link:
    """The same evidence, from this root to the other side."""
    return Link(link.a, link.target, work.name, work.rules.is_unique(work.name), link.time)


def move(work: Work, customer: Customer, link: Link) -> None:
    """Become a forward to the stronger root; the customer is frozen here until that root has it."""
    node = work.node
    node.epoch += 1
    node.to = link.root
    mine = customer.family[work.name]
    customer.family[work.name] = Member(node.epoch, IN, mine.since)
    work.changed = True
    work.tell(link.root, Absorb(link.root, work.name, node.epoch, customer, link))


def cut(work: Work, customer: Customer, node: str, since: int, link: Link | None = None, wiped: int = 0) -> None:
    """Let a member go, with its window and nothing else; then it follows `link`, if there is one."""
    member = customer.family[node]
    customer.family[node] = Member(member.epoch, OUT, member.since)
    family = {name: Member(m.epoch, OUT if m.state == IN else m.state, m.since) for name, m in customer.family.items()}
    marks = Seed(
        customer.window.pop(node, b""), max(customer.wiped.get(node, 0), wiped), since, family, dict(customer.rivals)
    )
    work.changed = True
    work.tell(node, Split(node, member.epoch, marks, link))


def _refuses(work: Work, customer: Customer, others: list[str]) -> bool:
    """Whether joining `others` would pass a unique namespace's maximum, or meets someone who was refused lately."""
    if any(customer.rivals.get(other, 0) > work.now for other in others):
        return True
    return over_unique(work, {*members(customer), *others})


def over_unique(work: Work, nodes: set[str]) -> bool:
    """Whether these nodes are too many for one customer, in any unique namespace."""
    counts = Counter(node.partition(":")[0] for node in nodes if work.rules.is_unique(node))
    return any(count > work.rules.most(namespace) for namespace, count in counts.items())


def _conflict(work: Work, customer: Customer) -> None:
    work.note("identity_conflict", reason.IDENTITY_CONFLICT)
    customer.version += 1
    work.changed = True


def on_absorb(work: Work, absorb: Absorb) -> None:
    """A customer moves in: once, unless it must not."""
    customer, parcel = work.customer(), absorb.customer
    known = customer.family.get(absorb.mover)
    if known is not None and known.epoch >= absorb.epoch:
        work.note("duplicate_parcel")
        return
    work.changed = True
    if absorb.link.time <= customer.wiped.get(absorb.target, -1):
        _count_as_erased(work, customer, absorb)
    elif over_unique(work, {*members(customer), *members(parcel)}):
        customer.family[absorb.mover] = Member(absorb.epoch, REFUSED, 0)
        rivals = [node for node in members(customer) if work.rules.is_unique(node)]
        work.tell(absorb.mover, Refused(absorb.mover, absorb.epoch, rivals, work.now))
        _conflict(work, customer)
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
    evict(work, customer)
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
            cut(work, customer, node, customer.family[node].since)


def _count_as_erased(work: Work, customer: Customer, absorb: Absorb) -> None:
    """It was on its way when the customer was erased: its members start anew, marked like the rest."""
    time = customer.wiped[absorb.target]
    join_families(customer.family, absorb.customer.family)
    for node in members(absorb.customer):
        customer.window[node] = absorb.customer.window.get(node, b"")
        cut(work, customer, node, time, wiped=time)
    work.note("dropped", reason.ERASED)


def on_reset(work: Work, reset: Reset) -> None:
    """Logout, eviction of an idle identifier, or an operator's split."""
    customer = work.customer()
    if reset.target == work.name or reset.time <= customer.family[reset.target].since:
        return
    for rival in reset.apart:
        customer.rivals[rival] = FOREVER
    cut(work, customer, reset.target, reset.time)


def on_erase(work: Work, erase: Erase) -> None:
    """Forget the content; every identifier starts anew, and older events of theirs are refused."""
    customer = work.customer()
    if customer.wiped.get(erase.target, 0) >= erase.time:
        return
    work.changed = True
    work.journeys.erased(work, customer, erase.time)
    nodes = members(customer)
    fresh = Customer(family=customer.family, window=customer.window, wiped=customer.wiped, now=customer.now)
    fresh.wiped[work.name] = erase.time
    fresh.family[work.name] = Member(work.node.epoch, IN, erase.time)
    work.node.body = fresh
    for node in nodes:
        if node != work.name:
            cut(work, fresh, node, erase.time, wiped=erase.time)
    work.note("erased", "", {"nodes": len(nodes)})


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
    work.changed = True
    if split.link is not None:
        on_link(work, split.link)
