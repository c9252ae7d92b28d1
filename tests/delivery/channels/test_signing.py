import base64

import pytest

from orchestrator.delivery.channels.signing import SignatureError, read_secret, sign, verify

# The published example of Standard Webhooks.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

KEY = read_secret(SECRET)
NEXT_KEY = b"n" * 32


def test_the_published_example_gives_the_published_signature() -> None:
    assert sign(MESSAGE, AT, BODY, [KEY]) == SIGNATURE
    verify(MESSAGE, str(AT), BODY, SIGNATURE, [KEY], AT)


def test_during_a_rotation_either_key_verifies() -> None:
    signature = sign(MESSAGE, AT, BODY, [NEXT_KEY, KEY])
    assert signature.split(" ")[1] == SIGNATURE
    for key in (KEY, NEXT_KEY):
        verify(MESSAGE, str(AT), BODY, signature, [key], AT)
    with pytest.raises(SignatureError):
        verify(MESSAGE, str(AT), BODY, signature, [b"x" * 32], AT)


@pytest.mark.parametrize(
    ("message", "timestamp", "body"),
    [("msg_other", AT, BODY), (MESSAGE, AT + 1, BODY), (MESSAGE, AT, BODY + b" "), (MESSAGE, AT, b"")],
)
def test_what_was_changed_does_not_verify(message: str, timestamp: int, body: bytes) -> None:
    with pytest.raises(SignatureError):
        verify(message, str(timestamp), body, SIGNATURE, [KEY], AT)


@pytest.mark.parametrize("now", [AT - 301, AT + 301])
def test_a_replay_after_five_minutes_is_refused(now: int) -> None:
    with pytest.raises(SignatureError):
        verify(MESSAGE, str(AT), BODY, SIGNATURE, [KEY], now)


@pytest.mark.parametrize("signature", ["", "v1", "v2," + SIGNATURE[3:], "v1,é", "v1a," + SIGNATURE[3:]])
def test_other_schemes_and_noise_are_no_signature(signature: str) -> None:
    with pytest.raises(SignatureError):
        verify(MESSAGE, str(AT), BODY, signature, [KEY], AT)
    with pytest.raises(SignatureError):
        verify(MESSAGE, "²", BODY, SIGNATURE, [KEY], AT)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "whsec_" + base64.b64encode(b"short").decode()])
def test_a_bad_secret_is_refused_without_being_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as refusal:
        read_secret(secret)
    assert secret.removeprefix("whsec_") == "" or secret.removeprefix("whsec_") not in str(refusal.value)
