"""In which language somebody is told something: by the tags that browsers, phones and people write."""

import pytest

from orchestrator.language.spec.values import Text, nearest_language


@pytest.mark.parametrize(
    ("wanted", "spoken", "found"),
    [
        ("fr", ["de", "fr"], "fr"),
        ("fr-CH", ["de", "fr"], "fr"),
        ("fr-CH", ["fr", "fr-CH"], "fr-CH"),
        ("fr_FR", ["de", "fr"], "fr"),
        ("FR-fr", ["fr-FR", "fr"], "fr-FR"),
        ("de-CH-1996", ["de-CH", "de"], "de-CH"),
        ("zh-Hant-TW", ["zh-Hant", "zh"], "zh-Hant"),
        ("pt", ["pt-BR"], None),
        ("frc", ["fr"], None),
        ("it", ["de", "fr"], None),
        ("", ["de"], None),
        ("fr", [""], None),
        ("", [""], None),
        ("fr-CH", ["fr_CH"], "fr_CH"),
    ],
)
def test_a_tag_is_looked_up_with_its_region_then_without(wanted: str, spoken: list[str], found: str | None) -> None:
    assert nearest_language(wanted, spoken) == found


@pytest.mark.parametrize(("wanted", "told"), [("fr-BE", "Bonjour"), ("de", "Hallo"), ("it-IT", "Hallo"), ("", "Hallo")])
def test_who_speaks_none_of_them_is_told_in_the_default_language(wanted: str, told: str) -> None:
    assert Text({"fr": "Bonjour", "de": "Hallo"}).in_language(wanted, "de") == told


def test_a_text_for_all_is_told_to_who_speaks_none_of_them() -> None:
    assert Text({"": "Lumo"}).in_language("fr-BE", "de") == "Lumo"
    assert Text({"fr": "Bonjour"}).in_language("it", "de") is None
