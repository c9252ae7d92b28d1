"""How a worker and delivery end: at once, whatever they hold, with their last line written and the code that counts."""

import signal
import socket
import subprocess
import sys

import pytest

LEAVES = """
import threading
from orchestrator.cli.leaving import leave
from orchestrator.telemetry import configure_logging

class Held:
    def __del__(self):
        print("taken apart")

configure_logging("text", "INFO")
state = [Held() for _ in range(3)]
threading.Thread(target=threading.Event().wait).start()  # some library's, that nobody ends
print("the last output", end="")
leave("worker", 3)
"""


def test_a_process_leaves_with_its_code_and_its_last_lines_without_taking_its_state_apart() -> None:
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", LEAVES], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 3
    assert done.stdout == "the last output"
    assert done.stderr.rstrip().endswith("worker stopped")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
@pytest.mark.parametrize("command", ["worker", "deliver", "gateway"])
def test_told_to_stop_while_it_waits_for_kafka_it_ends_well_and_says_nothing_wrong(
    command: str, how: signal.Signals
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent.settimeout(60)
        with subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "orchestrator", command, "--bootstrap", f"127.0.0.1:{silent.getsockname()[1]}"],
            stderr=subprocess.PIPE,
        ) as process:
            connection, _ = silent.accept()
            process.send_signal(how)
            _, said = process.communicate(timeout=60)
            connection.close()
    assert process.returncode == 0
    assert b"Traceback" not in said
