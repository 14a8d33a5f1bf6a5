"""A circuit breaker for one target, for one key of a provider, or for both together.

It is passive: it learns from the attempts of clients only. Closed, it admits everything. After too
many failures it is open, and admits nothing until a cool-down is over. Then it is half-open: it
admits one attempt at a time, the probe, whose outcome closes it or opens it again for longer.

Times are seconds of one clock. A clock that steps back counts as one that stood still; one that
jumps ahead ends cool-downs early.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

BreakerState = Literal["closed", "open", "half_open"]
PROBE_S = 120.0
"""A probe without an outcome after this time is forgotten, so that the next one can follow."""


class BreakerRule(Struct, frozen=True, kw_only=True, gc=False):
    """When a breaker opens, and for how long."""

    failures: int = 5
    """In a row, without a success between them."""
    error_share: float = 0.5
    """Of the attempts in the window."""
    minimum: int = 20
    """Attempts in the window, below which the share does not count."""
    window_s: float = 30.0
    """Attempts count for this time to twice this time. Also the time that a breaker must stay
    closed before its cool-downs begin small again."""
    cool_down_s: float = 15.0
    """The first cool-down, where the provider does not say how long to wait."""
    growth: float = 2.0
    """Each further cool-down is this many times as long."""
    max_cool_down_s: float = 300.0
    """No cool-down is longer, whatever the provider says."""


class Breaker(Struct, gc=False):
    """``begin`` an attempt where ``admits`` says so, and report its outcome once with ``succeed``,
    ``fail`` or ``release``, together with what ``begin`` returned."""

    rule: BreakerRule
    open_until: float | None = None
    """None: closed."""
    probe_started: float | None = None
    openings: int = 0
    """In a row; decides the length of the next cool-down."""
    failures_in_row: int = 0
    closed_at: float = 0.0
    _window: float = 0.0
    """The beginning of the window, and its end."""
    _window_end: float = 0.0
    _successes: int = 0
    """In the window. Likewise the failures."""
    _failures: int = 0
    _earlier_successes: int = 0
    """In the window before. Likewise the failures."""
    _earlier_failures: int = 0
    _seen: float = 0.0
    """The latest time that was given."""

    def state(self, now: float) -> BreakerState:
        self._see(now)
        if self.open_until is None:
            return "closed"
        return "open" if now < self.open_until else "half_open"

    def admits(self, now: float) -> bool:
        """Whether an attempt may begin now."""
        if self.open_until is None:
            return True
        self._see(now)
        return now >= self.open_until and not self._is_probing(now)

    def blocked_s(self, now: float) -> float:
        """Seconds until the cool-down is over; 0 without one."""
        if self.open_until is None:
            return 0.0
        self._see(now)
        return max(0.0, self.open_until - now)

    def begin(self, now: float) -> bool:
        """An attempt starts. Returns whether it is the probe: also where the breaker is open and
        the attempt is made all the same. A failure before the cool-down is over does not prolong
        it."""
        if self.open_until is None:
            return False
        self._see(now)
        if self._is_probing(now):
            return False
        self.probe_started = now
        return True

    def succeed(self, now: float, is_probe: bool = False) -> bool:
        """Returns whether this closes the breaker. While it is open, only the probe counts: what
        was under way when it opened says nothing new."""
        if self.open_until is not None:
            self._see(now)
            if is_probe:
                self.close(now)
            return is_probe
        if not self._window <= now < self._window_end:
            self._see(now)
            self._begin_window(now)
        self._successes += 1
        if self.failures_in_row:
            self.failures_in_row = 0
        return False

    def fail(self, now: float, is_probe: bool = False, wait_s: float | None = None) -> float | None:
        """``wait_s`` is how long the provider asks to wait. Returns the length of the cool-down
        that begins with this failure, if one does."""
        self._see(now)
        if self.open_until is not None:
            if is_probe and now >= self.open_until:
                return self.open(now, wait_s)
            self.release(is_probe)
            return None if wait_s is None else self._prolong(now, wait_s)
        if not self._window <= now < self._window_end:
            self._begin_window(now)
        self._failures += 1
        self.failures_in_row += 1
        rule, failures = self.rule, self._failures + self._earlier_failures
        attempts = failures + self._successes + self._earlier_successes
        is_bad_share = attempts >= rule.minimum and failures >= rule.error_share * attempts
        if self.failures_in_row >= rule.failures or is_bad_share:
            return self.open(now, wait_s)
        return None

    def release(self, is_probe: bool = False) -> None:
        """The attempt ended without saying anything about the target."""
        if is_probe:
            self.probe_started = None

    def open(self, now: float, wait_s: float | None = None) -> float:
        """Open, or open again. Returns the length of the cool-down."""
        self._see(now)
        rule = self.rule
        if self.open_until is None and now - self.closed_at >= rule.window_s:
            self.openings = 0
        if wait_s is None:
            wait_s = rule.cool_down_s * pow(rule.growth, min(self.openings, 64))
        cool_down_s = min(rule.max_cool_down_s, max(0.0, wait_s))
        self.openings += 1
        self.open_until = now + cool_down_s
        self.probe_started = None
        return cool_down_s

    def follow(self, now: float, cool_down_s: float) -> None:
        """Another process opened its own for the same target."""
        self._see(now)
        if self.open_until is None or now >= self.open_until:
            self.open(now, cool_down_s)
        else:
            self._prolong(now, cool_down_s)

    def close(self, now: float) -> None:
        """Admit everything, with nothing counted against it."""
        self._see(now)
        self.open_until = self.probe_started = None
        self.failures_in_row = 0
        self._successes = self._failures = 0
        self._earlier_successes = self._earlier_failures = 0
        self.closed_at = self._window = now
        self._window_end = now + self.rule.window_s

    def _prolong(self, now: float, wait_s: float) -> float | None:
        """An attempt that began before the opening brings a longer wait."""
        cool_down_s = min(self.rule.max_cool_down_s, wait_s)
        if self.open_until is None or now + cool_down_s <= self.open_until:
            return None
        self.open_until = now + cool_down_s
        return cool_down_s

    def _is_probing(self, now: float) -> bool:
        return self.probe_started is not None and now < self.probe_started + PROBE_S

    def _begin_window(self, now: float) -> None:
        """The last window becomes the earlier one, if it has just ended."""
        if 0.0 <= now - self._window < 2.0 * self.rule.window_s:
            self._earlier_successes, self._earlier_failures = self._successes, self._failures
        else:
            self._earlier_successes = self._earlier_failures = 0
        self._successes = self._failures = 0
        self._window = now
        self._window_end = now + self.rule.window_s

    def _see(self, now: float) -> None:
        back = self._seen - now
        self._seen = now
        if back <= 0.0:
            return
        if self.open_until is not None:
            self.open_until -= back
        if self.probe_started is not None:
            self.probe_started -= back
        self.closed_at -= back
        self._window -= back
        self._window_end -= back
