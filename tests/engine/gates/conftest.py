"""Makes what the tests of the engine share importable: `play`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
