"""The state of routing in one process."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from headway.errors import (
    HeadwayError,
    UpstreamForbidden,
    UpstreamNotFound,
    UpstreamRateLimited,
)
from headway.ports import AttemptKind
from headway.routing.breaker import Breaker, BreakerRule
from headway.routing.hedge import HedgeBudget, hedge_delay
from headway.routing.retry import DEADLINE, classify
from headway.routing.retry_budget import RetryBudget
from headway.routing.target_state import TargetState

log = logging.getLogger("headway")
LIMIT_RULE = BreakerRule(failures=1, cool_down_s=1.0, max_cool_down_s=300.0)
"""Of a key that the provider limits for a target. One refusal is enough."""
REFUSAL_RULE = BreakerRule(failures=1, cool_down_s=60.0, max_cool_down_s=1800.0)
"""Of a key that the provider refuses, for a target or for all."""
FORBIDDEN_S = 60.0
"""The cool-down of a key that may not use a target, or has no quota left for it."""


LATE_STREAM_S, LATE_WHOLE_S = 20.0, 120.0
"""Seconds of silence that are a fault of a target of which no more is known."""
MAX_TARGETS = 1000
"""Targets, and keys, that are kept: a route with a star has as many as its clients invent. When
there are more, those that have been idle for longest are forgotten."""


class Change(Struct, frozen=True, gc=False, array_like=True):
    """What other processes should know of a target, a key, or a key on a target."""

    event: Literal["open", "close", "probe", "release"]
    """A cool-down begins, or is over; an attempt is the probe, or is so no longer."""
    target: str
    """"" for a key on all targets."""
    key: str
    """"" for a target with all keys."""
    cool_down_s: float = 0.0


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
        self.all_hedges: HedgeBudget | None = None
        """Of all routes; None: each has its own budget alone."""
        self._suspects: set[str] = set()
        """All targets that may not be quiet, and some that are again."""

    def target(self, target_id: str) -> TargetState:
        state = self.targets.get(target_id)
        if state is None:
            if len(self.targets) >= MAX_TARGETS:
                self._forget_targets()
            state = TargetState(Breaker(self.rule), RetryBudget(self.retry_share))
            self.targets[target_id] = state
        return state

    def known_targets(self) -> Mapping[str, TargetState]:
        return self.targets

    def configure(self, rule: BreakerRule, retry_share: float, hedge_share: float) -> None:
        """Apply a new configuration, also to what is known."""
        self.rule, self.retry_share = rule, retry_share
        if self.all_hedges is None:
            self.all_hedges = HedgeBudget()
        self.all_hedges.share = hedge_share
        for state in self.targets.values():
            state.breaker.rule, state.budget.share = rule, retry_share

    def key_blocked_s(self, target_id: str, key_id: str, now: float) -> float:
        blocked_s = 0.0
        if self.keys and (breaker := self.keys.get(key_id)) is not None:
            blocked_s = _blocked_s(breaker, now)
        target = self.targets.get(target_id)
        if target is not None and target.keys and (breaker := target.keys.get(key_id)) is not None:
            blocked_s = max(blocked_s, _blocked_s(breaker, now))
        return blocked_s

    def is_quiet(self, target_ids: Sequence[str]) -> bool:
        if self.keys and _is_one_open(self.keys.values()):
            return False
        suspects = self._suspects
        if not suspects:
            return True
        for target_id in suspects.intersection(target_ids):
            target = self.targets.get(target_id)
            if target is not None and _is_one_open((target.breaker, *target.keys.values())):
                return False
            suspects.discard(target_id)
        return True

    def hedge_budget(self, route: str, share: float) -> HedgeBudget:
        budget = self.hedge_budgets.get(route)
        if budget is None:
            budget = self.hedge_budgets[route] = HedgeBudget(share)
        budget.share, budget.whole = share, self.all_hedges
        return budget

    def begin(
        self, target_id: str, key_id: str, now: float, stream: bool, kind: AttemptKind = "first"
    ) -> MemoryObserver:
        target = self.targets.get(target_id) or self.target(target_id)
        target.outstanding += 1
        target.used_at = now
        if kind != "retry":
            target.budget.calls += 1
        observer = MemoryObserver(self, target, target_id, key_id, now, stream, kind)
        if target.breaker.open_until is not None or target.keys or self.keys:
            observer.begin_probes(now)
        return observer

    def apply(self, change: Change, now: float) -> None:
        """What another process observed."""
        breaker = self.breaker(change.target, change.key)
        if change.event == "open":
            breaker.follow(now, change.cool_down_s)
        elif change.event == "close":
            breaker.close(now)
        elif change.event == "probe":
            breaker.begin(now)
        else:
            breaker.release(is_probe=True)

    def open_changes(self, now: float) -> list[Change]:
        """What a process that knows nothing should know."""
        named = [(name, "", state.breaker) for name, state in self.targets.items()]
        named += [("", key, breaker) for key, breaker in self.keys.items()]
        for name, state in self.targets.items():
            named += [(name, key, breaker) for key, breaker in state.keys.items()]
        waits = [(target, key, breaker.blocked_s(now)) for target, key, breaker in named]
        return [Change("open", target, key, wait_s) for target, key, wait_s in waits if wait_s]

    def breaker(self, target_id: str, key_id: str) -> Breaker:
        """Of a target, a key, or a key on a target, to be opened or closed."""
        if target_id:
            self.suspect(target_id)
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

    def suspect(self, target_id: str) -> None:
        """The target, or one of its keys, may be left alone from now on."""
        self._suspects.add(target_id)

    def tell(self, change: Change) -> None:
        if self.on_change is not None:
            self.on_change(change)

    def close(self) -> None:
        pass

    def _forget_targets(self) -> None:
        idle = [name for name, state in self.targets.items() if not state.outstanding]
        idle.sort(key=lambda name: self.targets[name].used_at)
        for name in idle[: MAX_TARGETS // 2]:
            del self.targets[name]
            self._suspects.discard(name)


Probes = tuple[tuple[str, str, Breaker], ...]
NO_PROBES: Probes = ()


class MemoryObserver(Struct, gc=False):
    """A ``ports.AttemptObserver``, which ``MemoryRoutingState.begin`` creates."""

    _state: MemoryRoutingState
    _target: TargetState
    _target_id: str
    _key_id: str
    _started: float
    _stream: bool
    _kind: AttemptKind
    _content_at: float | None = None
    _is_over: bool = False
    _probes: Probes = NO_PROBES
    """The breakers for which this attempt is the probe."""

    def on_content(self, now: float) -> None:
        if self._is_over or self._content_at is not None:
            return
        self._content_at = now
        if self._stream:
            self._target.streams.observe(now - self._started, now)
        if self._probes:
            self._pass_probes(now)

    def on_success(self, now: float, output_tokens: int | None = None) -> None:
        if self._is_over:
            return
        self._is_over = True
        target = self._target
        target.outstanding -= 1
        if not self._stream:
            target.wholes.observe(now - self._started, now, output_tokens)
        elif output_tokens and self._content_at is not None:
            target.streams.observe_rate(output_tokens, now - self._content_at)
        if self._probes:
            self._pass_probes(now)
        target.breaker.succeed(now)
        if target.error_share:
            target.observe_outcome(False, now)

    def on_cancel(self, now: float) -> None:
        if self._end():
            return
        self._observe_silence(now)
        self._release_probes()

    def on_failure(self, error: HeadwayError, now: float) -> None:
        if self._end():
            return
        failure = classify(error)
        is_late = error.code == DEADLINE and self._is_late(now)
        if failure == "transient" or is_late or isinstance(error, UpstreamNotFound):
            self._fail_target(error, now)
        elif failure == "key":
            self._refuse_key(error, now)
        elif failure == "rate_limited":
            self._block(self._target_id, self._key_id, error.retry_after_s, now)
        self._release_probes()

    def _is_late(self, now: float) -> bool:
        """Whether the caller waited for longer than is usual. A short deadline is no fault of the
        target."""
        if self._content_at is not None:
            return False
        usual_s = hedge_delay(self._target.speed(self._stream), now)
        return now - self._started >= (usual_s or (LATE_STREAM_S if self._stream else LATE_WHOLE_S))

    def _fail_target(self, error: HeadwayError, now: float) -> None:
        target, state = self._target, self._state
        self._observe_silence(now)
        target.observe_outcome(True, now)
        if self._kind == "further":
            target.budget.pay()
        is_probe = any(breaker is target.breaker for *_, breaker in self._probes)
        cool_down_s = target.breaker.fail(now, is_probe, error.retry_after_s)
        if cool_down_s is not None:
            text = "target %s failed too often, and gets no requests for %.0f s: %s"
            log.warning(text, self._target_id, cool_down_s, error.type)
            state.suspect(self._target_id)
            state.tell(Change("open", self._target_id, "", cool_down_s))

    def _block(self, target_id: str, key_id: str, wait_s: float | None, now: float) -> float | None:
        """Returns for how long, if the cool-down begins now."""
        breaker = self._state.breaker(target_id, key_id)
        is_probe = any(each is breaker for *_, each in self._probes)
        cool_down_s = breaker.fail(now, is_probe, wait_s)
        if cool_down_s is not None:
            self._state.tell(Change("open", target_id, key_id, cool_down_s))
        return cool_down_s

    def _refuse_key(self, error: HeadwayError, now: float) -> None:
        if isinstance(error, UpstreamForbidden | UpstreamRateLimited):
            where = self._target_id
            wait_s = self._block(where, self._key_id, FORBIDDEN_S, now)
        else:
            where, wait_s = "all models", self._block("", self._key_id, None, now)
        if wait_s is not None:
            text = "key %s is set aside for %.0f s on %s: the provider refused it (%s)"
            log.error(text, self._key_id, wait_s, where, error.type)

    def begin_probes(self, now: float) -> None:
        state, target, key_id = self._state, self._target, self._key_id
        breakers = (
            (self._target_id, "", target.breaker),
            ("", key_id, state.keys.get(key_id)),
            (self._target_id, key_id, target.keys.get(key_id)),
        )
        self._probes = tuple(
            (where, key, breaker)
            for where, key, breaker in breakers
            if breaker is not None and breaker.begin(now)
        )
        for where, key, _ in self._probes:
            state.tell(Change("probe", where, key))

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
                self._state.tell(Change("close", target_id, key_id))
        self._probes = NO_PROBES

    def _release_probes(self) -> None:
        for target_id, key_id, breaker in self._probes:
            if breaker.probe_started is not None:
                breaker.release(is_probe=True)
                self._state.tell(Change("release", target_id, key_id))


def _is_one_open(breakers: Iterable[Breaker]) -> bool:
    return any(breaker.open_until is not None for breaker in breakers)


def _blocked_s(breaker: Breaker, now: float) -> float:
    """A second where another attempt is the probe."""
    return 0.0 if breaker.admits(now) else breaker.blocked_s(now) or 1.0
