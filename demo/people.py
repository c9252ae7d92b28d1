"""Who plays: the customers, and by which names the channels know them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """One customer of the story.

    Attributes:
        name: as the timeline calls them.
        email: their address.
        ids: every `NAMESPACE:VALUE` by which a channel may know them.
    """

    name: str
    email: str
    ids: tuple[str, ...]


AMY = Person("Amy", "amy@example.com", ("anonymous_id:a1", "anonymous_id:a2", "user_id:u-amy", "card_id:c-amy"))
BEN = Person("Ben", "ben@example.com", ("user_id:u-ben",))
EVA = Person("Eva", "eva@example.com", ("user_id:u-eva", "anonymous_id:e2"))
GUS = Person("Gus", "gus@example.com", ("user_id:u-gus",))
STRANGER = Person("a stranger", "", ("anonymous_id:z9",))
HOUSE = Person("the shop", "", ())

CAST = (AMY, BEN, EVA, GUS, STRANGER)


def whose(node: str) -> Person:
    """The person that a node names (`NAMESPACE:VALUE`, its tenant before it or not), or the shop itself."""
    identifier = node.removeprefix("default/")
    for person in CAST:
        if identifier in (f"email:{person.email}", *person.ids):
            return person
    return HOUSE
