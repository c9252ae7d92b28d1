"""What is drawn before anything runs: who there is, what happens, and which troubles this seed may have."""

from random import Random
from typing import Final, NamedTuple

from tests.simulation.simulator.house import COUNTED, LATENESS, MOST, SECOND, SHARED, UNIQUE

MODES: Final = ("unique", "newest", "any", "clash", "newest", "passing", "any", "solo")
"""Which identifiers meet. `unique`: people without conflicts; `newest`: and browsers that go from one to the next;
`any`: whatever comes, with conflicts, logout and erasure; `clash`: two people whose names chains of events bring
together; `passing`: two people and what goes from hand to hand; `solo`: nobody meets anybody."""


RELEASES: Final = ((1,), (1, 2), (1, 0))
"""What may be published one after the other; 0 is the first release again."""


class Happening(NamedTuple):
    """One thing that a producer tells. Its time is the clock's when it is told, less `behind`.

    Attributes:
        name: event id.
        type: event type; "erase", "split" and "level" are no customer events. "slot_shown" comes as a worker tells it.
        nodes: identifiers, strongest first; of a split, who leaves, then who stays.
        data: properties besides the identifiers.
        topic: where it is written.
        key: the node that its record is keyed by; "" for a record without a key.
        behind: ms by which it happened before it is told.
        again: how often it is told again, each time with one of `keys`.
    """

    name: str
    type: str
    nodes: tuple[str, ...]
    data: dict[str, object]
    topic: str
    key: str
    behind: int = 0
    again: tuple[str, ...] = ()


class Troubles(NamedTuple):
    """How likely each kind of trouble is, against a weight of about 30 for everything else; 0 is never."""

    crash: float
    lose: float
    release: float
    hours: float
    repeat: float


class Story(NamedTuple):
    """Everything about a seed but the order in which things run."""

    seed: int
    mode: str
    partitions: int
    workers: int
    happenings: tuple[Happening, ...]
    troubles: Troubles
    merged: bool
    """Topics of a partition are read in the order of record time; else in any order."""
    releases: tuple[int, ...] = ()
    """The releases that are published meanwhile, as house.py numbers them."""
    grouped: bool = False
    """Also small batches are sorted by customer, as large ones are."""
    echoes: tuple[str, ...] = ()
    """Kinds of messages that come again; where there are none, any of them may."""
    lagging: bool = False
    """Only one of the workers reads of releases before all is calm."""
    most: int = 3
    """How many records a batch has at most."""
    busy: float = 0.2
    """How likely a channel takes a message later only."""
    retires: bool = False
    """An operator retires releases that nobody is on."""

    def has(self, *types: str) -> bool:
        return any(one.type in types for one in self.happenings)


def draw_story(seed: int, mode: str = "") -> Story:
    """The story of a seed; `mode` where it must be a certain one."""
    rng = Random(seed)
    mode = mode or MODES[seed % len(MODES)]
    names = _Names(rng, mode)
    count = rng.randint(2, 9)
    happenings = [_happening(rng, mode, names, number) for number in range(count)]
    stocked = [one for one in happenings if "sku" in one.data]
    if stocked and rng.random() < 0.8:
        skus = [str(one.data["sku"]) for one in stocked]
        happenings += [_level(rng, f"l{n}", rng.choice(skus)) for n in range(rng.randint(1, 3))]
    if mode == "any" and rng.random() < 0.35:
        target = rng.choice(names.all)
        happenings.append(Happening("erasure", "erase", (target,), {}, "customer.inputs", target))
    if rng.random() < 0.5:
        rng.shuffle(happenings)
    return Story(
        seed, mode, rng.choice((1, 1, 2, 2, 3, 4)), rng.randint(1, 3), tuple(happenings), _troubles(rng),
        merged=rng.random() < 0.5, releases=rng.choice(((), (), (), *RELEASES)), grouped=rng.random() < 0.5,
        lagging=rng.random() < 0.5, most=rng.choice((3, 12)),
    )  # fmt: skip


def draw_deep(seed: int) -> Story:
    """A story of one worker that has many batches in flight and crashes all the time."""
    troubles = Troubles(crash=3.0, lose=0.0, release=0.0, hours=0.1, repeat=0.0)
    return draw_story(seed)._replace(partitions=1, workers=1, merged=False, releases=(), troubles=troubles, most=12)


