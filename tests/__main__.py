"""`python -m tests`: all tests in two processes, one for those in which processes die and come back on a real Kafka.

They take about as long as all others, so two cores are used. Every line says which half it is of; the exit code is 0
only where both pass.
"""

import subprocess
import sys
from collections.abc import Mapping
from threading import Thread
from typing import IO, Final

HALVES: Final[Mapping[str, tuple[str, ...]]] = {
    "e2e": ("tests/e2e", "tests/contract"),
    "rest": ("--ignore=tests/e2e", "--ignore=tests/contract"),
}
ALL_PASSED: Final = 0


def main() -> int:
    """Run both halves; tells at the end which failed."""
    running = {name: _start(which) for name, which in HALVES.items()}
    readers = [Thread(target=_repeat, args=(name, half.stdout)) for name, half in running.items()]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    codes = {name: half.wait() for name, half in running.items()}
    for name, code in codes.items():
        sys.stdout.write(f"{name}: {'passed' if code == ALL_PASSED else f'failed, pytest ended with {code}'}\n")
    return int(any(codes.values()))


def _start(which: tuple[str, ...]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pytest", *which, *sys.argv[1:]]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: S603


def _repeat(name: str, output: IO[str] | None) -> None:
    for line in output or ():
        sys.stdout.write(f"{name} | {line}")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
