from base64 import urlsafe_b64decode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.tokens import (
    CLOCK_SKEW,
    Claims,
    ExpiredTokenError,
    ForgedTokenError,
    sign,
    verify,
)

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = 1_772_000_000_000
AMY = Claims("default/email:amy@example.com", NOW, NOW + 1000, "id-1")


def test_a_token_gives_back_its_claims_until_it_expires() -> None:
    token = sign(AMY, KEY)
    assert verify(token, [KEY], NOW) == AMY
    assert verify(token, [KEY], AMY.expires_at - 1) == AMY
    with pytest.raises(ExpiredTokenError):
        verify(token, [KEY], AMY.expires_at)


def test_the_same_claims_give_the_same_token_so_that_a_copy_of_a_mail_is_the_same_mail() -> None:
    assert sign(AMY, KEY) == sign(AMY, KEY)
    assert sign(AMY, KEY) != sign(msgspec.structs.replace(AMY, node="default/email:ben@example.com"), KEY)


def test_nobody_reads_the_address_in_a_link() -> None:
    raw = sign(AMY, KEY).removeprefix("t1.")
    assert b"amy" not in urlsafe_b64decode(raw + "=" * (-len(raw) % 4))


def test_a_key_can_be_replaced_while_old_tokens_still_count() -> None:
    assert verify(sign(AMY, OTHER), [KEY, OTHER], NOW) == AMY
    with pytest.raises(ForgedTokenError):
        verify(sign(AMY, OTHER), [KEY], NOW)
    with pytest.raises(ForgedTokenError):
        verify(sign(AMY, KEY), [], NOW)


@given(st.data())
def test_a_token_with_any_character_changed_does_not_open(data: st.DataObject) -> None:
    token = sign(AMY, KEY)
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + data.draw(st.sampled_from("ABab01-_=. é").filter(lambda c: c != token[at])) + token[at + 1 :]
    with pytest.raises(ForgedTokenError):
        verify(changed, [KEY], NOW)


@given(st.text(max_size=200))
def test_anything_else_is_refused_and_not_repeated(text: str) -> None:
    for token in (text, f"t1.{text}"):
        with pytest.raises(ForgedTokenError) as refusal:
            verify(token, [KEY], NOW)
        assert len(text) < 8 or text not in str(refusal.value)


def test_each_use_has_its_own_tokens() -> None:
    leave = msgspec.structs.replace(AMY, use="unsubscribe")
    assert verify(sign(leave, KEY), [KEY], NOW, use="unsubscribe") == leave
    with pytest.raises(ForgedTokenError):
        verify(sign(leave, KEY), [KEY], NOW)
    with pytest.raises(ForgedTokenError):
        verify(sign(AMY, KEY), [KEY], NOW, use="unsubscribe")


def test_a_token_from_the_future_is_refused_but_for_clocks_that_differ_a_little() -> None:
    assert verify(sign(AMY, KEY), [KEY], NOW - CLOCK_SKEW)
    with pytest.raises(ForgedTokenError):
        verify(sign(AMY, KEY), [KEY], NOW - CLOCK_SKEW - 1)


def test_short_keys_and_endless_tokens_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 32 bytes"):
        sign(AMY, b"short")
    with pytest.raises(ForgedTokenError):
        verify("t1." + "A" * 5000, [KEY], NOW)


def test_a_truncated_token_does_not_open() -> None:
    token = sign(AMY, KEY)
    for length in range(len(token)):
        with pytest.raises(ForgedTokenError):
            verify(token[:length], [KEY], NOW)
