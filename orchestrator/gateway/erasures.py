"""Erasing a customer over HTTP: a request becomes a message to the node, the receipt comes from a topic."""

import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from orchestrator.gateway.event_log import EventLog
from orchestrator.gateway.events import Ready
from orchestrator.gateway.refusals import Problem, Unavailable, Unknown, malformed
from orchestrator.gateway.rules import Releases
from orchestrator.model.effect import INPUTS, ErasureReceipt
from orchestrator.model.ids import erasure_id, node_key
from orchestrator.model.message import Erase, encode_message

TOKEN_BYTES: Final = 16
NO_RELEASE_RETRY: Final = 5.0

_decode: Final = msgspec.json.Decoder(ErasureReceipt).decode


class Erasures:
    """Takes requests in, and knows every receipt (the topic `erasures`, held whole: it names nobody, and is small).

    Args:
        releases: who knows each tenant's identifiers.
        log: where requests are written.
        now: the wall clock, ms.
        ack_seconds: how long the broker may take.
    """

    def __init__(self, releases: Releases, log: EventLog, now: Callable[[], int], ack_seconds: float = 5.0) -> None:
        self._releases = releases
        self._log = log
        self._now = now
        self._ack_seconds = ack_seconds
        self._receipts: dict[tuple[str, str], ErasureReceipt] = {}

    def learn(self, key: bytes, value: bytes | None) -> None:
        """Take in one record of the topic.

        Raises:
            ValueError: it is no receipt.
        """
        tenant, _, name = key.decode().partition("/")
        if value is None:
            self._receipts.pop((tenant, name), None)
            return
        try:
            self._receipts[tenant, name] = _decode(value)
        except msgspec.DecodeError as error:
            raise ValueError(f"no receipt of an erasure: {error}") from error

    async def ask(self, tenant: str, identifier: str, token: str | None) -> tuple[str, str]:
        """Ask for everybody whom an identifier leads to be erased; done when the broker has acknowledged.

        Args:
            tenant: whose customer.
            identifier: `NAMESPACE:VALUE`.
            token: of an earlier request that is asked again; None makes one.

        Returns:
            The receipt's id, and the token.

        Raises:
            Malformed: this can be no identifier.
            Unavailable: the tenant has no release, or the broker does not acknowledge.
        """
        rules = self._releases.rules(tenant)
        if rules is None:
            raise Unavailable("no release has been published for this tenant yet", retry_after=NO_RELEASE_RETRY)
        namespace, _, value = identifier.partition(":")
        node = rules.node(namespace, value) if namespace in rules.identifiers else None
        if node is None or rules.strongest({namespace: value}) != node:  # an account is nobody's node
            known = ", ".join(rules.identifiers)
            raise malformed([Problem("identifier", f"must be NAMESPACE:VALUE of a declared namespace: {known}")])
        request = token or secrets.token_hex(TOKEN_BYTES)
        receipt = erasure_id(tenant, request)
        message = encode_message(Erase(node, self._now(), request))
        await self._log.append(
            [Ready(INPUTS, node_key(tenant, node), message, receipt, "gateway", "erase", "", node)], self._ack_seconds
        )
        return receipt, request

    def receipt(self, tenant: str, name: str) -> ErasureReceipt:
        """A receipt as it stands.

        Raises:
            Unknown: there is none (yet): nobody has answered.
        """
        found = self._receipts.get((tenant, name))
        if found is None:
            raise Unknown("no node has answered to an erasure with this receipt, yet")
        return found
