"""Writes jars.lock anew, when Kafka's version changes: `python -m orchestrator.stream.broker.lock`.

Resolves Kafka and a logger with their dependencies from Maven Central and writes down coordinates, sizes and hashes.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from jgo.maven import MavenContext

from orchestrator.stream.broker.jars import KAFKA_VERSION, MAVEN_CENTRAL

ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
_HEADER = f"""\
# Apache Kafka and what it needs, as resolved from {" and ".join(ROOTS)}.
# One jar a line: Maven coordinates, size in bytes, SHA-256. Written by: python -m orchestrator.stream.broker.lock
"""


def resolve(scratch: Path) -> list[str]:
    """One line of the lock for each jar, sorted; jars come into `scratch`."""
    context = MavenContext(repo_cache=scratch, remote_repos={"central": MAVEN_CENTRAL})
    roots, others = context.resolver.resolve([context.create_dependency(root) for root in ROOTS])
    needed = [*roots, *(other for other in others if other.scope in {"compile", "runtime"})]
    lines = []
    for dependency in needed:
        content = Path(dependency.artifact.resolve()).read_bytes()
        coordinates = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
        lines.append(f"{coordinates} {len(content)} sha256:{hashlib.sha256(content).hexdigest()}\n")
    return sorted(lines)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        lines = resolve(Path(scratch))
    Path(__file__).with_name("jars.lock").write_text(_HEADER + "".join(lines), "utf-8")
    sys.stdout.write(f"jars.lock: {len(lines)} jars\n")


if __name__ == "__main__":
    main()
