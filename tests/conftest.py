"""Make the helper modules in tests/support importable as ``support.<module>``."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
