"""Makes what the tests of delivery share importable: `lane_world`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
