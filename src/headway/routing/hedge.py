"""When a second request is sent because the first one has been silent for longer than is usual.

Dean and Barroso, "The Tail at Scale" (CACM 2013): a hedge after the 95th percentile adds about 5%
of load. Where a target has become slow as a whole its percentile lags behind, so the budget bounds
the share in any case.
"""

from __future__ import annotations

from msgspec import Struct

from headway.routing.target_state import Speed

PERCENT = 95.0
MIN_SAMPLES = 20
"""Fewer recent values say nothing about a 95th percentile."""


def hedge_delay(speed: Speed, now: float) -> float | None:
    """Seconds after which the first content of a target is late. None: too little is known."""
    return speed.recent.percentile(PERCENT, now, MIN_SAMPLES)


class HedgeBudget(Struct, gc=False):
    """At any time, the hedges of a route are at most ``share`` of its calls, and those of all
    routes together at most the share that ``whole`` has."""

    share: float = 0.05
    most: float = 10.0
    """Tokens that are kept: the most hedges in a burst."""
    tokens: float = 0.0
    whole: HedgeBudget | None = None
    """Of all routes."""

    def count_call(self) -> None:
        self.tokens = min(self.most, self.tokens + self.share)
        if self.whole is not None:
            self.whole.count_call()

    @property
    def allows(self) -> bool:
        return self.tokens >= 1.0 and (self.whole is None or self.whole.allows)

    def pay(self) -> None:
        """A hedge starts."""
        self.tokens -= 1.0
        if self.whole is not None:
            self.whole.pay()
