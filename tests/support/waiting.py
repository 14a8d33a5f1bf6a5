"""Wait in tests for what must happen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

PATIENCE_S = 60.0
"""Only a test that fails waits so long. On a machine with ten times as much to do as it has cores,
what takes a tenth of a second takes seconds. A test that is about a limit of the product sets one
that is far below this, and tells what happens from what would."""


def until(condition: Callable[[], Any], timeout: float = PATIENCE_S) -> Any:
    """Wait for a truthy value and return it; AssertionError with what it last was. The longer it
    has waited, the more rarely it looks."""
    began = time.monotonic()
    while not (value := condition()):
        waited = time.monotonic() - began
        assert waited < timeout, f"not within {timeout} s; last saw {value!r}"
        time.sleep(0.005 + min(waited / 20, 0.2))
    return value