def draw_echoes(seed: int) -> Story:
    """A story of what goes from hand to hand, whose messages come again and again, late."""
    troubles = Troubles(crash=0.0, lose=0.0, release=0.0, hours=1.0, repeat=3.0)
    story, rng = draw_story(seed, "passing"), Random(seed ^ 0xEC40)
    happenings = []
    for one in story.happenings:
        user, shared = rng.choice(("user_id:u1", "user_id:u2")), rng.choice(("phone:p1", "phone:p1", "anonymous_id:a1"))
        nodes = rng.choice(((user, shared), (user, shared), ("phone:p1", "anonymous_id:a1"), (shared,)))
        again = (shared, shared) if nodes == (shared,) else ()
        happenings.append(one._replace(nodes=nodes, key=nodes[0], again=again) if one.type in COUNTED else one)
    echoes = ("split", "absorb", "home") if seed % 3 else ("split",)
    return story._replace(happenings=tuple(happenings), troubles=troubles, releases=(), echoes=echoes)


def draw_erased(seed: int) -> Story:
    """A story of orders, and of somebody who is erased while they come together with others."""
    rng = Random(seed ^ 0xE4A5)
    story = draw_story(seed, "any")
    happenings = [
        one._replace(type="bought", data={"order": f"o{one.name[1:]}", "total": 2.0})
        if one.type in {"put", "seen"} and rng.random() < 0.6
        else one
        for one in story.happenings
        if one.type != "erase"
    ]
    target = rng.choice([node for one in happenings for node in one.nodes] or ["user_id:u1"])
    place = rng.randint(1, len(happenings))
    happenings.insert(place, Happening("erasure", "erase", (target,), {}, "customer.inputs", target))
    return story._replace(happenings=tuple(happenings), releases=())


def draw_haunted(seed: int) -> Story:
    """A story of one partition that workers lose again and again without their knowing."""
    troubles = Troubles(crash=0.0, lose=5.0, release=0.0, hours=0.1, repeat=0.0)
    return draw_story(seed)._replace(partitions=1, workers=2, releases=(), troubles=troubles)


def draw_releases(seed: int) -> Story:
    """A story of releases on their way: what happens is over many seconds, and they come in the middle of it."""
    modes = ("solo", "unique", "newest", "solo", "unique", "any")
    story = draw_story(seed, modes[seed % len(modes)])
    rng = Random(seed ^ 0x9E1EA5E)
    happenings = tuple(
        one._replace(type="seen", data={}) if one.type in {"put", "told"} and rng.random() < 0.6 else one
        for one in story.happenings
    )
    troubles = story.troubles._replace(hours=rng.choice((1.0, 2.0, 4.0)))
    return story._replace(
        releases=rng.choice(RELEASES), partitions=rng.choice((1, 2, 3)), happenings=happenings, troubles=troubles,
        merged=rng.random() < 0.7,
    )  # fmt: skip


def draw_restless(seed: int) -> Story:
    """A story of a release with a new schedule, at a worker that crashes while it visits everybody."""
    rng = Random(seed ^ 0x2E57)
    people = [f"user_id:u{number}" for number in range(rng.randint(3, 5))]
    happenings = tuple(
        Happening(f"e{node[-1]}", "told", (node,), {"word": "yes"}, "channel.web", node) for node in people
    )
    troubles = Troubles(crash=rng.choice((0.3, 1.0)), lose=0.0, release=0.0, hours=0.1, repeat=0.0)
    return Story(
        2 * seed, "solo", 1, 1, happenings, troubles, merged=True, releases=rng.choice(((1,), (1, 2))),
        grouped=rng.random() < 0.5,
    )  # fmt: skip


def draw_stock(seed: int) -> Story:
    """A story of people who wait for what a brand event changes, at a worker that crashes."""
    rng = Random(seed ^ 0x570C)
    people = [f"user_id:u{number}" for number in range(rng.randint(1, 3))]
    puts = [Happening(f"e{node[-1]}", "put", (node,), {"sku": "x"}, "channel.web", node) for node in people]
    levels = [_level(rng, f"l{number}", "x") for number in range(rng.randint(1, 3))]
    troubles = Troubles(crash=rng.choice((1.0, 3.0)), lose=0.0, release=0.0, hours=0.2, repeat=0.0)
    return Story(seed, "solo", rng.choice((1, 2)), 1, (*puts, *levels), troubles, merged=True)


def draw_handed(seed: int) -> Story:
    """A story of two people who share a browser and a telephone, told out of order."""
    rng = Random(seed ^ 0x4A4D)
    happenings = []
    for number in range(rng.randint(3, 8)):
        nodes = (
            rng.choice(("user_id:u0", "user_id:u1")),
            rng.choice(("phone:p1", "anonymous_id:a1", "anonymous_id:a1")),
        )
        behind = rng.choice((0, rng.randint(1, 9) * SECOND))
        happenings.append(Happening(f"e{number}", "seen", nodes, {}, "channel.web", rng.choice(nodes), behind))
    return draw_story(seed, "newest")._replace(happenings=tuple(happenings), releases=())


