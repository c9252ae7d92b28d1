"""Where Kafka's jars come from: a locked list, a cache of the user's, any mirror of Maven Central, checked bytes."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from orchestrator.stream.broker.errors import JarsError
from orchestrator.stream.broker.jars import KAFKA_VERSION, REPOSITORY_VARIABLE, Jar, cache_dir, fetch, read_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

GOOD = b"not really a jar, but bytes to check"


def jar(content: bytes = GOOD, artifact: str = "thing") -> Jar:
    return Jar("org.example", artifact, "1.0", len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that a Maven repository on this machine serves, named as the one to fetch from."""
    root = tmp_path / "maven"
    root.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(REPOSITORY_VARIABLE, f"http://127.0.0.1:{server.server_port}/")
    yield root
    server.shutdown()
    server.server_close()


def publish(root: Path, wanted: Jar, content: bytes) -> Path:
    place = root / "org" / "example" / wanted.artifact / wanted.version / wanted.filename
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    return place


def test_the_lock_names_kafka_itself_and_every_jar_once_with_size_and_hash() -> None:
    jars = read_lock()
    assert f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}" in {each.coordinates for each in jars}
    assert len({(each.group, each.artifact) for each in jars}) == len(jars) > 40
    assert all(each.size > 0 and len(each.sha256) == 64 for each in jars)


def test_a_jar_is_fetched_once_with_progress_in_bytes(mirror: Path, tmp_path: Path) -> None:
    served = publish(mirror, jar(), GOOD)
    seen: list[tuple[int, int]] = []
    paths = fetch(lambda done, total: seen.append((done, total)), tmp_path / "cache", [jar()])
    assert [path.read_bytes() for path in paths] == [GOOD]
    assert seen == [(0, len(GOOD)), (len(GOOD), len(GOOD))]

    served.unlink()
    again: list[tuple[int, int]] = []
    assert fetch(lambda done, total: again.append((done, total)), tmp_path / "cache", [jar()]) == paths
    assert again == []


def test_other_bytes_than_locked_are_refused_and_not_kept(mirror: Path, tmp_path: Path) -> None:
    publish(mirror, jar(), b"x" * len(GOOD))
    with pytest.raises(JarsError, match=r"org\.example:thing:1\.0 from http://127.* not [0-9a-f]{64} as locked"):
        fetch(lambda _done, _total: None, tmp_path / "cache", [jar()])
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_half_written_jar_of_an_earlier_version_of_the_cache_is_fetched_again(mirror: Path, tmp_path: Path) -> None:
    publish(mirror, jar(), GOOD)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / jar().filename).write_bytes(GOOD[:5])
    (path,) = fetch(lambda _done, _total: None, tmp_path / "cache", [jar()])
    assert path.read_bytes() == GOOD


def test_a_repository_without_the_jar_says_which_and_what_to_do(mirror: Path, tmp_path: Path) -> None:
    with pytest.raises(
        JarsError, match=f"does not have org.example:thing:1.0: name a full mirror .* {REPOSITORY_VARIABLE}"
    ):
        fetch(lambda _done, _total: None, tmp_path / "cache", [jar()])


def test_no_network_says_so_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(REPOSITORY_VARIABLE, "http://127.0.0.1:1")
    with pytest.raises(
        JarsError, match=r"cannot fetch Apache Kafka .* from http://127\.0\.0\.1:1 .* Check the network"
    ):
        fetch(lambda _done, _total: None, tmp_path / "cache", [jar()])


def test_the_cache_is_where_the_user_wants_it() -> None:
    assert cache_dir({"ORCHESTRATOR_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert cache_dir({"XDG_CACHE_HOME": "/b"}) == Path("/b/orchestrator")
    assert cache_dir({}) == Path.home() / ".cache" / "orchestrator"
