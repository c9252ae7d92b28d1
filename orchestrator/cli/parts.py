"""The processes that `orchestrator run` starts: their output, how they end, and that they end with it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from typing import IO, TYPE_CHECKING, Final

from orchestrator.cli.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.cli.settings import Settings

STOP_WITHIN: Final = 40.0
LAST_LINES: Final = 10
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


class Part:
    """A child of this process. What it says is passed on, a line at a time, and its last lines are kept.

    Args:
        name: what its lines begin with where people read them.
        command: of the orchestrator.
        environment: the variables that it gets.
        style: of its log; lines for machines are passed on as they are.
    """

    def __init__(self, name: str, command: tuple[str, ...], environment: dict[str, str], style: str) -> None:
        self.name = name
        self._prefix = "" if style == "json" else f"{name:<8} | "
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._child = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-u", "-m", "orchestrator", *command],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=_end_with_parent if _LIBC is not None else None,  # noqa: PLW1509 - one call of libc, loaded before
        )
        assert self._child.stdout is not None  # noqa: S101 - asked for as a pipe
        self._reader = threading.Thread(target=self._pass_on, args=(self._child.stdout,), daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    @property
    def code(self) -> int | None:
        """Its exit status, negative for a signal; None while it runs."""
        return self._child.poll()

    def farewell(self) -> str:
        """How it ended, and its last lines."""
        code = self._child.wait()
        self._reader.join(1.0)
        how = f"with exit status {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
        lines = "".join(f"\n  {line}" for line in self._last)
        return f"{self.name} has ended {how}; " + (f"its last lines were:{lines}" if lines else "it said nothing")

    def terminate(self) -> None:
        """Ask it to end."""
        if self.code is None:
            self._child.terminate()

    def wait(self, until: float) -> None:
        """Wait for its end; on the monotonic clock's `until` insist."""
        try:
            self._child.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._reader.join(1.0)

    def _pass_on(self, output: IO[bytes]) -> None:
        for raw in output:
            line = raw.decode("utf-8", "replace").rstrip("\n")
            self._last.append(line)
            with contextlib.suppress(OSError):  # nobody reads us any more; the part goes on being read
                sys.stderr.write(f"{self._prefix}{line}\n")
                sys.stderr.flush()


class Processes:
    """The parts, each a child of this process; they end with it, on Linux also when it is killed.

    Args:
        settings: of this command; what its options said goes on to the parts.
        config: the settings file that was named, if any.

    Attributes:
        environment: the variables that each part gets.
        exit_status: what this process is to end with after one of them has: 2 where that part could not start as it
            is set up, else 1.
    """

    def __init__(self, settings: Settings, config: Path | None = None) -> None:
        self._parts: list[Part] = []
        self._style = settings.log.style
        self.exit_status = 1
        self.environment = {
            **os.environ,
            "ORCHESTRATOR_KAFKA__BOOTSTRAP": settings.kafka.bootstrap,
            "ORCHESTRATOR_DATA_DIR": str(settings.data_dir),
        }
        if config is not None:
            self.environment["ORCHESTRATOR_CONFIG"] = str(config)
        if settings.links.key is None:
            self.environment["ORCHESTRATOR_LINKS__KEY_FILE"] = str(own_link_key(settings.data_dir))
        if settings.topics_dir is not None:
            self.environment["ORCHESTRATOR_TOPICS_DIR"] = str(settings.topics_dir)

    def start(self, name: str, *command: str) -> None:
        """Start a part."""
        self._parts.append(Part(name, command, self.environment, self._style))

    def ended(self) -> str | None:
        """Which part has ended, how, and its last lines; None while all run."""
        part = next((each for each in self._parts if each.code is not None), None)
        if part is None:
            return None
        self.exit_status = 2 if part.code == 2 else 1
        return part.farewell()

    def stop(self) -> None:
        """Ask all to end, gateways first so that nothing accepted is left behind; then insist."""
        for part in reversed(self._parts):
            part.terminate()
        until = time.monotonic() + STOP_WITHIN
        for part in self._parts:
            part.wait(until)


def _end_with_parent() -> None:
    """Between fork and exec: be told to stop when whoever started us is gone, however it went."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def own_link_key(folder: Path) -> Path:
    """The file of a key that signs links on this machine: made once, so that links outlive a restart."""
    path = folder / "links.key"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_hex(32))
    except OSError as error:
        raise UserError(
            f"cannot keep a key for links in {folder}: {error.strerror}; choose another data_dir"
        ) from error
    return path
