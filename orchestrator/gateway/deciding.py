"""What a customer should see now, and what is known of them: asked of the worker that owns them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from orchestrator.gateway.asking import Asker
from orchestrator.gateway.credentials import Credential, Credentials
from orchestrator.gateway.events import Ready, Tokens, identifier_problems, redeem, undeclared_channel
from orchestrator.gateway.intake import Intake
from orchestrator.gateway.json_input import field_path
from orchestrator.gateway.models import DecideBody
from orchestrator.gateway.observer import Observer
from orchestrator.gateway.refusals import Malformed, Problem, TooMany, Unavailable, Unknown, malformed
from orchestrator.gateway.rules import ReleaseRules
from orchestrator.language.source.nearest import nearest
from orchestrator.model.reason import FALLBACK
from orchestrator.stream.asking_wire import Answer, EventName, Question

RESERVED_ATTRIBUTES: Final = frozenset({"slot", "channel", "identifier", "known", "linked"})
"""Names that conditions read as `ask.NAME` and that only the product itself may set."""


class Decision(msgspec.Struct):
    """The answer to one question, and what became of what came with it."""

    answer: Answer | None
    answers: dict[str, Any]
    event: Ready | None = None
    event_accepted: bool = False
    token: str = ""


class Decider:
    """Asks owners, and falls back where they do not answer in time.

    Args:
        intake: takes in the events that come with questions.
        asker: asks the owners.
        tokens: verifies signed link tokens.
        credentials: whose share a question counts against.
        observer: told of what happens.
        now: the wall clock, ms.
        clock: a monotonic clock, s; the asker's.
    """

    def __init__(
        self,
        *,
        intake: Intake,
        asker: Asker,
        tokens: Tokens,
        credentials: Credentials,
        observer: Observer,
        now: Callable[[], int],
        clock: Callable[[], float],
    ) -> None:
        self._intake = intake
        self._asker = asker
        self._tokens = tokens
        self._credentials = credentials
        self._observer = observer
        self._now = now
        self._clock = clock

    async def decide(self, body: DecideBody, credential: Credential) -> Decision:
        """Answer every slot by the deadline.

        Raises:
            Forbidden: the caller may not send events of the channel.
            Malformed: the question, or the event that came with it, is not what it should be.
            TooMany: the caller's share is used up.
            Unavailable: the tenant has no release.
        """
        until = self._clock() + body.deadline_ms / 1000
        rules = self._intake.rules(credential.tenant)
        reserved = sorted(RESERVED_ATTRIBUTES & body.attributes.keys())
        if reserved:
            raise malformed([Problem(f"attributes.{name}", "is set by the product itself") for name in reserved])
        declared = rules.channels | self._intake.channels
        if body.channel not in declared:
            raise malformed([Problem("channel", undeclared_channel(body.channel, declared))])
        if body.event is not None:
            decision = await self._with_event(body, body.event, credential, until)
        else:
            decision = await self._without_event(body, credential, rules, until)
        return self._filled(decision, body, rules)

    async def context(self, identifier: str, credential: Credential, deadline_ms: int) -> Answer:
        """What is known of a customer.

        Raises:
            Malformed: the identifier is none of the release's.
            TooMany: the caller's share is used up.
            Unavailable: the owner did not answer in time, or the tenant has no release.
            Unknown: nobody is known by this identifier.
        """
        until = self._clock() + deadline_ms / 1000
        node = _node(identifier, self._intake.rules(credential.tenant))
        self._credentials.spend(credential, 1)
        question = Question(credential.tenant, node, None, (), {}, deadline_ms, context=True)
        answer = await self._ask(question, until)
        if answer is None:
            raise Unavailable("the owner of this customer did not answer in time", retry_after=1.0)
        if answer.context is None:
            raise Unknown("nobody is known by this identifier")
        return answer

    async def _with_event(
        self, body: DecideBody, event: dict[str, Any], credential: Credential, until: float
    ) -> Decision:
        ready = self._judge_event(body, event, credential.tenant)
        started = self._clock()
        try:
            async with asyncio.timeout(max(0.0, until - self._clock())):
                await self._intake.write([ready], credential)
        except TooMany:
            raise
        except (TimeoutError, Unavailable):
            self._observer.asked(FALLBACK, self._clock() - started)
            return Decision(None, {}, ready, event_accepted=False, token=ready.token)
        name = EventName(ready.id, ready.source)
        answer = await self._ask(_question(body, credential.tenant, ready.node or "", name), until)
        return Decision(answer, {}, ready, event_accepted=True, token=ready.token)

    def _judge_event(self, body: DecideBody, event: dict[str, Any], tenant: str) -> Ready:
        event.setdefault("channel", body.channel)
        if body.token is not None:
            event.setdefault("token", body.token)
        try:
            [ready] = self._intake.judge([orjson.dumps(event)], tenant, batch=False)
        except Malformed as refusal:
            problems = [Problem(_below("event", one.path), one.message) for one in refusal.problems]
            raise malformed(problems) from None
        if ready.node is None:
            raise malformed([Problem("event", "is an event of the brand: it names nobody to decide for")])
        return ready

    async def _without_event(
        self, body: DecideBody, credential: Credential, rules: ReleaseRules, until: float
    ) -> Decision:
        node, token = self._whom(body, credential.tenant, rules)
        self._credentials.spend(credential, 1)
        answer = await self._ask(_question(body, credential.tenant, node, None), until)
        return Decision(answer, {}, token=token)

    def _whom(self, body: DecideBody, tenant: str, rules: ReleaseRules) -> tuple[str, str]:
        """The node that is asked about, and what became of the token that came along."""
        named = _named(body, rules)
        token = ""
        if body.token is not None:
            token = self._redeem(body.token, named, tenant, rules)
            self._observer.token(token)
        problems = [Problem(path, message) for path, message in identifier_problems(named, rules, "identifiers")]
        node = None if problems else rules.strongest(named)
        if node is None:
            known = ", ".join(rules.naming)
            raise malformed(problems or [Problem("identifiers", f"names nobody; one of these is needed: {known}")])
        return node, token

    def _redeem(self, token: str, named: dict[str, Any], tenant: str, rules: ReleaseRules) -> str:
        """Put whom a token names into `named`; say what became of it.

        Where a link binds the browser that opens it first, only the event that carries the token can tell whether
        this is that browser: a forwarded link must not show one customer's answers to another.
        """
        mark, redeemed = redeem(named, token, tenant, rules, self._tokens, self._now())
        if redeemed is None:
            return mark
        if rules.redeem_once:
            return "unbound"
        named[redeemed.namespace] = redeemed.value
        return mark

    async def _ask(self, question: Question, until: float) -> Answer | None:
        started = self._clock()
        answer = await self._asker.ask(question, until)
        self._observer.asked("answered" if answer is not None else FALLBACK, self._clock() - started)
        return answer

    def _filled(self, decision: Decision, body: DecideBody, rules: ReleaseRules) -> Decision:
        """The decision with an answer for every slot that was asked for."""
        given: Mapping[str, Any] = decision.answer.answers if decision.answer is not None else {}
        said = body.attributes.get("language")
        language = said if isinstance(said, str) else ""
        decision.answers = {
            slot: given[slot] if slot in given else rules.fallback(slot, body.channel, language) for slot in body.slots
        }
        return decision


def _question(body: DecideBody, tenant: str, node: str, event: EventName | None) -> Question:
    ask = {**body.attributes, "channel": body.channel}
    return Question(tenant, node, event, tuple(body.slots), ask, body.deadline_ms, body.context)


def _named(body: DecideBody, rules: ReleaseRules) -> dict[str, Any]:
    """Whom the question names, by namespace.

    Raises:
        Malformed: a namespace is not declared, or has two values: another customer than was meant could answer.
    """
    named: dict[str, Any] = dict(body.identifiers)
    known = (*rules.identifiers, *rules.references)
    unknown = [
        Problem(field_path("identifiers", name), f"is not a declared namespace{_hint(name, known)}")
        for name in named
        if name not in known
    ]
    if unknown:
        raise malformed(unknown)
    if body.identifier is not None:
        node = _node(body.identifier, rules)
        namespace, _, value = node.partition(":")
        if namespace in named and rules.node(namespace, named[namespace]) != node:
            raise malformed([Problem("identifier", f"names somebody else than identifiers.{namespace}")])
        named[namespace] = value
    return named


def _hint(name: str, known: Sequence[str]) -> str:
    near = nearest(name, known)
    return f"; did you mean {near!r}?" if near is not None else f"; declared are: {', '.join(known)}"


def _node(identifier: str, rules: ReleaseRules) -> str:
    namespace, colon, value = identifier.partition(":")
    known = rules.naming
    if not colon or namespace not in known:
        message = f"must read NAMESPACE:VALUE, with one of the namespaces {', '.join(known)}"
        raise malformed([Problem("identifier", message)])
    node = rules.node(namespace, value)
    if node is None:
        raise malformed([Problem("identifier", f"cannot be read as {namespace}")])
    return node


def _below(parent: str, path: str) -> str:
    return f"{parent}.{path}" if path else parent
