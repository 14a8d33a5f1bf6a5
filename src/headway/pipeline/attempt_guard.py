"""Watches one attempt of a call that may have several: its limits, what the gateway measures of its
target, and whether a complete answer counts as a failure."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from headway.errors import ClientGone, HedgeLost, LimitExceeded
from headway.pipeline.answer_checks import AnswerChecks
from headway.pipeline.attempt import Attempt
from headway.pipeline.attempt_origin import header_lines
from headway.pipeline.candidates import Candidate
from headway.pipeline.gateway import Gateway, Timer
from headway.ports import AttemptObserver
from headway.record import AttemptRole
from headway.routing.route import Limits

RATE_WINDOW_S = 5.0
"""Seconds over which the rate of tokens is measured."""
CHARACTERS_PER_TOKEN = 4
"""Approximate, for English text."""
NOT_AT_FAULT = (ClientGone, HedgeLost)


class Committer(Protocol):
    """What of a ``Dispatch`` is needed."""

    def on_commit(self, attempt: Attempt) -> None:
        """The first content of this attempt goes to the client now: end all others."""


class AttemptGuard(Struct):
    """An ``AttemptOrigin``, which watches its attempt: ``attempt`` is set when that exists, then
    comes ``start``, and at last ``close``."""

    number: int
    role: AttemptRole
    target_id: str
    route_name: str | None
    provider_key: str | None
    decision: str | None
    upstream_request_bytes: int | None
    gateway: Gateway
    committer: Committer | None
    """None where no other attempt or call depends on this one."""
    observer: AttemptObserver | None
    """None where the attempt says nothing about the target."""
    limits: Limits
    checks: AnswerChecks | None
    started: float
    header_lines: str
    candidate: Candidate | None = None
    """None until it is needed: ``Dispatch.candidate_of``."""
    attempt: Attempt | None = None
    is_hedged: bool = False
    resumed: float = 0.0
    """When the client last began to read again."""
    timer: Timer | None = None
    last_check: tuple[float, int] = (0.0, 0)
    """Time and characters of output when the rate was last measured."""

    def mark_hedged(self) -> None:
        self.is_hedged = True
        self.header_lines = header_lines(self.target_id, self.route_name, is_hedged=True)

    # --- Called by the attempt --------------------------------------------------------------------

    def on_commit(self, attempt: Attempt) -> None:
        if self.observer is not None and attempt.arrivals:
            self.observer.on_content(attempt.arrivals[0])
        if self.committer is not None:
            self.committer.on_commit(attempt)

    # --- Called by the dispatch -------------------------------------------------------------------

    def start(self, attempt: Attempt) -> None:
        """The request is sent, and has limits. Of a whole answer nothing is seen before its end:
        only the time of the call limits it."""
        limits = self.limits
        if attempt.encoder is None and not attempt.context.call.asks_stream:
            return
        first_s = _seconds_to_check(limits)
        if first_s is not None:
            self._set_timer(first_s)

    def resume(self) -> None:
        """The client reads again: what it delayed is not the provider's fault."""
        if self.attempt is not None:
            self.resumed = self.gateway.clock()
            request = self.attempt.upstream_request
            if request is not None:
                request.resume()

    def close(self, attempt: Attempt, now: float) -> None:
        """The attempt is over."""
        self.attempt = self.committer = None  # they refer to this guard
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        observer, error = self.observer, attempt.error
        if observer is None:
            return
        if error is None:
            observer.on_success(now, attempt.output_tokens)
        elif isinstance(error, NOT_AT_FAULT):
            observer.on_cancel(now)
        else:
            observer.on_failure(error, now)

    # --- Limits -----------------------------------------------------------------------------------

    def _set_timer(self, delay_s: float) -> None:
        self.timer = self.gateway.call_later(delay_s, self._check)

    def _check(self) -> None:
        self.timer = None
        attempt, now = self.attempt, self.gateway.clock()
        if attempt is None or attempt.is_over:
            return
        error, next_s = self._judge(attempt, now)
        if error is not None:
            attempt.cancel(error, now)
        elif next_s is not None:
            self._set_timer(max(next_s, 0.001))

    def _judge(self, attempt: Attempt, now: float) -> tuple[LimitExceeded | None, float | None]:
        """The limit that is exceeded, or the seconds until the next check; neither, where none is
        needed."""
        limits, arrivals = self.limits, attempt.arrivals
        if not arrivals:
            return self._judge_silence(limits, now)
        waits = []
        if limits.idle is not None:
            since = max(arrivals[-1], self.resumed)
            left = limits.idle - (now - since)
            if left <= 0.0 and not attempt.is_paused:
                return self._exceeded("idle_timeout", f"sent nothing for {limits.idle:g} s"), None
            waits.append(left if left > 0.0 else limits.idle)
        if limits.tokens_per_second is not None:
            found = self._judge_rate(attempt, limits.tokens_per_second, now)
            if isinstance(found, LimitExceeded):
                return found, None
            waits.append(found)
        return None, min(waits, default=None)

    def _judge_silence(
        self, limits: Limits, now: float
    ) -> tuple[LimitExceeded | None, float | None]:
        """Content may begin at any moment, so that what limits it is looked at in time."""
        allowed_s, next_s = limits.time_to_first_token, _seconds_to_check(limits)
        if allowed_s is None or next_s is None:
            return None, next_s
        left = allowed_s - (now - self.started)
        if left > 0.0:
            return None, min(left, next_s)
        return self._exceeded(
            "first_token_timeout", f"sent no content within {allowed_s:g} s"
        ), None

    def _judge_rate(self, attempt: Attempt, least: float, now: float) -> LimitExceeded | float:
        """The seconds until the next check, where the rate is not too low."""
        since, characters = self.last_check
        if since < attempt.arrivals[0]:
            since, characters = attempt.arrivals[0], 0
        if now - since < RATE_WINDOW_S:
            return since + RATE_WINDOW_S - now
        produced = len(attempt.accumulator.produced())
        rate = (produced - characters) / CHARACTERS_PER_TOKEN / (now - since)
        self.last_check = (now, produced)
        if rate >= least or attempt.is_paused or self.resumed > since:
            return RATE_WINDOW_S
        return self._exceeded(
            "too_slow", f"sent about {rate:.1f} tokens a second, and {least:g} are the least"
        )

    def _exceeded(self, code: str, what: str) -> LimitExceeded:
        return LimitExceeded(f"{self.target_id} {what}.", code=code)


def _seconds_to_check(limits: Limits) -> float | None:
    """The shortest time after which one of the limits can be exceeded."""
    rate_s = None if limits.tokens_per_second is None else RATE_WINDOW_S
    given = (limits.time_to_first_token, limits.idle, rate_s)
    return min((each for each in given if each is not None), default=None)
