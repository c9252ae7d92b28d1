"""Makes what the tests of identity share importable: `identity_net`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