def draw_apart(seed: int) -> Story:
    """A story of more addresses than one may have, and of an operator who takes one off; parcels come again."""
    rng = Random(seed ^ 0xA9A7)
    unique = ["user_id:u1", "card_id:c1", *(f"email:e{n}" for n in range(5))]
    happenings = []
    for number in range(rng.randint(4, 9)):
        nodes = (rng.choice(unique[:2]), rng.choice(unique[2:])) if rng.random() < 0.8 else (*unique[:2],)
        happenings.append(Happening(f"e{number}", "seen", nodes, {}, "channel.web", nodes[0]))
    for number in range(rng.randint(1, 2)):
        leaves, *stay = rng.choice(unique[2:]), rng.choice(unique[:2]), rng.choice(unique)
        place = rng.randint(2, len(happenings))
        happenings.insert(place, Happening(f"apart{number}", "split", (leaves, *stay), {}, "customer.inputs", leaves))
    troubles = Troubles(crash=rng.choice((0.0, 0.5)), lose=0.0, release=0.0, hours=1.0, repeat=rng.choice((1.0, 3.0)))
    return Story(
        seed, "apart", rng.choice((1, 2, 3)), rng.randint(1, 2), tuple(happenings), troubles,
        merged=rng.random() < 0.5, echoes=rng.choice(((), ("absorb",), ("absorb", "link"))),
    )  # fmt: skip


def _strength(node: str) -> tuple[int, str]:
    return [*MOST].index(node.partition(":")[0]), node


def draw_denied(seed: int) -> Story:
    """A story of people who agree, are written to, and take it back or are erased while the channel is busy."""
    rng = Random(seed ^ 0xDE41)
    names = [("user_id:u0",), ("email:e0",), ("user_id:u0", "email:e0"), ("user_id:u0",)]
    kinds = ["told", "put", *rng.choices(("seen", "put", "told"), k=rng.randint(1, 4)), "told"]
    happenings = []
    for number, kind in enumerate(kinds):
        nodes = rng.choice(names)
        data: dict[str, object] = {"word": "yes" if number < len(kinds) - 1 else "no"} if kind == "told" else {}
        happenings.append(Happening(f"e{number}", kind, nodes, data, "channel.web", nodes[0]))
    if rng.random() < 0.4:
        happenings[-1] = Happening("erasure", "erase", ("user_id:u0",), {}, "customer.inputs", "user_id:u0")
    troubles = Troubles(crash=rng.choice((0.0, 0.5)), lose=0.0, release=0.3, hours=rng.choice((4.0, 8.0)), repeat=0.0)
    return Story(
        seed, "unique", rng.choice((1, 2, 3)), rng.randint(1, 2), tuple(happenings), troubles,
        merged=rng.random() < 0.5, busy=0.8,
    )  # fmt: skip


def draw_skew(seed: int) -> Story:
    """A story of two workers, one of which reads of a release long before the other, and of people who meet then."""
    rng = Random(seed ^ 0x5CE3)
    story = draw_releases(seed)
    person = ["user_id:u0", "card_id:c0", "email:e0", "email:e1"]
    happenings = []
    for number in range(rng.randint(4, 7)):
        nodes = rng.sample(person, 2 if number % 2 else 1)
        nodes.sort(key=_strength)
        kinds = {node.partition(":")[0]: node for node in nodes}
        nodes = [kinds[space] for space in kinds]
        happenings.append(Happening(f"e{number}", "seen", tuple(nodes), {}, "channel.web", nodes[0]))
    return story._replace(
        mode="unique", happenings=tuple(happenings), partitions=4, workers=2, lagging=True, most=3,
        troubles=Troubles(crash=0.0, lose=0.0, release=0.3, hours=rng.choice((0.2, 0.5, 1.0)), repeat=0.0),
    )  # fmt: skip


def draw_retired(seed: int) -> Story:
    """A story of releases that are retired as soon as nobody is on them, while workers lag behind, crash and come."""
    story = draw_releases(seed)
    rng = Random(seed ^ 0x2E71)
    troubles = story.troubles._replace(
        crash=rng.choice((0.4, 1.0)), lose=0.0, release=rng.choice((0.5, 1.5)), hours=rng.choice((2.0, 6.0))
    )
    return story._replace(
        releases=rng.choice(((1,), (1, 2), (1, 2), (1, 0))), happenings=story.happenings[: rng.randint(1, 6)],
        workers=2, troubles=troubles, retires=True, busy=rng.choice((0.0, 0.2)),
    )  # fmt: skip


def draw_shown(seed: int) -> Story:
    """A story of people who are shown slots under names that move, on several partitions."""
    rng = Random(seed ^ 0x510D)
    story = draw_story(seed, rng.choice(("unique", "newest", "any", "clash", "passing")))
    happenings = []
    for one in story.happenings:
        if one.type in COUNTED and one.nodes and rng.random() < 0.4:
            target = rng.choice(one.nodes)
            data: dict[str, object] = {"slot": "web.hero", "content": "hero", "offer": ""}
            again = (target,) if rng.random() < 0.3 else ()
            one = Happening(one.name, "slot_shown", (target,), data, "customer.inputs", target, 0, again)  # noqa: PLW2901
        happenings.append(one)
    return story._replace(partitions=rng.choice((2, 3, 4)), happenings=tuple(happenings), releases=())


