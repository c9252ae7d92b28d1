"""Signed link tokens at the gateway: whose they are, as the key that the tenant's links were signed with says."""

from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.gateway.events import Redeemed
from orchestrator.model.ids import split_key
from orchestrator.model.tokens import ExpiredTokenError, ForgedTokenError, verify


class Leaving(msgspec.Struct, frozen=True):
    """A customer's word that messages of a channel are unwanted, as an unsubscribe link carries it.

    `message` is the id of the message in which the link stood.
    """

    tenant: str
    channel: str
    namespace: str
    value: str
    message: str


class LinkTokens:
    """Verifies tokens with each tenant's keys, the current one first, then those it replaced."""

    def __init__(self, keys: Mapping[str, Sequence[bytes]]) -> None:
        self._keys = keys

    def verify(self, tenant: str, token: str, now: int) -> Redeemed | str:
        """What a token stands for, or why it is dropped: `invalid` (also that of another tenant), `expired`."""
        try:
            claims = verify(token, self._keys.get(tenant, ()), now)
            of_tenant, node = split_key(claims.node.encode())
        except ExpiredTokenError:
            return "expired"
        except ForgedTokenError:
            return "invalid"
        if of_tenant != tenant:
            return "invalid"
        namespace, _, value = node.partition(":")
        return Redeemed(namespace, value)

    def leaving(self, token: str, now: int) -> Leaving | str:
        """Who does not want which messages any more, or why the token says nothing: `invalid`, `expired`.

        The request brings no key of a caller, so the token itself says whose customer it is: every tenant's keys are
        tried, and only what a tenant's own key has signed for that tenant counts.
        """
        outcome = "invalid"
        for tenant, keys in self._keys.items():
            try:
                claims = verify(token, keys, now, use="unsubscribe")
                of_tenant, node = split_key(claims.node.encode())
            except ExpiredTokenError:
                outcome = "expired"
                continue
            except ForgedTokenError:
                continue
            if of_tenant == tenant:
                namespace, _, value = node.partition(":")
                return Leaving(tenant, claims.channel or "email", namespace, value, claims.token_id)
        return outcome
