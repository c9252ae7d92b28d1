"""One token, one spelling: what is redeemed once could else come again in another writing, and a long one costs."""

from __future__ import annotations

import pytest

from orchestrator.model.tokens import MAX_LENGTH, Claims, ForgedTokenError, sign, verify

KEY = b"k" * 32
NOW = 1_772_000_000_000
AMY = Claims("default/email:amy@example.com", NOW, NOW + 1000, "id-1")
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("foreign", [" ", "\n", "!", ".", "=", "é"])
def test_foreign_characters_between_do_not_make_another_token_that_counts(foreign: str) -> None:
    token = sign(AMY, KEY)
    for at in (3, len(token) // 2, len(token)):
        with pytest.raises(ForgedTokenError):
            verify(token[:at] + foreign + token[at:], [KEY], NOW)


def test_of_the_last_characters_that_mean_the_same_bytes_one_counts() -> None:
    tokens = [sign(Claims(AMY.node + "x" * more, NOW, NOW + 1000, "id-1"), KEY) for more in range(3)]
    for token in tokens:
        others = [token[:-1] + digit for digit in DIGITS if digit != token[-1]]
        for other in others:
            with pytest.raises(ForgedTokenError):
                verify(other, [KEY], NOW)
        assert verify(token, [KEY], NOW)


def test_a_token_longer_than_any_of_ours_is_refused_before_it_is_looked_at() -> None:
    token = sign(Claims("default/email:" + "a" * MAX_LENGTH, NOW, NOW + 1000, "id-1"), KEY)
    assert len(token) > MAX_LENGTH
    with pytest.raises(ForgedTokenError, match="not a token"):
        verify(token, [KEY], NOW)
