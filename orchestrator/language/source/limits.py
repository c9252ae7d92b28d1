"""How large a file of a bundle may be. What is larger is refused before it costs anything."""

from __future__ import annotations

from typing import Final

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 32
MAX_NODES: Final = 100_000
