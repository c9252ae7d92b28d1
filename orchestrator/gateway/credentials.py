"""Who is calling: bearer keys, the tenant each stands for, what it may do and how much at once."""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from orchestrator.gateway.buckets import TokenBucket
from orchestrator.gateway.refusals import Forbidden, TooMany, Unidentified
from orchestrator.model.event import DEFAULT_TENANT

Scope = Literal["events", "decide", "context", "erase"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
MIN_KEY: Final = 24

_TENANT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_BEARER: Final = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,512}) *", re.IGNORECASE)


@dataclass(frozen=True)
class Credential:
    """One key and what it stands for. The key itself is not kept, only its SHA-256.

    Attributes:
        name: what the key is called in settings and metrics.
        tenant: whose customers it reaches; there is no way to reach another's.
        scopes: what it may do.
        digest: SHA-256 of the key.
        rate: events (or asks) per second, on average.
        burst: how many may come at once.
        channels: whose events it may send; none means all. A key that lives in a browser or at a partner should not
            be able to tell of deliveries, or of anybody's consent.
    """

    name: str
    tenant: str
    scopes: frozenset[Scope]
    digest: bytes = field(repr=False)
    rate: float = 2_000.0
    burst: float = 4_000.0
    channels: frozenset[str] = frozenset()

    @classmethod
    def of_key(
        cls,
        name: str,
        key: str,
        tenant: str,
        scopes: Sequence[Scope],
        rate: float = 2_000.0,
        burst: float = 4_000.0,
        channels: Sequence[str] = (),
    ) -> "Credential":
        """A credential for a key as it stands in the settings.

        Raises:
            ValueError: the key is too short to be one, or the tenant's name cannot stand in a record key.
        """
        if len(key) < MIN_KEY or not _BEARER.fullmatch(f"Bearer {key}"):
            raise ValueError(f"the key {name!r} must have {MIN_KEY} to 512 letters, digits or . _ ~ + / = -")
        if not _TENANT.fullmatch(tenant):
            raise ValueError(f"the tenant of key {name!r} may hold letters, digits, _ . and - only")
        return cls(name, tenant, frozenset(scopes), _digest(key), rate, burst, frozenset(channels))


class Credentials:
    """All keys of this gateway, and how much of its share each has left.

    Without any key everybody is the tenant `default` and may do everything but erase; the server then listens on the
    loopback address only.
    """

    def __init__(self, credentials: Sequence[Credential], clock: Callable[[], float]) -> None:
        self._all = tuple(credentials)
        self._open = not self._all
        if self._open:
            self._all = (Credential("open", DEFAULT_TENANT, frozenset(SCOPES) - {"erase"}, b"", 50_000.0, 100_000.0),)
        self._buckets = {one.name: TokenBucket(one.rate, one.burst, clock) for one in self._all}
        if len(self._buckets) != len(self._all):
            raise ValueError("two keys have the same name")

    @property
    def open(self) -> bool:
        """Whether no key is configured."""
        return self._open

    @property
    def tenants(self) -> frozenset[str]:
        """All tenants that can be reached here."""
        return frozenset(one.tenant for one in self._all)

    def identify(self, authorization: str | None, scope: Scope) -> Credential:
        """Who is calling.

        Every key is compared, each in constant time, so that the time taken says nothing about any of them.

        Raises:
            Unidentified: no key, or an unknown one.
            Forbidden: the key has not this scope.
        """
        found = self._all[0] if self._open else self._find(authorization)
        if scope not in found.scopes:
            raise Forbidden(
                f"without keys nobody may do this: the operator sets gateway.keys.NAME with the scope {scope!r}"
                if self._open
                else f"this key has no scope {scope!r}"
            )
        return found

    def permit(self, credential: Credential, channels: Iterable[str]) -> None:
        """Whether this caller may send events of these channels.

        Raises:
            Forbidden: not of one of them.
        """
        others = sorted(set(channels) - credential.channels) if credential.channels else []
        if others:
            raise Forbidden(f"this key sends no events of channel {others[0]!r}; nothing has been accepted")

    def spend(self, credential: Credential, count: int) -> None:
        """Take `count` events or asks off the caller's share.

        Raises:
            TooMany: it has not that many left.
        """
        wait = self._buckets[credential.name].take(count)
        if wait > 0:
            raise TooMany(f"this key may send {credential.rate:g} events or asks a second", retry_after=wait)

    def _find(self, authorization: str | None) -> Credential:
        match = _BEARER.fullmatch(authorization or "")
        if match is None:
            raise Unidentified("send Authorization: Bearer KEY")
        presented = _digest(match[1])
        found = [one for one in self._all if hmac.compare_digest(one.digest, presented)]
        if not found:
            raise Unidentified("this key is not known here")
        return found[0]


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
