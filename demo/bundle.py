"""The demo's bundle: the shipped scenarios, with the waits that `demo/scenarios/waits.yaml` shortens."""

from collections.abc import Mapping
from pathlib import Path

import yaml

WAITS = "waits.yaml"


class WaitError(Exception):
    """`waits.yaml` names a text that the shipped bundle does not have exactly once."""


def demo_files(shipped: Path, demo: Path) -> dict[str, bytes]:
    """The files of the demo's bundle by relative path, ready to be linted and published.

    Args:
        shipped: the folder `scenarios`.
        demo: the folder `demo/scenarios`: what is shortened, and tests of the result. The shipped tests, which
            count in hours and days, stay out.

    Raises:
        WaitError: the shipped bundle has changed and the list has not.
    """
    files = {
        str(path.relative_to(shipped)): path.read_bytes()
        for path in sorted(shipped.rglob("*"))
        if path.is_file() and not path.name.endswith("_test.yaml")
    }
    for wait in yaml.safe_load((demo / WAITS).read_text(encoding="utf-8")):
        files[wait["file"]] = _shortened(files.get(wait["file"], b""), wait)
    return files | {path.name: path.read_bytes() for path in sorted(demo.glob("*_test.yaml"))}


def _shortened(content: bytes, wait: Mapping[str, str]) -> bytes:
    before = wait["shipped"].encode()
    if content.count(before) != 1:
        raise WaitError(
            f"{WAITS}: {wait['file']} has the text {wait['shipped']!r} {content.count(before)} times, not once"
        )
    return content.replace(before, wait["demo"].encode())
