"""The channel: the first in its order that is enabled, told by the content, has an address, and consent."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from orchestrator.engine.gates.verdict import Verdict
from orchestrator.engine.profile import newest_ids
from orchestrator.engine.recalls import may_be_sent
from orchestrator.language.cel import CelError
from orchestrator.language.spec.values import nearest_language
from orchestrator.model.reason import NO_ADDRESS, NO_CONSENT

TEXT_FIELDS: Final = ("subject", "preheader", "body", "title", "text", "link", "say")

if TYPE_CHECKING:
    from orchestrator.engine.candidates import Candidate
    from orchestrator.engine.moment import Moment
    from orchestrator.language.spec.content import Content


def channel(candidate: "Candidate", moment: "Moment") -> Verdict | None:
    """Settles channel and address. The clock plays no part in the choice."""
    refused = NO_ADDRESS
    tried: dict[str, str] = {}
    for name in dict.fromkeys(enabled(order(candidate, moment), moment)):
        if not told_on(name, candidate.content, moment) or name in candidate.standing.data.get("tried", ()):
            continue
        address = address_on(name, candidate, moment)
        if not address:
            tried[name] = NO_ADDRESS
        elif not may_be_sent(moment.customer, candidate.class_, name, candidate.content.purpose):
            refused = tried[name] = NO_CONSENT
        else:
            candidate.channel, candidate.address = name, address
            return None
    return Verdict(refused, detail={"tried": tried})


def told_on(name: str, content: "Content", moment: "Moment") -> bool:
    """Whether the content has a variant for a channel; with `language_missing: skip`, in the customer's language."""
    variant = content.variants.get(name)
    if variant is None or content.language_missing != "skip":
        return variant is not None
    language = moment.scope.language()
    texts = [text.by_language for field in TEXT_FIELDS if (text := getattr(variant, field)) is not None]
    return all("" in text or nearest_language(language, text) is not None for text in texts)


def order(candidate: "Candidate", moment: "Moment") -> Iterator[str]:
    """The channels of the step in their order, `preferred` and `last_used` spelled out."""
    given = candidate.step.body.channel or ("preferred",)
    for name in given if not isinstance(given, str) else (given,):
        if name == "preferred":
            yield from preferred(candidate, moment)
        elif name == "last_used":
            yield from last_used(moment)
        else:
            yield name


def preferred(candidate: "Candidate", moment: "Moment") -> Iterator[str]:
    """A declared channel leads, then the last used one (service), then the policy's order."""
    policy = moment.program.policy
    declared = moment.scope.profile["preferred_channel"]
    if declared and (policy is None or policy.preferences.channel == "respect" or candidate.class_ != "marketing"):
        yield declared
    if candidate.class_ == "service":
        yield from last_used(moment)
    yield from policy.preferred_order if policy is not None else ()


def last_used(moment: "Moment") -> Iterator[str]:
    """Channels that the customer used, newest first."""
    used = moment.customer.used
    yield from sorted(used, key=lambda name: (-used[name], name))


def enabled(names: Iterator[str], moment: "Moment", depth: int = 5) -> Iterator[str]:
    """Channels that are on; one that is off gives way to its `next`."""
    for name in names:
        known = moment.program.channels.get(name)
        if known is None or known.sends != "push":
            continue
        if known.enabled:
            yield name
        elif depth:
            yield from enabled(iter(known.next), moment, depth - 1)


def address_on(name: str, candidate: "Candidate", moment: "Moment") -> str:
    """Where the message goes on a channel, "" where there is no address."""
    to = candidate.step.body.to
    if to is not None:
        try:
            return str(moment.value(to, candidate.plan.name, candidate.step.id))
        except CelError:
            return ""
    namespace = moment.program.channels[name].address
    return newest_ids(moment.customer).get(namespace, "") if namespace else ""
