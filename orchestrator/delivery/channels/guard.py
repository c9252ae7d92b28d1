"""Where a webhook may go: public addresses only, unless the operator named the host.

A name is resolved once and the connection goes to that very address: a name server that answers differently the
second time gains nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

Resolve = Callable[[str, int], Awaitable[list[str]]]

_NAT64: Final = (ip_network("64:ff9b::/96"), ip_network("64:ff9b:1::/48"))
_COMPATIBLE: Final = ip_network("::/96")
_SPECIAL: Final = (
    ip_network("192.0.0.0/24"),  # protocol assignments
    ip_network("192.88.99.0/24"),  # 6to4 relays, withdrawn
    ip_network("100.64.0.0/10"),  # carriers' own
    ip_network("fec0::/10"),  # site-local, withdrawn
)


class BlockedAddressError(Exception):
    """The host is, or resolves to, an address that a webhook may not reach."""


class UnknownHostError(Exception):
    """The host has no address right now."""


def is_public(address: str) -> bool:
    """Whether an IP address is one on the public internet, also when it carries another one inside."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner(parsed) if isinstance(parsed, IPv6Address) else None
    if inner is not None:
        return _is_public(inner)
    return _is_public(parsed)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in _SPECIAL if network.version == address.version):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that an IPv6 address stands for: mapped, compatible, 6to4, Teredo, NAT64."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64) or address in _COMPATIBLE:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


async def resolve_name(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver knows them.

    Raises:
        UnknownHostError: there are none.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        raise UnknownHostError(f"the host has no address: {type(fault).__name__}") from None
    return [str(address[0]) for *_, address in found]


async def safe_address(host: str, port: int, allowed: Collection[str], resolve: Resolve = resolve_name) -> str:
    """The address to connect to, resolved this once.

    Args:
        host: as the URL names it.
        port: the port.
        allowed: hosts, or `HOST:PORT`, that the operator allows explicitly although they are not public.
        resolve: the name service.

    Raises:
        BlockedAddressError: any of the host's addresses is not public, and the host is not allowed explicitly.
        UnknownHostError: it has no address.
    """
    addresses = await resolve(host, port)
    if not addresses:
        raise UnknownHostError("the host has no address")
    if host.lower() in allowed or f"{host.lower()}:{port}" in allowed:
        return addresses[0]
    if not all(is_public(address) for address in addresses):
        raise BlockedAddressError("the host is not on the public internet; the channel's allow_hosts may name it")
    return addresses[0]
