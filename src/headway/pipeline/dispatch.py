"""What follows an attempt that failed before the client had any content: another one, or the error.

A call without retries has no ``Dispatch``: its error is final.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, Protocol

from headway.errors import HeadwayError
from headway.pipeline import accounting
from headway.pipeline.attempt import Attempt
from headway.pipeline.attempt_tokens import count_part
from headway.pipeline.call_records import RecordedCall, log_failure, record_failure
from headway.pipeline.redaction import redact_error
from headway.routing.retry import Try, decide


class DispatchedCall(RecordedCall, Protocol):
    """What of a ``GatewayCall`` is needed."""

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run ``work`` in a task; an error that it raises ends the call."""

    async def wait(self, seconds: float) -> None:
        """Raises the reason if the call is aborted meanwhile."""

    def send_again(self, attempt: Attempt) -> None: ...


class Dispatch:
    """The further attempts of one call."""

    __slots__ = ("_call", "_retries")

    def __init__(self, call: DispatchedCall, retries: int) -> None:
        self._call = call
        self._retries = retries

    @property
    def may_follow(self) -> bool:
        """Whether another attempt may follow the last one."""
        return self._call.attempts <= self._retries

    def follow(self, attempt: Attempt, error: HeadwayError) -> bool:
        """Start what follows ``attempt``, which ``error`` ended. False: nothing does."""
        call = self._call
        decision = decide(error, call.attempts, self._retries, call.gateway.rng())
        if not isinstance(decision, Try):
            return False
        call.start(self._retry(attempt, error, decision.delay))
        return True

    async def _retry(self, attempt: Attempt, error: HeadwayError, delay_s: float) -> None:
        call = self._call
        redact_error(error, call.secrets())
        result = attempt.result()
        if accounting.needs_count(result, error):
            result = await count_part(call.gateway, attempt, result, error)
        record_failure(call, attempt, result, error, is_last=False)
        log_failure(call, "attempt failed, another one follows", error, attempt)
        await call.wait(delay_s)
        call.send_again(attempt)
