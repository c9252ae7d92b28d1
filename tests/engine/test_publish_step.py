"""`publish`: a story of the brand tells everybody, on each public channel in its own variant."""

import pytest
from play import H, Play

from orchestrator.model.effect import Action, Publication
from orchestrator.stream.lane.outbox import outgoing

NEWS = """
scenario: news
for: brand
entry: {on: level, where: event.qty == 0, key: event.sku, re_entry: always}
steps:
  - {id: post, publish: {content: sold_out, channels: [page, wall], with: {sku: entry.sku}}}
  - {id: tell, emit: {event: told, with: {word: steps.post.outcome, value: steps.post.reason}}}
"""
POST = """
content: sold_out
valid_for: 2h
with: {left: stock("A")}
variants: {page: {text: "{{ sku }} is gone"}, wall: {text: "gone", image: img-1}, email: {subject: S, body: B}}
"""


def sold_out(play: Play, at: int = 0, sku: str = "A", id_: str = "") -> None:
    play.comes("level", at, "", channel="stock", sku=sku, place="web", qty=0, id_=id_)


def posts(play: Play) -> list[Publication]:
    return play.effects(Publication)


def outcomes(play: Play) -> list[tuple[str, str]]:
    return [(one.data["word"], one.data["value"]) for one in play.emitted]


def test_each_channel_gets_a_command_of_its_own() -> None:
    play = Play(NEWS, POST)
    sold_out(play)
    assert [(one.channel, one.content, one.values) for one in posts(play)] == [
        ("page", "sold_out", {"left": 0, "sku": "A"}), ("wall", "sold_out", {"left": 0, "sku": "A"}),
    ]  # fmt: skip
    assert outcomes(play) == [("published", "")]
    assert not play.effects(Action)


def test_its_id_is_that_of_the_step_and_the_channel_and_of_nothing_else() -> None:
    plain, again = Play(NEWS, POST), Play(NEWS, POST, partitions=3)
    sold_out(plain, id_="one")
    sold_out(again, H, id_="other")
    assert [one.id for one in posts(plain)] == [one.id for one in posts(again)]
    assert len({one.id for one in posts(plain)}) == 2


def test_the_same_event_twice_publishes_once_and_a_new_one_once_more() -> None:
    play = Play(NEWS, POST)
    for at in (0, 1, 2):
        sold_out(play, at, id_="same")
    assert len(posts(play)) == 2
    sold_out(play, H)
    assert len({one.id for one in posts(play)}) == 4


def test_what_is_required_and_not_there_is_not_told() -> None:
    play = Play(NEWS, POST + 'requires: stock("A") > 0\n')
    sold_out(play)
    assert posts(play) == []
    assert outcomes(play) == [("suppressed", "out_of_stock")]


def test_another_content_takes_its_place_once() -> None:
    other = 'content: soon\nvariants: {page: {text: "soon"}}'
    play = Play(NEWS, POST + 'requires: stock("A") > 0\ninstead: soon\n', other)
    sold_out(play)
    assert [(one.channel, one.content) for one in posts(play)] == [("page", "soon")]


@pytest.mark.parametrize(("until", "why"), [("timestamp(0)", "expired"), ('timestamp(string(stock("A")))', "error")])
def test_what_is_out_of_date_or_unknown_is_not_told(until: str, why: str) -> None:
    play = Play(NEWS, POST.replace("valid_for: 2h", f"valid_until: {until}"))
    sold_out(play)
    assert outcomes(play) == [("suppressed", why)]


def test_a_channel_that_the_content_does_not_know_is_left_out() -> None:
    play = Play(NEWS, POST.replace('page: {text: "{{ sku }} is gone"}, ', ""))
    sold_out(play)
    assert [one.channel for one in posts(play)] == ["wall"]


def test_it_travels_as_a_command_to_delivery() -> None:
    play = Play(NEWS, POST)
    sold_out(play)
    record = outgoing(posts(play)[0], "default")
    assert record.topic == "actions"
    assert b'"kind":"publish"' in record.value


def test_no_message_to_a_customer_goes_to_a_public_channel() -> None:
    play = Play(
        "scenario: one\nentry: {on: seen}\nsteps: [{id: mail, send: {content: sold_out, channel: [page]}}]", POST
    )
    play.comes("seen")
    assert play.effects(Action) == []
    assert play.reasons("suppressed") == ["no_address"]
