"""A small process between ours and the broker's, so that no broker outlives whoever started it.

It holds the data folder's lock, runs the command it is given, and ends it when told to (SIGTERM), when the pipe on its
standard input closes, or when its parent is gone. (Linux's PR_SET_PDEATHSIG, set by our process, would end the broker
together with the thread that happened to start it; the guard's first thread lives as long as the guard.)

Run as a script, without site packages: `python -I -S guard.py LOCK_FILE SECONDS COMMAND...`. It prints the command's
process id on a line, then nothing. Exit status: the command's, or 75 if another broker holds the folder.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from typing import IO

FOLDER_IN_USE = 75
_GRACE = 20.0
_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> int:
    lock_path, patience, *command = arguments
    parent = os.getppid()
    with open(lock_path, "w", encoding="ascii") as lock:  # noqa: PTH123  # pathlib would double the start
        if not _locked(lock, float(patience)):
            return FOLDER_IN_USE
        on_linux = sys.platform.startswith("linux")
        child = subprocess.Popen(  # noqa: S603  # the command is the broker's, put together by the broker module
            command,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            preexec_fn=_die_with_guard if on_linux else None,  # noqa: PLW1509  # one thread only, up to here
        )
        return _watch(child, parent)


def _watch(child: subprocess.Popen[bytes], parent: int) -> int:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for our process, which then tells us
    with contextlib.suppress(BrokenPipeError):  # who has gone already is noticed below
        sys.stdout.write(f"{child.pid}\n")
        sys.stdout.flush()
    threading.Thread(target=_until_closed, args=(stop,), daemon=True).start()
    while not stop.is_set() and os.getppid() == parent:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(0.1)
    return _end(child)


def _end(child: subprocess.Popen[bytes]) -> int:
    child.terminate()
    try:
        return child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def _until_closed(stop: threading.Event) -> None:
    while os.read(0, 4096):
        pass
    stop.set()


def _locked(lock: IO[str], patience: float) -> bool:
    """Whether the lock was had within `patience` seconds: a broker that is still ending holds it for a moment."""
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        else:
            return True


def _die_with_guard() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
