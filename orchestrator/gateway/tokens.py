"""Signed link tokens at the gateway: whose they are, as the key that the tenant's links were signed with says."""

from collections.abc import Mapping, Sequence

from orchestrator.gateway.events import Redeemed
from orchestrator.model.ids import split_key
from orchestrator.model.tokens import ExpiredTokenError, ForgedTokenError, verify


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