DRAWS: Final = (
    draw_story, draw_apart, draw_deep, draw_denied, draw_echoes, draw_erased, draw_handed, draw_haunted, draw_releases,
    draw_restless, draw_retired, draw_shown, draw_skew, draw_stock,
)  # fmt: skip
"""Ways to draw: everything mixed, and those that look closely where trouble is rare."""


def _troubles(rng: Random) -> Troubles:
    return Troubles(
        crash=rng.choice((0.0, 0.4, 1.5)),
        lose=rng.choice((0.0, 0.0, 0.6, 1.5)),
        release=rng.choice((0.0, 0.5, 2.0)),
        hours=rng.choice((0.2, 1.0)),
        repeat=rng.choice((0.0, 0.0, 1.0, 3.0)),
    )


class _Names:
    """The identifiers of a seed: 3 to 7, and which may stand together in one event."""

    def __init__(self, rng: Random, mode: str) -> None:
        self.topic = "channel.web"
        if mode == "any":
            pool = [f"{space}:{space[0]}{n}" for space in (*UNIQUE, *SHARED) for n in (1, 2, 3)]
            self.people = [rng.sample(pool, rng.randint(3, 7))]
        elif mode == "clash":
            emails = [f"email:e{n}" for n in range(rng.randint(1, 5))]
            self.people = [["user_id:u1", "user_id:u2", "card_id:c1", "card_id:c2", *emails[:3]]]
        elif mode == "passing":
            self.people = [["user_id:u1", "user_id:u2", "phone:p1", "anonymous_id:a1", "anonymous_id:a2"]]
        else:
            people = range(rng.randint(1, 2 if mode == "newest" else 3))
            self.people = [
                [f"user_id:u{n}", f"card_id:c{n}", *(f"email:e{n}{m}" for m in range(rng.randint(0, 2)))]
                for n in people
            ]
        self.shared = (
            ["anonymous_id:a1", "anonymous_id:a2", "phone:p1"][: rng.randint(1, 3)] if mode == "newest" else []
        )
        self.all = [node for person in self.people for node in person] + self.shared


def _nodes(rng: Random, mode: str, names: _Names) -> tuple[str, ...]:
    person = rng.choice(names.people)
    most = 1 if mode == "solo" else rng.choice((1, 2, 2, 3))
    nodes = dict.fromkeys(rng.sample(person, min(most, len(person))))
    if mode == "newest" and rng.random() < 0.7:
        nodes[rng.choice(names.shared)] = None
    spaces = {node.partition(":")[0]: node for node in nodes}  # an event names one value of each namespace
    return tuple(spaces[space] for space in MOST if space in spaces)


def _happening(rng: Random, mode: str, names: _Names, number: int) -> Happening:
    types = ["seen"] * 5 + ["put"] * 4 + ["bought"] * 3 + ["told"] * 3 + ["returned"]
    if mode == "any":
        types.append("logged_out")
    kind = rng.choice(types)
    nodes = () if kind == "returned" else _nodes(rng, mode, names)
    topic = names.topic if mode == "solo" else rng.choice(("channel.web", "channel.web", "channel.shop"))
    key = nodes[0] if nodes else f"order:o{number % 3}"
    keys = (key,) if mode == "solo" else (key, key, key, *nodes, rng.choice(names.all), "")
    behind = rng.choice((0, 0, 0, 0, rng.randint(1, 9) * SECOND, LATENESS + rng.randint(60, 300) * SECOND))
    again = tuple(rng.choice(keys) for _ in range(rng.choice((0, 0, 0, 1, 2))))
    return Happening(f"e{number}", kind, nodes, _data(rng, kind, number), topic, rng.choice(keys), behind, again)


def _data(rng: Random, kind: str, number: int) -> dict[str, object]:
    match kind:
        case "put":
            return {"sku": rng.choice(("x", "y"))} if rng.random() < 0.5 else {}
        case "bought":
            return {"order": f"o{number}", "total": float(rng.randint(1, 9))}
        case "told":
            return {"word": rng.choice(("yes", "yes", "no"))}
        case "returned":
            return {"order": f"o{rng.randint(0, max(0, number))}"}
    return {}


def _level(rng: Random, name: str, sku: str) -> Happening:
    behind = rng.choice((0, 0, rng.randint(1, 9) * SECOND))
    return Happening(name, "level", (), {"sku": sku, "qty": rng.choice((0, 3, 5))}, "channel.stock", "", behind, ())
