"""`make bench`: every benchmark in turn; their figures go to bench/ledger.csv and are listed again at the end.

`python -m bench conditions lint` runs those whose command holds one of the words.
"""

import json
import subprocess
import sys
from typing import Any, Final

from bench.report import Figure, enter, table

BENCHES: Final = (
    ("-m", "bench.engine"),
    ("-m", "bench.fan_out"),
    ("bench/conditions.py",),
    ("bench/lint.py",),
    ("bench/scenario_tests.py",),
    ("bench/lane/tiny.py",),
    ("-m", "bench.e2e.j1"),
    ("-m", "bench.e2e.storm"),
    ("-m", "bench.e2e.latency"),
)


def figures_of(command: tuple[str, ...]) -> tuple[int, list[Figure]]:
    """Run one benchmark, showing what it prints; its exit code and its figures."""
    found = []
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as running:
        for line in running.stdout or ():
            if line.startswith('{"figure"'):
                found.append(_figure(json.loads(line)))
            else:
                print(line, end="", flush=True)
    return running.returncode, found


def _figure(read: dict[str, Any]) -> Figure:
    return Figure(read["figure"], read["value"], read["unit"], read.get("bar"), read.get("holds"))


def main() -> int:
    figures: list[Figure] = []
    failed = []
    words = sys.argv[1:]
    for command in BENCHES:
        if words and not any(word in command[-1] for word in words):
            continue
        print(f"\n== {' '.join(command)}", flush=True)
        code, found = figures_of(command)
        figures += found
        if code:
            failed.append(" ".join(command))
    enter(figures)
    table(
        "All figures", ("figure", "value", "unit", "bar", "holds"),
        [(f.figure, f"{f.value:,}", f.unit, f"{f.bar:,}" if f.bar else "", f.holds if f.bar else "") for f in figures],
    )  # fmt: skip
    for figure in figures:
        print(json.dumps(figure._asdict()), flush=True)
    for name in failed:
        print(f"failed: {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
