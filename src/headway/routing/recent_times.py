"""The last durations of one kind, for percentiles."""

from __future__ import annotations

from collections import deque
from math import ceil

from msgspec import Struct, field

KEPT = 256
"""Values; the 95th percentile is the 13th largest of so many."""
MAX_AGE_S = 300.0
"""What is older does not count."""
FRESH_S = 1.0
"""A percentile is computed at most once in this time."""


class RecentTimes(Struct, gc=False):
    values: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=KEPT))
    """Time and duration, the oldest first."""
    _known: tuple[float, float, float | None] | None = None
    """The percentile computed last: percent, time, value."""

    def percentile(self, percent: float, now: float, least: int = 1) -> float | None:
        """Seconds; None of fewer than ``least`` values. It may be ``FRESH_S`` old."""
        known = self._known
        if known is not None and known[0] == percent and 0.0 <= now - known[1] < FRESH_S:
            return known[2]
        counted = sorted(seconds for at, seconds in self.values if abs(now - at) <= MAX_AGE_S)
        enough = len(counted) >= max(1, least)
        found = counted[ceil(percent * len(counted) / 100) - 1] if enough else None
        self._known = (percent, now, found)
        return found
