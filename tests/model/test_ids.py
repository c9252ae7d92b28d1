"""Ids that we make: the same in every replay, in every release."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.model.ids import action_id, draw, event_hash, made_id, node_key, person_id, split_key

PARTS = st.lists(st.one_of(st.text(max_size=8), st.integers(-5, 5), st.none()), max_size=4)


def test_ids_do_not_change_from_release_to_release() -> None:
    """Delivery knows a message by its id for days: another id would be another message."""
    assert made_id("a", 1, None) == "0ae764bffd3a17b6454c8d9ebf712311"
    assert action_id("default", "p", "cart", "k", 1, "nudge", 1) == "ac586a27b550d91fbfe51d5f1bd49686"
    assert person_id("default", "email:amy@example.com", 0, 0) == "7869c4eb334be07e7b8ec84014c40724"
    assert event_hash("shop", "e-1").hex() == "cf73a23dc06bd436"
    assert draw("default", "cart", "p") == 39.95


@given(PARTS, PARTS)
def test_different_parts_make_different_ids(one: list[str | int | None], other: list[str | int | None]) -> None:
    """Nothing is joined with a separator that a part may contain."""
    assert (made_id(*one) == made_id(*other)) == (one == other)


@pytest.mark.parametrize(
    "change",
    [{"person": "q"}, {"scenario": "x"}, {"key": "x"}, {"ordinal": 2}, {"step": "x"}, {"visit": 2}, {"tenant": "x"}],
)
def test_everything_that_makes_an_action_another_one_is_in_its_id(change: dict[str, object]) -> None:
    parts = {"tenant": "t", "person": "p", "scenario": "s", "key": "k", "ordinal": 1, "step": "m", "visit": 1}
    assert action_id(**parts) != action_id(**{**parts, **change})  # type: ignore[arg-type]


def test_source_and_id_together_name_an_event() -> None:
    assert event_hash("shop", "1") != event_hash("till", "1")
    assert len(event_hash("shop", "1")) == 8


@given(st.text(max_size=20), st.text(max_size=20))
def test_a_record_key_gives_back_tenant_and_node(tenant: str, value: str) -> None:
    tenant = tenant.replace("/", "")
    assert split_key(node_key(tenant, f"email:{value}")) == (tenant, f"email:{value}")


@pytest.mark.parametrize("key", [b"", b"default", b"default/amy", b"email:amy@example.com"])
def test_any_other_key_is_none_of_ours(key: bytes) -> None:
    with pytest.raises(ValueError, match="TENANT/NAMESPACE:VALUE"):
        split_key(key)


def test_draws_are_spread_evenly_and_stay() -> None:
    draws = [draw("default", "salt", f"p{n}") for n in range(2000)]
    assert all(0 <= ticket < 100 for ticket in draws)
    assert 850 < sum(ticket < 50 for ticket in draws) < 1150
    assert draws[7] == draw("default", "salt", "p7")
    assert draws != [draw("default", "pepper", f"p{n}") for n in range(2000)]
