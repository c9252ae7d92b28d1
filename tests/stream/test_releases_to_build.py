"""In which order a worker builds the releases that it reads: each knows those before it."""

import pytest

from orchestrator.stream.publishing import release_records
from orchestrator.stream.releases import Releases


def read(*published: str) -> Releases:
    releases = Releases()
    for number, release in enumerate(published):
        for key, value in release_records("default", release, {"a.yaml": release.encode()}, number):
            releases.apply(key, value)
    return releases


@pytest.mark.parametrize(
    ("published", "built"),
    [
        ((), []),
        (("one",), ["one"]),
        (("one", "two", "three"), ["one", "two", "three"]),
        (("one", "two", "one"), ["one", "two", "one"]),
    ],
)
def test_the_release_that_counts_is_built_last_and_knows_all_others(
    published: tuple[str, ...], built: list[str]
) -> None:
    """After a return to an earlier one, those in between know it, too: a partition may still stand on them."""
    assert read(*published).to_build("default") == built
    assert read(*published).to_build("somebody") == []
