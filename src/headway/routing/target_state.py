"""What the gateway measures of one target, from the attempts of clients alone.

``now`` is seconds of one clock. A target that was never measured is tried first, as if it answered
at once; while that attempt is under way it is the last choice, so that not everybody follows it.
"""

from __future__ import annotations

from math import exp, exp2
from typing import Protocol

from msgspec import Struct, field

from headway.routing.breaker import Breaker
from headway.routing.recent_times import RecentTimes
from headway.routing.retry_budget import RetryBudget

LATENCY_DECAY_S = 10.0
"""The time in which the weight of earlier latencies falls to 1/e (Finagle's peak EWMA)."""
RATE_DECAY = 0.2
"""The weight of a new rate of tokens, against all earlier ones."""
ERROR_DECAY = 0.2
"""The weight of a new outcome in the share of errors."""
STALE_S = 60.0
"""What was measured before is no longer known."""
ERROR_HALF_LIFE_S = 30.0
MIN_TOKENS = 8
"""Fewer tokens of output say nothing about the rate."""
UNMEASURED_S = 0.0
PENDING_S = 1e6
"""The times of a target that was never measured, without and with an attempt under way."""


class Speed(Struct, gc=False):
    """Of answers of one kind, streams or whole ones."""

    peak_s: float | None = None
    """Until the first token of a stream, or until the end of a whole answer: rises at once to a
    longer time, and decays to shorter ones. None: never measured."""
    measured_at: float | None = None
    tokens_per_second: float | None = None
    """Of output: after the first token of a stream, or over the whole time. None: never
    measured."""
    recent: RecentTimes = field(default_factory=RecentTimes)
    """Of the same times."""

    def observe(self, seconds: float, now: float, tokens: int | None = None) -> None:
        """``tokens`` of output came in the same time."""
        self.recent.values.append((now, seconds))
        peak, at = self.peak_s, self.measured_at
        if peak is None or at is None or seconds >= peak:
            self.peak_s = seconds
        else:
            kept = exp((at - now) / LATENCY_DECAY_S) if now > at else 1.0
            self.peak_s = seconds + (peak - seconds) * kept
        self.measured_at = now
        if tokens is not None and tokens >= MIN_TOKENS and seconds > 0.0:
            rate, old = tokens / seconds, self.tokens_per_second
            self.tokens_per_second = rate if old is None else old + RATE_DECAY * (rate - old)

    def observe_silence(self, seconds: float, now: float) -> None:
        """An attempt ended after ``seconds`` without content: it would have taken longer. Counts
        only where that is longer than usual."""
        if self.peak_s is None or seconds > self.peak_s:
            self.peak_s = seconds
            self.measured_at = now

    def observe_rate(self, tokens: int, seconds: float) -> None:
        """``tokens`` of output came in ``seconds``."""
        if tokens < MIN_TOKENS or seconds <= 0.0:
            return
        rate, old = tokens / seconds, self.tokens_per_second
        self.tokens_per_second = rate if old is None else old + RATE_DECAY * (rate - old)

    def is_stale(self, now: float) -> bool:
        """Never measured, or not lately."""
        return self.measured_at is None or not 0.0 <= now - self.measured_at <= STALE_S


class TargetState(Struct, gc=False):
    breaker: Breaker
    budget: RetryBudget = field(default_factory=RetryBudget)
    """Of further attempts on this target."""
    keys: dict[str, Breaker] = {}
    """By the id of a key: those that the provider refused for this target, or limited."""
    outstanding: int = 0
    """Attempts under way."""
    used_at: float = 0.0
    """When the last one began."""
    streams: Speed = field(default_factory=Speed)
    wholes: Speed = field(default_factory=Speed)
    error_share: float = 0.0
    """At ``errors_at``: see ``errors``."""
    errors_at: float = 0.0

    def speed(self, stream: bool) -> Speed:
        return self.streams if stream else self.wholes

    def admits(self, now: float) -> bool:
        """Whether an attempt may begin, as far as the target is concerned and not its keys."""
        return self.breaker.admits(now)

    def errors(self, now: float) -> float:
        """The share of attempts that failed lately, from 0 to 1. It falls by half in
        ``ERROR_HALF_LIFE_S`` also without attempts."""
        if not self.error_share:
            return 0.0
        return self.error_share * exp2(min(0.0, self.errors_at - now) / ERROR_HALF_LIFE_S)

    def expected_s(self, stream: bool, now: float) -> float:
        """The time to expect of a new attempt: the peak EWMA, once for each attempt under way and
        the new one, and longer the more attempts fail."""
        peak = (self.streams if stream else self.wholes).peak_s
        if peak is None:
            peak = PENDING_S if self.outstanding else UNMEASURED_S
        expected = peak * (self.outstanding + 1)
        return expected if not self.error_share else expected / max(0.05, 1.0 - self.errors(now))

    def observe_outcome(self, failed: bool, now: float) -> None:
        if failed or self.error_share:
            share = self.errors(now)
            self.error_share = share + ERROR_DECAY * ((1.0 if failed else 0.0) - share)
            self.errors_at = now


class TargetStates(Protocol):
    """Where a plan finds what is known of targets and keys."""

    def target(self, target_id: str) -> TargetState:
        """By ``RouteTarget.id``; of an unknown one a new state."""

    def key_blocked_s(self, target_id: str, key_id: str, now: float) -> float:
        """Seconds until the key may be used for the target again; 0: now. A key whose cool-down is
        over, but which another attempt is trying at the moment, is blocked too."""
