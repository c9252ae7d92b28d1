"""POST /v1/decide: a slip in a question is told, rather than answered as if it were somebody else's."""

from typing import Any

import pytest

House = Any


def question(**more: Any) -> dict[str, Any]:
    return {"identifier": "anonymous_id:a2", "channel": "web", "slots": ["web.lp.body"], "deadline_ms": 10, **more}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("context", 0, "must be true or false"),
        ("context", "yes", "must be true or false"),
        ("deadline_ms", "100", "must be an integer"),
        ("deadline_ms", True, "must be an integer"),
        ("deadline_ms", 100.5, "must be an integer"),
        ("deadline_ms", None, "must be an integer"),
    ],
)
async def test_a_value_of_another_type_is_not_guessed_at(house: House, name: str, value: Any, message: str) -> None:
    """Whoever checks by the description and whoever asks the gateway hear the same."""
    response = await house.decide(question(**{name: value}))
    assert response.status_code == 422
    assert response.json()["problems"] == [{"path": name, "message": message}]


async def test_a_whole_number_may_have_a_decimal_point(house: House) -> None:
    """JSON has one kind of number, and some languages write 100 as 100.0."""
    assert (await house.decide(question(deadline_ms=10.0))).status_code == 200


async def test_an_identifier_of_a_namespace_that_nobody_knows_is_told(house: House) -> None:
    """The other one would be asked about, who is perhaps somebody else."""
    body = question(identifiers={"emial": "amy@example.com", "anonymous_id": "a2"})
    del body["identifier"]
    response = await house.decide(body)
    assert response.status_code == 422
    assert response.json()["problems"] == [
        {"path": "identifiers.emial", "message": "is not a declared namespace; did you mean 'email'?"}
    ]


async def test_two_values_for_one_namespace_are_told(house: House) -> None:
    response = await house.decide(question(identifiers={"anonymous_id": "a3"}))
    assert response.status_code == 422
    assert response.json()["problems"] == [
        {"path": "identifier", "message": "names somebody else than identifiers.anonymous_id"}
    ]
    same = await house.decide(question(identifier="email:Amy@Example.com", identifiers={"email": "amy@example.com "}))
    assert same.status_code == 200
