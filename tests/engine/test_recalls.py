"""Messages on their way that a denial, a merge or an erasure recalls."""

import pytest
from play import START, H, M, Play

from orchestrator.model.effect import Action
from orchestrator.model.ids import node_key
from orchestrator.model.message import Erase, encode_message

WHO = "user_id:amy email:amy@example.com"
OFFER = """
scenario: offer
entry: {{on: {on}}}
steps: [{{id: mail, send: {{content: hello, channel: email, to: '"amy@example.com"'}}}}]
---
content: hello
class: {class_}
purpose: product
variants: {{email: {{subject: Hello, body: Hello}}}}
"""


def sent(class_: str = "marketing", on: str = "put") -> tuple[Play, Action]:
    """A message was decided a moment ago, for somebody who had agreed."""
    play = Play(OFFER.format(class_=class_, on=on))
    play.comes("told", 0, WHO, word="yes", value="email")
    play.comes("put", 1 * M)
    [action] = play.actions
    return play, action


def recalled(play: Play) -> list[tuple[str, str, str]]:
    return [(one.id, one.person, one.reason) for one in play.withdrawals]


def test_a_denial_recalls_what_is_on_its_way() -> None:
    play, action = sent()
    play.comes("told", 2 * M, word="no", value="email")
    assert recalled(play) == [(action.id, action.person, "no_consent")]
    assert play.told("withdrawn") == [("withdrawn", "offer", "no_consent")]


@pytest.mark.parametrize(("class_", "word", "count"), [
    ("service", "no", 0), ("service", "never", 1), ("transactional", "never", 0), ("marketing", "never", 1),
])  # fmt: skip
def test_only_what_needs_the_consent_is_recalled(class_: str, word: str, count: int) -> None:
    """A denial of one purpose stops marketing for it; of the whole channel, also service; transactional goes on."""
    play, _ = sent(class_)
    play.comes("told", 2 * M, word=word, value="email")
    assert len(play.withdrawals) == count


def test_the_denial_of_another_channel_recalls_nothing() -> None:
    play, _ = sent()
    play.comes("told", 2 * M, word="no", value="sms")
    assert play.withdrawals == []


def test_what_has_arrived_or_lost_its_sense_is_not_recalled() -> None:
    play, action = sent()
    play.comes("delivered", 2 * M, channel="email", message=action.id)
    play.comes("told", 3 * M, word="no", value="email")
    assert play.withdrawals == []
    play, action = sent()
    play.comes("told", action.valid_until - START + H, word="no", value="email")
    assert play.withdrawals == []


def test_a_late_denial_that_a_newer_grant_outweighs_recalls_nothing() -> None:
    play, _ = sent()
    play.comes("told", 2 * M, happened=-1 * M, word="no", value="email")
    assert play.withdrawals == []


def test_a_half_that_had_denied_recalls_what_the_other_has_sent() -> None:
    play, action = sent()
    play.comes("told", 2 * M, "anonymous_id:a1", word="no", value="email")
    assert play.withdrawals == []
    play.comes("seen", 3 * M, "user_id:amy anonymous_id:a1")
    assert recalled(play) == [(action.id, action.person, "no_consent")]


@pytest.mark.parametrize("reason", ["no_consent", "erased"])
def test_a_recall_follows_its_message_though_the_person_id_has_changed_since(reason: str) -> None:
    """The message was decided under the younger half's id; the whole customer goes by the older one's."""
    play = Play(OFFER.format(class_="marketing", on="put"))
    play.comes("seen", 0, "anonymous_id:a1")
    play.comes("told", 1 * M, WHO, word="yes", value="email")
    play.comes("put", 2 * M)
    [action] = play.actions
    play.comes("seen", 3 * M, "user_id:amy anonymous_id:a1")
    assert play.customer().person != action.person
    if reason == "no_consent":
        play.comes("told", 4 * M, word="no", value="email")
    else:
        key, erase = node_key("default", "user_id:amy"), encode_message(Erase("user_id:amy", START + 4 * M))
        play.world.arrive("customer.inputs", key, erase, START + 4 * M)
    assert recalled(play) == [(action.id, action.person, reason)]


def test_a_message_of_an_instance_that_came_with_a_merge_is_recalled_under_that_id() -> None:
    play = Play(
        OFFER.format(class_="marketing", on="put").replace("steps: [", "steps: [{id: pause, delay: {for: 1h}}, ")
    )
    play.comes("seen", 0, "anonymous_id:a1")
    play.comes("told", 1 * M, WHO, word="yes", value="email")
    play.comes("put", 2 * M)
    play.comes("seen", 3 * M, "user_id:amy anonymous_id:a1")
    play.passes(2 * H)
    [action] = play.actions
    assert play.customer().person != action.person
    play.comes("told", 3 * H, word="no", value="email")
    assert recalled(play) == [(action.id, action.person, "no_consent")]
