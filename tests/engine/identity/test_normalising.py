"""One value, however it was written, is one node."""

import pytest

from orchestrator.engine.identity.rules import BadIdentifierError, IdentityRules

RULES = IdentityRules(
    ("user_id", "card_id", "email"),
    ("phone",),
    normalise={"email": ("trim", "lower"), "phone": ("phone",), "card_id": ("digits",)},
    region="FR",
)


@pytest.mark.parametrize(
    ("namespace", "written", "node"),
    [
        ("email", " Amy@Example.COM ", "email:amy@example.com"),
        ("email", "J\u00dcRGEN@example.com", "email:j\u00fcrgen@example.com"),
        ("email", "Ju\u0308rgen@example.com", "email:j\u00fcrgen@example.com"),
        ("phone", "06 12 34 56 78", "phone:+33612345678"),
        ("phone", "+33 6 12 34 56 78", "phone:+33612345678"),
        ("card_id", "12-34 5", "card_id:12345"),
        ("card_id", "\u0661\u0662\u0663", "card_id:123"),
        ("user_id", " Amy ", "user_id: Amy "),
        ("user_id", 7, "user_id:7"),
    ],
)
def test_a_value_is_written_as_its_namespace_says(namespace: str, written: object, node: str) -> None:
    assert RULES.node(namespace, written) == node
    assert RULES.node(namespace, node.partition(":")[2]) == node
    assert RULES.identifiers({namespace: written}) == (node,)


@pytest.mark.parametrize("written", ["", "  ", "a" * 257, True, 1.5, ["a"], None])
def test_what_can_be_no_identifier_is_refused(written: object) -> None:
    with pytest.raises(BadIdentifierError):
        RULES.node("email", written)


def test_digits_of_a_text_without_any_are_none() -> None:
    with pytest.raises(BadIdentifierError, match="card_id must have 1 to 256 characters"):
        RULES.node("card_id", "no digits")
