"""How a worker and delivery end: at once, whatever they hold, with their last line written and the code that counts."""

import subprocess
import sys

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
