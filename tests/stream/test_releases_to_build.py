"""In which order a worker builds the releases that it reads: each knows those before it."""

import msgspec
import pytest

from orchestrator.stream.publishing import list_record, release_records
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


def retired(releases: Releases, *names: str, at: int = 9) -> Releases:
    for one in releases.lists("default"):
        if one.release in names:
            releases.apply(*list_record("default", msgspec.structs.replace(one, retired_at=at)))
    return releases


def test_a_retired_release_is_not_built_and_its_files_are_still_there() -> None:
    """Messages that were decided on it are rendered from them, up to days later."""
    releases = retired(read("one", "two", "three"), "one")
    assert releases.to_build("default") == releases.held("default") == ["two", "three"]
    assert releases.before("default") == ["two"]
    assert releases.files("default", "one") == {"a.yaml": b"one"}


def test_a_retired_release_that_is_published_again_counts_and_is_held_when_another_takes_its_place() -> None:
    releases = retired(read("one", "two"), "one")
    for number, release in enumerate(("one", "two"), 10):
        for key, value in release_records("default", release, {"a.yaml": release.encode()}, number, {"cart": 1}):
            releases.apply(key, value)
        assert releases.to_build("default")[-1] == release
        assert {*releases.to_build("default")} == {"one", "two"}


def test_the_release_that_counts_is_held_whatever_is_said_of_it() -> None:
    """Somebody published it again while somebody else looked at who was on it."""
    releases = retired(read("one", "two", "one"), "one")
    assert releases.to_build("default") == ["one", "two", "one"]


def test_a_version_sleeps_that_only_retired_releases_have_and_the_newest_of_them_is_to_be_woken() -> None:
    releases = Releases()
    versions = [{"cart": 1, "demo": 1}, {"cart": 1, "demo": 2}, {"cart": 2, "demo": 2}, {"cart": 3, "demo": 2}]
    for number, held in enumerate(versions):
        for key, value in release_records("default", f"r{number}", {}, number, held):
            releases.apply(key, value)
    assert retired(releases, "r0", "r1", "r2").asleep("default") == {
        ("demo", 1): "r0",
        ("cart", 1): "r1",
        ("cart", 2): "r2",
    }
    releases.recalled.add("r1")
    assert releases.asleep("default") == {("demo", 1): "r0", ("cart", 2): "r2"}


def test_the_list_of_an_earlier_version_of_this_software_can_be_read() -> None:
    releases = Releases()
    releases.apply(b"default/release/one", b'{"release":"one","files":{}}')
    assert [(one.release, one.published_at, one.versions, one.retired_at) for one in releases.lists("default")] == [
        ("one", 0, None, 0)
    ]
