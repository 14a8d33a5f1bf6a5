"""Watches one attempt of a call that may have several: its limits, what the gateway measures of its
target, and whether a complete answer counts as a failure."""

from __future__ import annotations

from typing import Protocol

from headway.errors import ClientGone, HeadwayError, HedgeLost, LimitExceeded
from headway.pipeline.answer_checks import AnswerChecks
from headway.pipeline.attempt import Attempt
from headway.pipeline.attempt_origin import AttemptOrigin
from headway.pipeline.candidates import Candidate
from headway.pipeline.gateway import Gateway, Timer
from headway.ports import AttemptObserver
from headway.routing.route import Limits

RATE_WINDOW_S = 5.0
"""Seconds over which the rate of tokens is measured."""
CHARACTERS_PER_TOKEN = 4
"""Approximate, for English text."""
NOT_AT_FAULT = (ClientGone, HedgeLost)


class Committer(Protocol):
    """What of a ``Dispatch`` is needed."""

    def on_commit(self, guard: AttemptGuard) -> None:
        """The first content of this attempt goes to the client now: end all others."""


class AttemptGuard:
    """``attempt`` is set when the attempt exists, then comes ``start``, and at last ``close``."""

    __slots__ = (
        "_at_check",
        "_checks",
        "_committer",
        "_gateway",
        "_limits",
        "_observer",
        "_resumed",
        "_started",
        "_timer",
        "attempt",
        "candidate",
        "origin",
    )

    attempt: Attempt

    def __init__(
        self,
        gateway: Gateway,
        committer: Committer,
        candidate: Candidate,
        origin: AttemptOrigin,
        observer: AttemptObserver | None,
        limits: Limits | None,
        checks: AnswerChecks | None,
        now: float,
    ) -> None:
        """``observer`` is None where the attempt says nothing about the target."""
        self._gateway = gateway
        self._committer: Committer | None = committer
        self._observer = observer
        self._limits = limits
        self._checks = checks
        self._started = self._resumed = now
        self._timer: Timer | None = None
        self._at_check = (0.0, 0)
        """Time and characters of output when the rate was last measured."""
        self.candidate = candidate
        self.origin = origin

    # --- Called by the attempt --------------------------------------------------------------------

    @property
    def holds_all(self) -> bool:
        """Nothing is sent to the client before the answer is complete."""
        return self._checks is not None and self._checks.holds_all

    @property
    def needs_events(self) -> bool:
        """A response that is passed on must be decoded, too."""
        return self._checks is not None

    def find_failure(self, attempt: Attempt) -> HeadwayError | None:
        """What is wrong with a complete answer of which the client has nothing yet."""
        return None if self._checks is None else self._checks.find_failure(attempt)

    def on_commit(self) -> None:
        arrivals = self.attempt.arrivals
        if arrivals and self._observer is not None:
            self._observer.on_content(arrivals[0])
        if self._committer is not None:
            self._committer.on_commit(self)

    # --- Called by the dispatch -------------------------------------------------------------------

    def start(self) -> None:
        """The request is sent. Of a whole answer nothing is seen before its end: only the time of
        the call limits it."""
        limits, attempt = self._limits, self.attempt
        if limits is None or not (attempt.encoder is not None or attempt.context.call.asks_stream):
            return
        if limits.time_to_first_token is not None:
            self._set_timer(limits.time_to_first_token)
        elif limits.idle is not None or limits.tokens_per_second is not None:
            self._set_timer(RATE_WINDOW_S if limits.idle is None else limits.idle)

    def resume(self) -> None:
        """The client reads again: what it delayed is not the provider's fault."""
        if self._committer is None:
            return
        self._resumed = self._gateway.clock()
        request = self.attempt.upstream_request
        if request is not None:
            request.resume()

    def close(self, error: HeadwayError | None, now: float) -> None:
        """The attempt is over."""
        attempt = self.attempt
        del self.attempt  # it refers to this guard
        self._committer = None  # it refers to the call
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        observer = self._observer
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
        self._timer = self._gateway.call_later(delay_s, self._check)

    def _check(self) -> None:
        self._timer = None
        attempt, now = self.attempt, self._gateway.clock()
        if attempt.is_over:
            return
        error, next_s = self._judge(now)
        if error is not None:
            attempt.cancel(error, now)
        elif next_s is not None:
            self._set_timer(max(next_s, 0.001))

    def _judge(self, now: float) -> tuple[LimitExceeded | None, float | None]:
        """The limit that is exceeded, or the seconds until the next check; neither, where none is
        needed."""
        limits, arrivals = self._limits, self.attempt.arrivals
        assert limits is not None
        if not arrivals:
            return self._judge_silence(limits, now)
        waits = []
        if limits.idle is not None:
            since = max(arrivals[-1], self._resumed)
            left = limits.idle - (now - since)
            if left <= 0.0 and not self._is_paused():
                return self._exceeded("idle_timeout", f"sent nothing for {limits.idle:g} s"), None
            waits.append(left if left > 0.0 else limits.idle)
        if limits.tokens_per_second is not None:
            found = self._judge_rate(limits.tokens_per_second, arrivals[0], now)
            if isinstance(found, LimitExceeded):
                return found, None
            waits.append(found)
        return None, min(waits, default=None)

    def _judge_silence(
        self, limits: Limits, now: float
    ) -> tuple[LimitExceeded | None, float | None]:
        allowed_s = limits.time_to_first_token
        if allowed_s is None:
            return None, RATE_WINDOW_S if limits.idle is None else limits.idle
        left = allowed_s - (now - self._started)
        if left > 0.0:
            return None, left
        return self._exceeded(
            "first_token_timeout", f"sent no content within {allowed_s:g} s"
        ), None

    def _judge_rate(self, least: float, began: float, now: float) -> LimitExceeded | float:
        """The seconds until the next check, where the rate is not too low."""
        since, characters = self._at_check
        if since < began:
            since, characters = began, 0
        if now - since < RATE_WINDOW_S:
            return since + RATE_WINDOW_S - now
        produced = len(self.attempt.accumulator.produced())
        rate = (produced - characters) / CHARACTERS_PER_TOKEN / (now - since)
        self._at_check = (now, produced)
        if rate >= least or self._is_paused() or self._resumed > since:
            return RATE_WINDOW_S
        return self._exceeded(
            "too_slow", f"sent about {rate:.1f} tokens a second, and {least:g} are the least"
        )

    def _is_paused(self) -> bool:
        return self.attempt.is_paused

    def _exceeded(self, code: str, what: str) -> LimitExceeded:
        return LimitExceeded(f"{self.candidate.id} {what}.", code=code)
