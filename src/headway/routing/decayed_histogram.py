"""A histogram of durations in which old values weigh less: for percentiles of the last minutes.

Buckets grow by 10%, so a percentile is within 5% of a value that occurred. Weights grow with the
time instead of decaying (forward decay; Cormode, Shkapenyuk, Srivastava, Xu, ICDE 2009), so that
adding a value changes one bucket.
"""

from __future__ import annotations

from itertools import accumulate
from math import ceil, exp2, log

from msgspec import Struct, field

GROWTH = 1.1
SMALLEST_S = 1e-3
"""What is shorter is in the first bucket."""
BUCKETS = 150
"""Up to 25 minutes; what is longer is in the last one."""
_PER_LOG = 1 / log(GROWTH)
_MIDDLE = 2 / (GROWTH + 1)
RESCALE_AFTER = 30.0
"""Half-lives, after which weights are brought down again: far from the limits of a float."""
FRESH_S = 1.0
"""A percentile is computed at most once in this time."""


class DecayedHistogram(Struct, gc=False):
    half_life_s: float = 120.0
    """The time in which the weight of a value falls by half."""
    _weights: list[float] = field(default_factory=lambda: [0.0] * BUCKETS)
    _total: float = 0.0
    _start: float = 0.0
    """The time at which a new value has the weight 1."""
    _known: tuple[float, float, float | None] | None = None
    """The percentile computed last: percent, time, value."""

    def add(self, seconds: float, now: float) -> None:
        age = (now - self._start) / self.half_life_s
        if age > RESCALE_AFTER or age < 0.0:
            self._rescale(now, age)
            age = 0.0
        bucket = ceil(log(seconds / SMALLEST_S) * _PER_LOG) if seconds > SMALLEST_S else 0
        weight = exp2(age)
        self._weights[bucket if bucket < BUCKETS else -1] += weight
        self._total += weight

    def count(self, now: float) -> float:
        """The values, each with its weight."""
        return self._total * exp2(-max(0.0, now - self._start) / self.half_life_s)

    def percentile(self, percent: float, now: float) -> float | None:
        """Seconds; None without values. It may be ``FRESH_S`` old."""
        known = self._known
        if known is not None and known[0] == percent and 0.0 <= now - known[1] < FRESH_S:
            return known[2]
        found = self._find(percent)
        self._known = (percent, now, found)
        return found

    def _find(self, percent: float) -> float | None:
        if self._total <= 0.0:
            return None
        wanted = percent / 100 * self._total * (1 - 1e-9)  # sums of floats may be a little less
        sums = accumulate(self._weights)
        bucket = next((at for at, weight in enumerate(sums) if weight >= wanted), BUCKETS - 1)
        return SMALLEST_S * GROWTH**bucket * _MIDDLE

    def _rescale(self, now: float, age: float) -> None:
        """Make ``now`` the start. A clock that stepped back keeps the weights."""
        if age > 0.0:
            factor = exp2(-min(age, 1000.0))
            self._weights = [weight * factor for weight in self._weights]
            self._total = sum(self._weights)
        self._start = now
