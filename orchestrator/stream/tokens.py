"""Signed links as the lane reads them: a token names its customer, and binds the browser that opens it first."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from orchestrator.engine.identity.merge import TOKENS_KEPT
from orchestrator.engine.identity.rules import IdentityRules
from orchestrator.engine.local_time import utc_text
from orchestrator.model.customer import Customer
from orchestrator.model.event import Event
from orchestrator.model.tokens import Claims, TokenError, verify
from orchestrator.stream.lane.step import Tokens

_json: Final = msgspec.json.Encoder().encode


class SignedTokens(Tokens):
    """Tokens signed with this deployment's keys.

    Args:
        keys: the keys of a tenant, the current one first.
        redeem_once: whether a token binds the first browser that opens it (the bundle's `identity.tokens`).
        tenant: whose events these are.
    """

    def __init__(self, keys: Sequence[bytes], tenant: str, redeem_once: Callable[[], bool]) -> None:
        self._keys = tuple(keys)
        self._tenant = tenant
        self._redeem_once = redeem_once

    def claims(self, token: Any, now: int) -> Claims | None:
        """What a token says; None where it counts for nothing."""
        if not isinstance(token, str):
            return None
        try:
            return verify(token, self._keys, now)
        except TokenError:
            return None

    def resolve(self, event: Event, rules: object, now: int) -> None:
        claims = self.claims(event.data.get("token"), now)
        prefix = f"{self._tenant}/"
        if claims is None or not claims.node.startswith(prefix) or not isinstance(rules, IdentityRules):
            event.data = {name: value for name, value in event.data.items() if name != "token"}
            return
        node = claims.node[len(prefix) :]
        named = {*event.identifiers, node}
        event.identifiers = tuple(sorted(named, key=rules.rank))

    def is_stranger(self, event: Event, customer: Customer) -> bool:
        claims = self.claims(event.data.get("token"), event.received)
        browser = next((node for node in reversed(event.identifiers) if node != event.identifiers[0]), "")
        if claims is None or not browser or not self._redeem_once():
            return False
        bound = customer.tokens.get(claims.token_id)
        if bound is None:
            kept = list(customer.tokens.items())[-TOKENS_KEPT + 1 :]
            customer.tokens = {**dict(kept), claims.token_id: browser}
            return False
        return bound != browser

    def without(self, event: Event) -> bytes:
        event.data = {name: value for name, value in event.data.items() if name != "token"}
        return _json(
            {
                "id": event.id,
                "source": event.source,
                "type": event.type,
                "channel": event.channel,
                "tenant": self._tenant,
                "time": utc_text(event.time),
                "data": event.data,
            }
        )
