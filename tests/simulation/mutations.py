"""Defects that are put into the gateway on purpose, to show that the simulator finds each.

    make simulate ARGS=--mutations

Each entry replaces one function for as long as it is active. A name that does not exist any more
is an error, so that the table follows the code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple, cast

import msgspec

from headway.pipeline import (
    accounting,
    attempt,
    attempt_guard,
    attempt_origin,
    cached_call,
    caching,
    call,
    call_records,
    dispatch,
    sending,
    shared_response,
)
from headway.pipeline import drain as drains
from headway.response_accumulator import ResponseAccumulator
from headway.response_cache.memory import MemoryCache
from headway.routing import balance, plan, retry
from headway.routing.breaker import Breaker
from headway.routing.cel import CelCondition
from headway.routing.conditions import TableCondition
from headway.routing.hedge import HedgeBudget
from headway.routing.retry import GIVE_UP, Decision
from headway.routing.retry_budget import RetryBudget
from headway.routing_state.memory import MemoryRoutingState
from simulation.run import run_seed
from simulation.themes import (
    Theme,
    balanced,
    cached,
    conditional,
    hedged,
    leaving,
    limited,
    mixed,
    recovery,
    sticky,
    storm,
)

MOST_SEEDS = 1500
"""A defect that is not found in so many schedules is not found."""

Replace = Callable[[Any], Any]
"""The original -> what replaces it."""


class Mutation(NamedTuple):
    title: str
    changes: list[tuple[Any, str, Replace]]
    """Owner, name and replacement."""
    theme: Theme = mixed
    """In which it comes up."""


def _before(act: Callable[..., None]) -> Replace:
    """Call ``act`` with the same arguments first."""

    def replace(original: Any) -> Any:
        @functools.wraps(original)
        def changed(*args: Any, **options: Any) -> Any:
            act(*args, **options)
            return original(*args, **options)

        return changed

    return replace


def _twice(original: Any) -> Any:
    def changed(*args: Any, **options: Any) -> Any:
        original(*args, **options)
        return original(*args, **options)

    return changed


# --- The table ------------------------------------------------------------------------------------


def _lose_request(self: Any, *rest: Any) -> None:
    self.upstream_request = None


def _deny_commit(self: Any, attempt: Any) -> None:
    attempt.is_committed = False


def _without_failures(original: Any) -> Any:
    def changed(owner: Any, made: Any, result: Any, error: Any, is_last: bool = True) -> None:
        if is_last:
            original(owner, made, result, error, is_last)

    return changed


def _always_last(original: Any) -> Any:
    def changed(*args: Any, **options: Any) -> Any:
        return original(*args, **{**options, "is_last": True})

    return changed


def _decide(change: Callable[[Decision, Any, Any], Decision]) -> Replace:
    """``change`` is given the decision, the error and the situation."""

    def replace(original: Any) -> Any:
        def changed(error: Any, at: Any, jitter: float) -> Decision:
            return change(original(error, at, jitter), error, at)

        return changed

    return replace


def _one_more(original: Any) -> Any:
    def changed(error: Any, at: Any, jitter: float) -> Decision:
        at = msgspec.structs.replace(at, attempts=at.attempts - 1, failures=at.failures - 1)
        return cast(Decision, original(error, at, jitter))

    return changed


def _try_anything(decision: Decision, error: Any, at: Any) -> Decision:
    is_final = retry.classify(error) in ("final", "key") and at.attempts < at.max_attempts
    return Decision("same", 0.1) if is_final and decision.step == "give_up" else decision


def _without(step: str, instead: Decision) -> Replace:
    return _decide(lambda decision, error, at: instead if decision.step == step else decision)


def _at_once(decision: Decision, error: Any, at: Any) -> Decision:
    return Decision("same", 0.0) if decision.step == "same" else decision


def _constant(value: Any) -> Replace:
    return lambda original: lambda *args, **options: value


def _value(value: Any) -> Replace:
    return lambda original: value


def _property(value: Any) -> Replace:
    return lambda original: property(lambda self: value)


def _keep_loser(original: Any) -> Any:
    def changed(self: Any, guard: Any) -> None:
        self._stop_hedging()
        if len(self._running) > 1:
            self._call.continue_with(guard.attempt)

    return changed


def _keep_anything(original: Any) -> Any:
    def changed(self: Any, made: Any, result: Any) -> None:
        if self._lookup.key is not None:
            self._lookup = msgspec.structs.replace(self._lookup, writes=True)
        original(self, made, result)

    return changed


def _admit_closed(original: Any) -> Any:
    return lambda self, now: self.open_until is None


def _get_expired(original: Any) -> Any:
    return lambda self, key, now: self._responses.get(key)


async def _uncounted(gateway: Any, made: Any, result: Any, *rest: Any) -> Any:
    return result


def _double_output(original: Any) -> Any:
    def changed(facts: Any, result: Any, *rest: Any, **options: Any) -> Any:
        usage = result.usage
        if usage.output_tokens:
            usage = accounting.replace(usage, output_tokens=2 * usage.output_tokens)
        return original(facts, accounting.replace(result, usage=usage), *rest, **options)

    return changed


def _end_early(sink: Any, pieces: list[bytes]) -> None:
    sink.end(b"")


def _swap_providers(original: Any) -> Any:
    """Write what one response says to the client of another."""
    sinks: list[Any] = []

    def changed(*args: Any, **options: Any) -> Any:
        made = original(*args, **options)
        sinks.append(made)
        if len(sinks) % 5 == 0 and not sinks[-2].is_over and sinks[-2].encoder is not None:
            made._sink = sinks[-2]._sink
        return made

    return changed


def _alternately(original: Any) -> Any:
    """The next target for the next request, whatever its session."""
    calls = iter(range(1_000_000))

    def changed(key: str, candidates: list[Any]) -> list[Any]:
        first = next(calls) % len(candidates)
        return [*candidates[first:], *candidates[:first]]

    return changed


OF_CALLS = [
    Mutation(
        "a client that leaves is not noticed",
        [(call.GatewayCall, "_on_client_gone", _constant(None))],
        leaving,
    ),
    Mutation(
        "a cancelled response is not closed",
        [(attempt.Attempt, "_end_with_error", _before(_lose_request))],
    ),
    Mutation(
        "a stream that broke after content is tried again",
        [(call.GatewayCall, "_finish_or_follow", _before(_deny_commit))],
    ),
    Mutation("a failed attempt has no record", [(dispatch, "record_failure", _without_failures)]),
    Mutation("a record is written twice", [(call_records, "write_record", _twice)]),
    Mutation(
        "every record is the last of its call", [(accounting, "attempt_record", _always_last)]
    ),
    Mutation(
        "tokens that were not reported are not counted",
        [(call, "count_whole", lambda original: _uncounted)],
    ),
    Mutation(
        "tokens of a broken stream are not estimated",
        [(call, "count_part", lambda original: _uncounted)],
    ),
    Mutation("output tokens are billed twice", [(accounting, "attempt_record", _double_output)]),
    Mutation(
        "the end of a stream is not sent",
        [(call, "end_stream", lambda original: _end_early)],
    ),
    Mutation("a call that is over stays active", [(call.GatewayCall, "_close", _constant(None))]),
    Mutation(
        "a stream that broke off counts as complete",
        [(ResponseAccumulator, "is_finished", _property(True))],
    ),
    Mutation(
        "a response without its client is read without a limit",
        [(drains.Drain, "_is_at_limit", _constant(False))],
        leaving,
    ),
    Mutation("a shutdown ends no call", [(call.GatewayCall, "abort", _constant(None))]),
    Mutation(
        "the status on record is the error's own",
        [(call_records, "_status_of", lambda original: lambda call, error: error.status)],
    ),
    Mutation("content goes to another client", [(sending, "new_attempt", _swap_providers)]),
]
OF_ROUTES = [
    Mutation("one attempt more than allowed", [(dispatch, "decide_next", _one_more)], storm),
    Mutation(
        "a refused request is sent again", [(dispatch, "decide_next", _decide(_try_anything))]
    ),
    Mutation(
        "nothing is tried again", [(dispatch, "decide_next", _without("same", GIVE_UP))], limited
    ),
    Mutation(
        "no other target is tried", [(dispatch, "decide_next", _without("next_target", GIVE_UP))]
    ),
    Mutation("no other key is tried", [(dispatch, "decide_next", _without("next_key", GIVE_UP))]),
    Mutation("Retry-After is not obeyed", [(dispatch, "decide_next", _decide(_at_once))], limited),
    Mutation(
        "the loser of a hedge goes on", [(dispatch.Dispatch, "on_commit", _keep_loser)], hedged
    ),
    Mutation(
        "both attempts of a hedge answer",
        [(dispatch.Dispatch, "on_commit", _constant(None))],
        hedged,
    ),
    Mutation("hedges have no budget", [(HedgeBudget, "allows", _property(True))], hedged),
    Mutation("retries have no budget", [(RetryBudget, "allows", _constant(True))], storm),
    Mutation("a breaker never opens", [(Breaker, "open", _constant(None))], recovery),
    Mutation("a breaker is never half-open", [(Breaker, "admits", _admit_closed)], recovery),
    Mutation("a breaker never closes", [(Breaker, "close", _constant(None))], recovery),
    Mutation(
        "keys that were refused are used on",
        [(MemoryRoutingState, "key_blocked_s", _constant(0.0))],
    ),
    Mutation(
        "limits of attempts are not kept",
        [(attempt_guard.AttemptGuard, "start", _constant(None))],
    ),
    Mutation("deadlines are not kept", [(dispatch.Dispatch, "start_deadline", _constant(None))]),
    Mutation(
        "the first target gets everything",
        [(balance, "shuffle_by_weight", lambda original: lambda given, rng: list(given))],
        balanced,
    ),
    Mutation(
        "the headers name another target",
        [
            (
                attempt_guard,
                "header_lines",
                _constant(f"{attempt_origin.SERVED_BY}: other/model\r\n"),
            )
        ],
    ),
]
OF_CHOICES = [
    Mutation(
        "conditions of tables are not looked at",
        [(TableCondition, "unmet", _constant(None))],
        conditional,
    ),
    Mutation(
        "conditions in CEL are not looked at",
        [(CelCondition, "unmet", _constant(None))],
        conditional,
    ),
    Mutation(
        "sessions are not kept where they are",
        [(plan, "stick", _alternately)],
        sticky,
    ),
]
OF_CACHES = [
    Mutation("answers are shared between tenants", [(caching, "_tenant", _constant(""))], cached),
    Mutation("incomplete answers are kept", [(cached_call, "is_whole", _constant(True))], cached),
    Mutation("answers are kept for ever", [(MemoryCache, "get", _get_expired)], cached),
    Mutation(
        "answers from the cache are billed", [(accounting, "FREE", _value(frozenset()))], cached
    ),
    Mutation(
        "a response is joined that ended with its client",
        [(shared_response.SharedResponse, "can_be_joined", _property(True))],
        cached,
    ),
    Mutation(
        "what a client does not want kept is kept",
        [(cached_call.CacheUse, "keep", _keep_anything)],
        cached,
    ),
]
MUTATIONS = [*OF_CALLS, *OF_ROUTES, *OF_CHOICES, *OF_CACHES]


@contextmanager
def active(mutation: Mutation) -> Iterator[None]:
    with ExitStack() as stack:
        for owner, name, replace in mutation.changes:
            original = owner.__dict__[name]
            setattr(owner, name, replace(original))
            stack.callback(setattr, owner, name, original)
        yield


def find(mutation: Mutation, first: int = 0, most: int = MOST_SEEDS) -> tuple[int, str] | None:
    """The first seed that shows the defect, and how. None: none does."""
    with active(mutation):
        for seed in range(first, first + most):
            problems = run_seed(seed, mutation.theme)[1]
            if problems:
                return seed, problems[0]
    return None
