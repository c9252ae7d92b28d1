"""Lets the tests here share the modules beside them, which worker processes import by plain name too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
