"""Defects that are put into the gateway on purpose, to show that the simulator finds each.

    make simulate ARGS=--mutations

Each entry replaces one function for as long as it is active. A name that does not exist any more
is an error, so that the table follows the code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from headway.pipeline import accounting, attempt, call, call_records, dispatch
from headway.pipeline import drain as drains
from headway.response_accumulator import ResponseAccumulator
from headway.routing import retry
from simulation.run import run_seed

MOST_SEEDS = 600
"""A defect that is not found in so many schedules is not found."""

Replace = Callable[[Any], Any]
"""The original -> what replaces it."""


class Mutation(NamedTuple):
    title: str
    changes: list[tuple[Any, str, Replace]]
    """Owner, name and replacement."""


def _nothing(original: Any) -> Any:
    return lambda *args, **options: None


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


def _one_more(original: Any) -> Any:
    return lambda error, attempts, retries, jitter: original(error, attempts - 1, retries, jitter)


def _try_anything(original: Any) -> Any:
    def changed(error: Any, attempts: int, retries: int, jitter: float) -> Any:
        return retry.Try(0.1) if attempts <= retries else retry.GiveUp()

    return changed


def _at_once(original: Any) -> Any:
    def changed(*args: Any) -> Any:
        decision = original(*args)
        return retry.Try(0.0) if isinstance(decision, retry.Try) else decision

    return changed


async def _uncounted(gateway: Any, made: Any, result: Any, *rest: Any) -> Any:
    return result


def _double_output(original: Any) -> Any:
    def changed(facts: Any, result: Any, *rest: Any, **options: Any) -> Any:
        usage = result.usage
        if usage.output_tokens:
            usage = accounting.replace(usage, output_tokens=2 * usage.output_tokens)
        return original(facts, accounting.replace(result, usage=usage), *rest, **options)

    return changed


def _end_early(self: Any, pieces: list[bytes]) -> None:
    self.sink.end(b"")


def _swap_providers(original: Any) -> Any:
    """Write what one response says to the client of another."""
    sinks: list[Any] = []

    def changed(self: Any, upstream: Any, context: Any) -> Any:
        made = original(self, upstream, context)
        sinks.append(made)
        if len(sinks) % 5 == 0 and not sinks[-2].is_over and sinks[-2].encoder is not None:
            made._sink = sinks[-2]._sink
        return made

    return changed


MUTATIONS = [
    Mutation(
        "a client that leaves is not noticed", [(call.GatewayCall, "_on_client_gone", _nothing)]
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
    Mutation("a record is written twice", [(call_records, "_write", _twice)]),
    Mutation(
        "every record is the last of its call", [(accounting, "attempt_record", _always_last)]
    ),
    Mutation("one attempt more than allowed", [(dispatch, "decide", _one_more)]),
    Mutation("a refused request is sent again", [(dispatch, "decide", _try_anything)]),
    Mutation(
        "nothing is tried again",
        [(dispatch, "decide", lambda original: lambda *args: retry.GiveUp())],
    ),
    Mutation("Retry-After is not obeyed", [(dispatch, "decide", _at_once)]),
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
        "the end of a stream is not sent", [(call.GatewayCall, "_end_stream", lambda o: _end_early)]
    ),
    Mutation("a call that is over stays active", [(call.GatewayCall, "_close", _nothing)]),
    Mutation(
        "a stream that broke off counts as complete",
        [(ResponseAccumulator, "is_finished", lambda original: property(lambda self: True))],
    ),
    Mutation(
        "a response without its client is read without a limit",
        [(drains.Drain, "_is_at_limit", lambda original: lambda self: False)],
    ),
    Mutation(
        "a shutdown ends no call",
        [(call.GatewayCall, "abort", _nothing)],
    ),
    Mutation(
        "the status on record is the error's own",
        [(call_records, "_status_of", lambda original: lambda call, error: error.status)],
    ),
    Mutation(
        "content goes to another client", [(call.GatewayCall, "_new_attempt", _swap_providers)]
    ),
]


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
            problems = run_seed(seed)[1]
            if problems:
                return seed, problems[0]
    return None
