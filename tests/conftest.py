"""Make the helper modules in tests/support importable as ``support.<module>``, and ``bench``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path += [str(Path(__file__).parent), str(Path(__file__).parents[1])]
