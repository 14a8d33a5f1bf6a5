"""How many retries a target may get, so that retries cannot make its failure worse.

Every call that comes to the target adds ``share`` of a token, and time adds a few, so that a
single user is not locked out. A retry on the target that just failed pays a token when it starts,
and there is none without. An attempt that comes from another target or another key is never
refused, as a call comes to a target but once: so a healthy one takes all of what its neighbour
drops. It pays when it fails, so that a target that fails for its neighbour's calls, too, gets fewer
retries. In all, a target that fails gets its calls and ``share`` of them on top.
"""

from __future__ import annotations

from msgspec import Struct


class RetryBudget(Struct, gc=False):
    """Over a long time, retries are at most ``share`` of the calls, plus ``floor_per_s`` each
    second."""

    share: float = 0.1
    floor: float = 10.0
    """Tokens at the beginning, and the most that are kept: a burst of retries is at most this."""
    floor_per_s: float = 0.2
    tokens: float = 10.0
    """Without those of the calls that came since. Below zero where attempts under way failed
    together."""
    calls: int = 0
    """That came since: count one more for each."""
    _at: float | None = None

    def allows(self, now: float) -> bool:
        """Whether a retry may start."""
        self._earn()
        at, self._at = self._at, now
        if at is not None and now > at:
            self.tokens = min(self.floor, self.tokens + self.floor_per_s * (now - at))
        return self.tokens >= 1.0

    def pay(self) -> None:
        """A retry starts, or another further attempt failed."""
        self._earn()
        self.tokens = max(-self.floor, self.tokens - 1.0)

    def _earn(self) -> None:
        calls, self.calls = self.calls, 0
        self.tokens = min(self.floor, self.tokens + calls * self.share)
