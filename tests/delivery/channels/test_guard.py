"""Where webhooks may not go: everything that is not the public internet, however it is written."""

import pytest

from orchestrator.delivery.channels.guard import (
    BlockedAddressError,
    UnknownHostError,
    is_public,
    resolve_name,
    safe_address,
)

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "::169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "2002:c0a8:101::1",
    "2001:0:7f00:1:0:0:5601:5601",
    "not an address",
    "",
]
PUBLIC = ["93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "172.32.0.1"]

# What a URL may say for 127.0.0.1 or the metadata service: the system's resolver reads them all as addresses.
DISGUISED = ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "2852039166", "0xa9fea9fe", "localhost"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_blocked(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_not_blocked(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", DISGUISED)
async def test_a_disguised_address_is_blocked_by_what_it_resolves_to(host: str) -> None:
    with pytest.raises((BlockedAddressError, UnknownHostError)):
        await safe_address(host, 80, ())


async def test_one_private_address_among_public_ones_blocks_the_host() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["93.184.216.34", "10.0.0.1"]

    with pytest.raises(BlockedAddressError):
        await safe_address("hook.example", 443, (), resolve)


async def test_the_operator_may_allow_a_host_by_name_or_by_name_and_port_and_nothing_else() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1"]

    assert await safe_address("Hook.internal", 443, {"hook.internal"}, resolve) == "10.0.0.1"
    assert await safe_address("hook.internal", 443, {"hook.internal:443"}, resolve) == "10.0.0.1"
    for allowed in ({"hook.internal:80"}, {"internal"}, {"10.0.0.1"}):
        with pytest.raises(BlockedAddressError):
            await safe_address("hook.internal", 443, allowed, resolve)


async def test_a_host_without_an_address_is_unknown() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return []

    with pytest.raises(UnknownHostError):
        await safe_address("nowhere.example", 443, {"nowhere.example"}, resolve)
    with pytest.raises(UnknownHostError):
        await resolve_name("a" * 70 + ".invalid", 80)
