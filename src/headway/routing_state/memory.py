"""The state of routing in one process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from msgspec import Struct

from headway.errors import (
    HeadwayError,
    UpstreamForbidden,
    UpstreamNotFound,
    UpstreamRateLimited,
)
from headway.routing.breaker import Breaker, BreakerRule
from headway.routing.hedge import HedgeBudget
from headway.routing.retry import classify
from headway.routing.retry_budget import RetryBudget
from headway.routing.target_state import TargetState

log = logging.getLogger("headway")
LIMIT_RULE = BreakerRule(failures=1, cool_down_s=1.0, max_cool_down_s=300.0)
"""Of a key that the provider limits for a target. One refusal is enough."""
REFUSAL_RULE = BreakerRule(failures=1, cool_down_s=60.0, max_cool_down_s=1800.0)
"""Of a key that the provider refuses, for a target or for all."""
FORBIDDEN_S = 60.0
"""The cool-down of a key that may not use a target, or has no quota left for it."""


MAX_TARGETS = 2000
"""Targets, and keys, that are kept: a route with a star has as many as its clients invent. When
there are more, those that have been idle for longest are forgotten."""


class Change(Struct, frozen=True, gc=False, array_like=True):
    """What other processes should know: a cool-down begins or ends."""

    target: str
    """"" for a key on all targets."""
    key: str
    """"" for a target with all keys."""
    cool_down_s: float
    """0: it is over."""


class MemoryRoutingState:
    """A ``ports.RoutingState``. ``on_change`` hears of changes that were observed here."""

    def __init__(
        self,
        rule: BreakerRule = BreakerRule(),  # noqa: B008 - frozen
        retry_share: float = 0.1,
        on_change: Callable[[Change], None] | None = None,
    ) -> None:
        self.rule = rule
        self.retry_share = retry_share
        self.on_change = on_change
        self.targets: dict[str, TargetState] = {}
        self.keys: dict[str, Breaker] = {}
        """Those that a provider refused."""
        self.hedge_budgets: dict[str, HedgeBudget] = {}

    def target(self, target_id: str) -> TargetState:
        state = self.targets.get(target_id)
        if state is None:
            if len(self.targets) >= MAX_TARGETS:
                self._forget_targets()
            state = TargetState(Breaker(self.rule), RetryBudget(self.retry_share))
            self.targets[target_id] = state
        return state

    def configure(self, rule: BreakerRule, retry_share: float) -> None:
        """Apply a new configuration, also to what is known."""
        self.rule, self.retry_share = rule, retry_share
        for state in self.targets.values():
            state.breaker.rule, state.budget.share = rule, retry_share

    def key_blocked_s(self, target_id: str, key_id: str, now: float) -> float:
        of_all = self.keys.get(key_id)
        of_target = self.target(target_id).keys.get(key_id)
        return max(_blocked_s(of_all, now), _blocked_s(of_target, now))

    def count_call(self, target_ids: Sequence[str]) -> None:
        for target_id in target_ids:
            self.target(target_id).budget.count_call()

    def hedge_budget(self, route: str, share: float) -> HedgeBudget:
        budget = self.hedge_budgets.get(route)
        if budget is None:
            budget = self.hedge_budgets[route] = HedgeBudget(share)
        budget.share = share
        return budget

    def begin(
        self, target_id: str, key_id: str, now: float, *, stream: bool, is_further: bool = False
    ) -> MemoryObserver:
        return MemoryObserver(self, target_id, key_id, now, stream, is_further)

    def apply(self, change: Change, now: float) -> None:
        """What another process observed."""
        breaker = self.breaker(change.target, change.key)
        if change.cool_down_s > 0.0:
            breaker.open(now, change.cool_down_s)
        else:
            breaker.close(now)

    def breaker(self, target_id: str, key_id: str) -> Breaker:
        """Of a target, a key, or a key on a target."""
        if not key_id:
            return self.target(target_id).breaker
        breakers, rule = self.keys, REFUSAL_RULE
        if target_id:
            breakers, rule = self.target(target_id).keys, LIMIT_RULE
        found = breakers.get(key_id)
        if found is None:
            if len(breakers) >= MAX_TARGETS:
                del breakers[next(iter(breakers))]
            found = breakers[key_id] = Breaker(rule)
        return found

    def tell(self, target_id: str, key_id: str, cool_down_s: float) -> None:
        if self.on_change is not None:
            self.on_change(Change(target_id, key_id, cool_down_s))

    def close(self) -> None:
        pass

    def _forget_targets(self) -> None:
        idle = [name for name, state in self.targets.items() if not state.outstanding]
        idle.sort(key=lambda name: self.targets[name].used_at)
        for name in idle[: MAX_TARGETS // 2]:
            del self.targets[name]


class MemoryObserver:
    """A ``ports.AttemptObserver``."""

    __slots__ = (
        "_content_at",
        "_is_further",
        "_is_over",
        "_key_id",
        "_probes",
        "_started",
        "_state",
        "_stream",
        "_target",
        "_target_id",
    )  # fmt: skip

    def __init__(
        self,
        state: MemoryRoutingState,
        target_id: str,
        key_id: str,
        now: float,
        stream: bool,
        is_further: bool,
    ) -> None:
        self._state, self._target_id, self._key_id = state, target_id, key_id
        self._target = target = state.target(target_id)
        self._started, self._stream, self._is_further = now, stream, is_further
        self._content_at: float | None = None
        self._is_over = False
        self._probes: list[tuple[str, str, Breaker]] = []
        """The breakers for which this attempt is the probe."""
        target.outstanding += 1
        target.used_at = now
        if target.breaker.begin(now):
            self._probes.append((target_id, "", target.breaker))
        if state.keys and key_id in state.keys and state.keys[key_id].begin(now):
            self._probes.append(("", key_id, state.keys[key_id]))
        if target.keys and key_id in target.keys and target.keys[key_id].begin(now):
            self._probes.append((target_id, key_id, target.keys[key_id]))

    def on_content(self, now: float) -> None:
        if self._is_over or self._content_at is not None:
            return
        self._content_at = now
        if self._stream:
            self._target.streams.observe(now - self._started, now)
        if self._probes:
            self._pass_probes(now)

    def on_success(self, now: float, output_tokens: int | None = None) -> None:
        if self._end():
            return
        target = self._target
        if self._stream:
            speed = target.streams
            began = now if self._content_at is None else self._content_at
        else:
            speed, began = target.wholes, self._started
            speed.observe(now - began, now)
        if output_tokens:
            speed.observe_rate(output_tokens, now - began)
        if self._probes:
            self._pass_probes(now)
        target.breaker.succeed(now)
        target.observe_outcome(False, now)

    def on_cancel(self, now: float) -> None:
        if self._end():
            return
        self._observe_silence(now)
        self._release_probes()

    def on_failure(self, error: HeadwayError, now: float) -> None:
        if self._end():
            return
        failure, key_id = classify(error), self._key_id
        if failure == "transient" or isinstance(error, UpstreamNotFound):
            self._fail_target(error, now)
        elif failure == "key":
            self._refuse_key(error, now)
        elif failure == "rate_limited":
            self._block(self._target_id, key_id, error.retry_after_s, now)
        self._release_probes()

    def _fail_target(self, error: HeadwayError, now: float) -> None:
        target, state = self._target, self._state
        self._observe_silence(now)
        target.observe_outcome(True, now)
        if self._is_further:
            target.budget.pay()
        is_probe = any(breaker is target.breaker for *_, breaker in self._probes)
        cool_down_s = target.breaker.fail(now, is_probe, error.retry_after_s)
        if cool_down_s is not None:
            text = "target %s failed too often, and gets no requests for %.0f s: %s"
            log.warning(text, self._target_id, cool_down_s, error.type)
            state.tell(self._target_id, "", cool_down_s)

    def _block(self, target_id: str, key_id: str, wait_s: float | None, now: float) -> float | None:
        """Returns for how long, if the cool-down begins now."""
        breaker = self._state.breaker(target_id, key_id)
        is_probe = any(each is breaker for *_, each in self._probes)
        cool_down_s = breaker.fail(now, is_probe, wait_s)
        if cool_down_s is not None:
            self._state.tell(target_id, key_id, cool_down_s)
        return cool_down_s

    def _refuse_key(self, error: HeadwayError, now: float) -> None:
        if isinstance(error, UpstreamForbidden | UpstreamRateLimited):
            where = self._target_id
            wait_s = self._block(where, self._key_id, FORBIDDEN_S, now)
        else:
            where, wait_s = "all models", self._block("", self._key_id, None, now)
        if wait_s is not None:
            text = "key %s is set aside for %.0f s on %s: the provider refused it (%s)"
            log.warning(text, self._key_id, wait_s, where, error.type)

    def _end(self) -> bool:
        """Returns whether the attempt was over before."""
        was_over, self._is_over = self._is_over, True
        if not was_over:
            self._target.outstanding -= 1
        return was_over

    def _observe_silence(self, now: float) -> None:
        if self._content_at is None:
            self._target.speed(self._stream).observe_silence(now - self._started, now)

    def _pass_probes(self, now: float) -> None:
        for target_id, key_id, breaker in self._probes:
            if breaker.succeed(now, is_probe=True):
                self._state.tell(target_id, key_id, 0.0)
        self._probes.clear()

    def _release_probes(self) -> None:
        for *_, breaker in self._probes:
            breaker.release(is_probe=True)


def _blocked_s(breaker: Breaker | None, now: float) -> float:
    if breaker is None or breaker.admits(now):
        return 0.0
    return breaker.blocked_s(now) or 1.0
