"""The profile: traits by name, and what is always there."""

from typing import TYPE_CHECKING, Any

from orchestrator.engine.functions.said import thread_map
from orchestrator.engine.offers.states import offer_map
from orchestrator.model.customer import IN

if TYPE_CHECKING:
    from collections.abc import Callable

    from orchestrator.engine.context import Context
    from orchestrator.model.customer import Customer


def read_profile(context: "Context", name: str) -> Any:
    """One name of the profile: a trait's value, or what is always present.

    Raises:
        KeyError: no trait of this name is declared.
    """
    trait = context.program.traits.by_name.get(name)
    return trait.read(context) if trait is not None else _PRESENT[name](context)


def newest_ids(customer: "Customer") -> dict[str, str]:
    """Per namespace the newest of the customer's identifiers (by evidence, then the last to come)."""
    newest: dict[str, tuple[int, int, str]] = {}
    for place, (node, member) in enumerate(customer.family.items()):
        if member.state == IN:
            namespace, _, value = node.partition(":")
            candidate = (member.since, place, value)
            if namespace not in newest or candidate > newest[namespace]:
                newest[namespace] = candidate
    return {namespace: value for namespace, (_, _, value) in newest.items()}


def consents(customer: "Customer") -> dict[str, dict[str, bool]]:
    """Channel -> purpose -> granted, as far as anything was said; unknown is false."""
    known: dict[str, dict[str, bool]] = {}
    for name in customer.consents:
        channel, _, purpose = name.partition("/")
        known.setdefault(channel, Granted(customer, channel))[purpose] = is_granted(customer, channel, purpose)
    return Channels(customer, known)


class Granted(dict[str, bool]):
    """Purposes of one channel; what was never said reads as `all` of that channel says, else false."""

    def __init__(self, customer: "Customer", channel: str) -> None:
        super().__init__()
        self.customer, self.channel = customer, channel

    def __missing__(self, purpose: str) -> bool:
        return is_granted(self.customer, self.channel, purpose)


class Channels(dict[str, dict[str, bool]]):
    """Channels; one nobody spoke of grants nothing."""

    def __init__(self, customer: "Customer", known: dict[str, dict[str, bool]]) -> None:
        super().__init__(known)
        self.customer = customer

    def __missing__(self, channel: str) -> dict[str, bool]:
        return Granted(self.customer, channel)


def is_granted(customer: "Customer", channel: str, purpose: str) -> bool:
    """The newest word about this channel and purpose, `all` of either included; on a tie a denial wins."""
    known = customer.consents
    if not known:
        return False
    words = [
        known[name] for name in (f"{channel}/{purpose}", f"{channel}/all", f"all/{purpose}", "all/all") if name in known
    ]
    return bool(words) and max(words, key=lambda word: (word[0], not word[1]))[1]


def is_denied(customer: "Customer", channel: str) -> bool:
    """Whether the newest word about the channel as a whole is a denial: what stops service messages too."""
    known = customer.consents
    words = [known[name] for name in (f"{channel}/all", "all/all") if name in known]
    return bool(words) and not max(words, key=lambda word: (word[0], not word[1]))[1]


def _threads(context: "Context") -> dict[str, Any]:
    return {name: thread_map(thread) for name, thread in context.customer.threads.items()}


def _open_questions(context: "Context") -> int:
    return sum(1 for thread in context.customer.threads.values() if thread.asked > 0)


def _segments(context: "Context") -> list[str]:
    return [name for name in context.program.segments if context.in_segment(name)]


_PRESENT: "dict[str, Callable[[Context], Any]]" = {
    "consent": lambda context: consents(context.customer),
    "id": lambda context: context.customer.person,
    "ids": lambda context: newest_ids(context.customer),
    "known": lambda context: any(
        member.state == IN and context.program.identity.is_unique(node)
        for node, member in context.customer.family.items()
    ),
    "name": lambda _: "",
    "preferred_channel": lambda _: "",
    "preferred_hours": lambda _: "",
    "topics": lambda _: [],
    "language": lambda context: context.program.language,
    "zone": lambda context: context.program.zone,
    "segments": _segments,
    "offers": lambda context: {
        name: offer_map(name, offered, context.at) for name, offered in context.customer.offers.items()
    },
    "threads": _threads,
    "open_questions": _open_questions,
    "version": lambda context: context.customer.version,
}
