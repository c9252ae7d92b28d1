"""Signed link tokens at the gateway: whose they are, and whose they are not."""

import pytest

from orchestrator.gateway.events import Redeemed
from orchestrator.gateway.tokens import LinkTokens
from orchestrator.model.tokens import Claims, sign

OLD, NEW, THEIRS = b"o" * 32, b"n" * 32, b"t" * 32
NOW = 1_772_439_600_000
TOKENS = LinkTokens({"shop": (NEW, OLD), "theirs": (THEIRS,)})


def token(node: str, key: bytes = NEW, *, expires_at: int = NOW + 1) -> str:
    return sign(Claims(node, NOW - 1000, expires_at, "m-1"), key)


@pytest.mark.parametrize("key", [NEW, OLD])
def test_a_token_names_its_customer_under_the_current_key_and_the_one_before(key: bytes) -> None:
    found = TOKENS.verify("shop", token("shop/email:amy@example.com", key), NOW)
    assert found == Redeemed("email", "amy@example.com")


def test_a_value_may_hold_colons_and_slashes() -> None:
    assert TOKENS.verify("shop", token("shop/user_id:a/b:c"), NOW) == Redeemed("user_id", "a/b:c")


@pytest.mark.parametrize(
    ("tenant", "text"),
    [
        ("shop", "t1.nonsense"),
        ("shop", ""),
        ("shop", token("shop/email:amy@example.com", THEIRS)),
        ("shop", token("theirs/email:amy@example.com", NEW)),
        ("theirs", token("shop/email:amy@example.com", NEW)),
        ("nobody", token("shop/email:amy@example.com", NEW)),
    ],
)
def test_what_is_not_this_tenants_is_invalid(tenant: str, text: str) -> None:
    assert TOKENS.verify(tenant, text, NOW) == "invalid"


def test_a_token_ends_at_its_time() -> None:
    assert TOKENS.verify("shop", token("shop/email:amy@example.com", expires_at=NOW), NOW) == "expired"
