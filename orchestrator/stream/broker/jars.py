"""Apache Kafka's jars: which ones, where they lie, and how they come there.

The lock beside this module names every jar by Maven coordinates, size and SHA-256, so what runs here is what was
tested, whoever serves it. A jar is put in place in one step, after its bytes were checked: fetches that run side by
side, or are broken off, leave nothing half done.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from orchestrator.stream.broker.errors import JarsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KAFKA_VERSION = "4.3.1"
MAVEN_CENTRAL = "https://repo1.maven.org/maven2"
REPOSITORY_VARIABLE = "ORCHESTRATOR_MAVEN_REPOSITORY"
_LOCK = Path(__file__).with_name("jars.lock")
_AT_ONCE = 6


class Progress(Protocol):
    """Told now and then how far a fetch has come."""

    def __call__(self, done: int, total: int) -> None:
        """`done` of `total` bytes are in place."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    size: int
    sha256: str

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def coordinates(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def read_lock(path: Path = _LOCK) -> tuple[Jar, ...]:
    """The jars that the lock file at `path` names, in its order."""
    lines = (line.split() for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#"))
    jars = []
    for coordinates, size, digest in lines:
        group, artifact, version = coordinates.split(":")
        jars.append(Jar(group, artifact, version, int(size), digest.removeprefix("sha256:")))
    return tuple(jars)


def cache_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """This user's folder for what is fetched once: `ORCHESTRATOR_CACHE`, else under `XDG_CACHE_HOME` or `~/.cache`."""
    if own := environment.get("ORCHESTRATOR_CACHE"):
        return Path(own).expanduser()
    if shared := environment.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser() / "orchestrator"
    return Path.home() / ".cache" / "orchestrator"


def missing(jars: Sequence[Jar], folder: Path) -> list[Jar]:
    """Those of `jars` that are not in `folder` at their full size (their content was checked when they came)."""
    return [jar for jar in jars if not _in_place(folder / jar.filename, jar.size)]


def fetch(progress: Progress, folder: Path | None = None, jars: Sequence[Jar] | None = None) -> list[Path]:
    """The paths of Kafka's jars, each fetched from Maven Central if it is not in `folder` yet.

    Args:
        progress: told of the bytes in place; not called at all when nothing is missing.
        folder: where they lie; a folder of this Kafka version in the user's cache unless given.
        jars: which; those of the lock unless given.

    Raises:
        JarsError: a jar cannot be fetched, or has other bytes than the lock says.
    """
    wanted = read_lock() if jars is None else jars
    place = cache_dir() / f"kafka-{KAFKA_VERSION}" if folder is None else folder
    absent = missing(wanted, place)
    if absent:
        _fetch_all(absent, place, progress)
    return [place / jar.filename for jar in wanted]


def _fetch_all(jars: Sequence[Jar], folder: Path, progress: Progress) -> None:
    total, done = sum(jar.size for jar in jars), 0
    progress(0, total)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch,
            ThreadPoolExecutor(_AT_ONCE) as pool,
        ):
            largest_first = sorted(jars, key=lambda jar: -jar.size)
            for jar in pool.map(lambda jar: _fetch_one(jar, folder, Path(scratch)), largest_first):
                done += jar.size
                progress(done, total)
    except OSError as error:  # requests' errors are OSErrors too
        source = _repository()
        raise JarsError(
            f"cannot fetch Apache Kafka {KAFKA_VERSION} from {source} into {folder}: {error}. Check the network and "
            f"the folder, or name a mirror of Maven Central in {REPOSITORY_VARIABLE}"
        ) from error


def _fetch_one(jar: Jar, folder: Path, scratch: Path) -> Jar:
    from jgo.maven import MavenContext  # noqa: PLC0415  # 0.4 s to import, needed once on a machine

    context = MavenContext(repo_cache=scratch, remote_repos={"maven": _repository()}, timeout=30)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        fetched = Path(artifact.resolve())
    except RuntimeError as error:  # what jgo raises for "no repository has it"
        raise JarsError(
            f"{_repository()} does not have {jar.coordinates}: name a full mirror of Maven Central in "
            f"{REPOSITORY_VARIABLE}"
        ) from error
    _check(jar, fetched)
    fetched.replace(folder / jar.filename)
    return jar


def _check(jar: Jar, path: Path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != jar.sha256:
        raise JarsError(
            f"{jar.coordinates} from {_repository()} has SHA-256 {digest}, not {jar.sha256} as locked: "
            "it was damaged on its way or replaced; try again, or use another repository"
        )


def _repository() -> str:
    return os.environ.get(REPOSITORY_VARIABLE, MAVEN_CENTRAL).rstrip("/")


def _in_place(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False
