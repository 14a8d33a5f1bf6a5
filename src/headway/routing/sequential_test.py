"""Compare two targets by a mean, such as the cost of an answer, with a result that is valid
whenever it is looked at.

An ordinary confidence interval that is watched until it excludes zero finds a difference where
there is none far more often than it promises. A confidence sequence holds at all sizes of the
samples at once. This one is the mixture sequential probability ratio test for the difference of
two means (Johari, Koomen, Pekelis, Walsh: "Always Valid Inference: Continuous Monitoring of A/B
Tests", Operations Research 70(3), 2022; Robbins 1970), with the variances estimated from the
samples, as in the asymptotic confidence sequences of Waudby-Smith, Arbour, Sinha, Kennedy and
Ramdas ("Time-uniform central limit theory and asymptotic confidence sequences", Annals of
Statistics 52, 2024). Estimated variances make it valid for samples that
are not small, so nothing is concluded from fewer than ``MIN_SAMPLES`` of each.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, log, sqrt
from typing import Literal

from msgspec import Struct

Verdict = Literal["a is lower", "b is lower", "no difference found"]
MIN_SAMPLES = 100
TUNED_FOR = 1000.0
"""Samples of each at which the interval is the narrowest, compared with what is possible. It is
valid at every size."""


MAX_GROWTH = 10_000.0


class Sample(Struct, frozen=True, gc=False):
    """What was seen of one target."""

    count: int = 0
    mean: float = 0.0
    variance: float = 0.0

    @classmethod
    def of(cls, values: Iterable[float]) -> Sample:
        """Welford's algorithm (1962)."""
        count, mean, squares = 0, 0.0, 0.0
        for value in values:
            count += 1
            difference = value - mean
            mean += difference / count
            squares += difference * (value - mean)
        return cls(count, mean, squares / (count - 1) if count > 1 else 0.0)

    @classmethod
    def from_sums(cls, count: int, total: float, squares: float) -> Sample:
        """From the sums of the values and of their squares, as a database has them."""
        if not count:
            return cls()
        mean = total / count
        above = max(0.0, squares - total * mean)
        return cls(count, mean, above / (count - 1) if count > 1 else 0.0)


class Comparison(Struct, frozen=True, gc=False):
    """``b`` less ``a``: negative where b is lower."""

    difference: float
    low: float
    high: float
    """The true difference is between these at all times, in all but a share of ``alpha`` of such
    comparisons."""

    @property
    def verdict(self) -> Verdict:
        if self.high < 0.0:
            return "b is lower"
        return "a is lower" if self.low > 0.0 else "no difference found"


def compare(a: Sample, b: Sample, alpha: float = 0.05) -> Comparison | None:
    """None while one has fewer than ``MIN_SAMPLES``."""
    if min(a.count, b.count) < MIN_SAMPLES:
        return None
    error = a.variance / a.count + b.variance / b.count
    difference = b.mean - a.mean
    half = _half_width(error, (a.variance + b.variance) / TUNED_FOR, alpha)
    return Comparison(difference, difference - half, difference + half)


def samples_needed(a: Sample, b: Sample, alpha: float = 0.05) -> int | None:
    """About how many more samples, of both together and in the same proportion, tell which is lower
    if the means and the variances stay as they are; 0 where that is told already. None where that
    cannot be said: one has no sample, the means are equal, or it would take more than
    ``MAX_GROWTH`` times as many."""
    if not min(a.count, b.count):
        return None
    growth = max(1.0, MIN_SAMPLES / min(a.count, b.count))
    while growth <= MAX_GROWTH:
        found = compare(_grown(a, growth), _grown(b, growth), alpha)
        if found is not None and found.verdict != "no difference found":
            return ceil((growth - 1.0) * (a.count + b.count))
        growth *= 1.05
    return None


def _grown(sample: Sample, growth: float) -> Sample:
    return Sample(ceil(sample.count * growth), sample.mean, sample.variance)


def _half_width(error: float, tuned: float, alpha: float) -> float:
    """``error`` is the variance of the difference of the means, ``tuned`` what it would be at
    ``TUNED_FOR`` samples of each. With a normal mixture of variance ``mixture``, the interval is
    where the likelihood ratio stays below 1 / alpha."""
    if error <= 0.0:
        return 0.0
    mixture = tuned * _best_ratio(alpha)
    total = error + mixture
    return sqrt(error * total / mixture * (log(total / error) + 2.0 * log(1.0 / alpha)))


def _best_ratio(alpha: float) -> float:
    """The variance of the mixture that makes the interval narrow where ``error`` is ``tuned``, in
    units of ``tuned``: within 1% of the minimum."""
    return -2.0 * log(alpha) + log(-2.0 * log(alpha)) + 1.0
