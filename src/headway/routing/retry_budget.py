"""How many further attempts a target may get, so that retries cannot make its failure worse.

Every call that could go to the target adds ``share`` of a token, and time adds a few, so that a
single user is not locked out. An attempt on the target that just failed pays a token when it
starts. One that comes from another target or another key pays when it fails: a healthy target
takes all of what its neighbour drops, and one that fails too gets ``share`` of its calls on top.
"""

from __future__ import annotations

from msgspec import Struct


class RetryBudget(Struct, gc=False):
    """Over a long time, further attempts that fail are at most ``share`` of the calls, plus
    ``floor_per_s`` each second; those in flight while the target begins to fail come on top."""

    share: float = 0.1
    floor: float = 10.0
    """Tokens at the beginning, and the most that are kept: a burst of retries is at most this."""
    floor_per_s: float = 0.2
    tokens: float = 10.0
    """Below zero where attempts under way failed together."""
    _at: float | None = None

    def count_call(self) -> None:
        """A call begins that may be sent to the target."""
        tokens = self.tokens + self.share
        self.tokens = tokens if tokens < self.floor else self.floor  # noqa: FURB136 - faster

    def allows(self, now: float) -> bool:
        """Whether a further attempt may start."""
        at, self._at = self._at, now
        if at is not None and now > at:
            self.tokens = min(self.floor, self.tokens + self.floor_per_s * (now - at))
        return self.tokens >= 1.0

    def pay(self) -> None:
        """A retry starts, or another further attempt failed."""
        self.tokens = max(-self.floor, self.tokens - 1.0)
